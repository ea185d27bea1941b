// Package http asks servers that the host's configuration allows:
//
//	response, err := http.Get("https://example.com/users/7")
//
// The host adds credentials, so that a plugin never sees them. A response of any status is no
// error. That there is none is [ErrRefused], which is permanent for the batch of a plugin that
// returns it, or [ErrTimedOut] or [ErrFailed], which are retryable.
package http

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/host"
)

// Why there is no response; errors.Is finds them in what Send returns.
var (
	// ErrRefused: the host's configuration does not allow this request.
	ErrRefused = host.ErrRefused
	// ErrTimedOut: no answer in time.
	ErrTimedOut = host.ErrTimedOut
	// ErrFailed: no connection, a broken one, or too large a response.
	ErrFailed = host.ErrFailed
)

// DefaultTimeout is how long Get and Post wait, and Send where a request does not say it.
const DefaultTimeout = 10 * time.Second

// Request is one request.
type Request struct {
	// Method is GET or POST, for example.
	Method string
	// URL is absolute, http or https, percent-encoded.
	URL string
	// Headers are sent besides those of the host, which cannot be given here.
	Headers otelwasm.Headers
	Body    []byte
	// Timeout is when the request counts as failed; the host may allow less.
	Timeout time.Duration
}

// Response is what a server answered, whatever its status; its headers' names are in lower case.
type Response struct {
	Status  int
	Headers otelwasm.Headers
	// Body is as it came: a content-encoding is not undone.
	Body []byte
}

// Get sends a GET request.
func Get(url string, headers ...otelwasm.Header) (Response, error) {
	return Send(Request{Method: "GET", URL: url, Headers: headers})
}

// Post sends a POST request; its content-type is one of the headers.
func Post(url string, body []byte, headers ...otelwasm.Header) (Response, error) {
	return Send(Request{Method: "POST", URL: url, Headers: headers, Body: body})
}

// Send sends a request, and waits for the response.
func Send(request Request) (Response, error) {
	if request.Timeout <= 0 {
		request.Timeout = DefaultTimeout
	}
	response, err := host.Send(host.Request(request))
	return Response(response), err
}

// Err returns nil for a success, and else what the status is for a batch: an otelwasm.Retryable for
// 408, 429 and 5xx, not before the response's retry-after; else an otelwasm.Permanent.
func (r Response) Err() error {
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	said := strings.TrimSpace(strings.ToValidUTF8(string(r.Body[:min(len(r.Body), 300)]), "\uFFFD"))
	reason := strings.TrimSuffix(fmt.Sprintf("the server answered %d: %s", r.Status, said), ": ")
	if r.Status == 408 || r.Status == 429 || r.Status >= 500 {
		return otelwasm.Retryable{Reason: reason, After: r.RetryAfter()}
	}
	return otelwasm.Permanent{Reason: reason}
}

// RetryAfter is how long the server asks to wait; 0 if it does not.
func (r Response) RetryAfter() time.Duration {
	text := strings.TrimSpace(r.Headers.Get("retry-after"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if moment, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", text); err == nil {
		return max(0, time.Until(moment))
	}
	return 0
}
