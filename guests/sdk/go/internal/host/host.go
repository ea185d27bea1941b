// Package host is what a plugin's code reaches outside itself: the pipeline, the log, the meter,
// state and http. In a component these are the world's imports.
package host

import (
	"errors"
	"fmt"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Pairs writes names and values, given in turn, as text.
func Pairs(given []any) []Pair {
	pairs := make([]Pair, 0, (len(given)+1)/2)
	for ; len(given) > 1; given = given[2:] {
		pairs = append(pairs, Pair{fmt.Sprint(given[0]), fmt.Sprint(given[1])})
	}
	if len(given) == 1 {
		// As in log/slog: a name or value was forgotten, which should be seen.
		pairs = append(pairs, Pair{"!BADKEY", fmt.Sprint(given[0])})
	}
	return pairs
}

// Request is an HTTP request.
type Request struct {
	Method  string
	URL     string
	Headers otelwasm.Headers
	Body    []byte
	Timeout time.Duration
}

// Response is an HTTP response.
type Response struct {
	Status  int
	Headers otelwasm.Headers
	Body    []byte
}

// Why there is no response.
var (
	ErrRefused  = errors.New("the host's configuration does not allow this request")
	ErrTimedOut = errors.New("no answer in time")
	ErrFailed   = errors.New("no response")
)

// noResponse is an error that is both why there is no response, and what that is for a batch.
type noResponse struct{ why, failure error }

func (n noResponse) Error() string   { return n.failure.Error() }
func (n noResponse) Unwrap() []error { return []error{n.why, n.failure} }

// valid makes text what WIT's strings are: UTF-8.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
