package http

import (
	"errors"
	"testing"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// A status is a success, or an error that says whether trying again may help, and when.
func TestStatuses(t *testing.T) {
	for _, each := range []struct {
		response Response
		expected error
	}{
		{Response{Status: 204}, nil},
		{Response{Status: 404, Body: []byte(" gone \n")}, otelwasm.Permanent{Reason: "the server answered 404: gone"}},
		{Response{Status: 302}, otelwasm.Permanent{Reason: "the server answered 302"}},
		{Response{Status: 500}, otelwasm.Retryable{Reason: "the server answered 500"}},
		{
			Response{Status: 429, Headers: otelwasm.Headers{{Name: "retry-after", Value: " 7 "}}},
			otelwasm.Retryable{Reason: "the server answered 429", After: 7 * time.Second},
		},
	} {
		if actual := each.response.Err(); each.expected != actual {
			t.Errorf("%d: %#v", each.response.Status, actual)
		}
	}
}

// Retry-After is a number of seconds or a date.
func TestRetryAfter(t *testing.T) {
	soon := time.Now().Add(time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	for text, expected := range map[string]time.Duration{
		"": 0, "-1": 0, "1.5": 0, "soon": 0, "120": 2 * time.Minute, soon: time.Hour,
		"Mon, 02 Jan 2006 15:04:05 GMT": 0,
	} {
		response := Response{Headers: otelwasm.Headers{{Name: "Retry-After", Value: text}}}

		if off := expected - response.RetryAfter(); off < 0 || off > 2*time.Second {
			t.Errorf("%q: %v", text, response.RetryAfter())
		}
	}
}

// Where there is no host, a request is refused, and that is permanent.
func TestNoHost(t *testing.T) {
	_, err := Get("https://example.com")

	var retryable otelwasm.Retryable
	if !errors.Is(err, ErrRefused) || errors.As(err, &retryable) {
		t.Error(err)
	}
}
