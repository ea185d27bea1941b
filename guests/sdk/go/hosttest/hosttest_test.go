package hosttest

import (
	"errors"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/state"
)

// What a plugin does to the host can be looked at; what the host refuses reaches the plugin.
func TestAHostStandsIn(t *testing.T) {
	host := Start(t)
	payload := []byte("abc")
	host.Refusal = otelwasm.Retryable{Reason: "full"}
	refused := pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: payload})
	host.Refusal = nil
	taken := pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: payload})
	payload[0] = 'x'
	meter.Observe("took", 0.5, "key", 17)

	if refused != (otelwasm.Retryable{Reason: "full"}) || taken != nil {
		t.Error(refused, taken)
	}
	if len(host.Emitted) != 1 || string(host.Emitted[0].Payload) != "abc" {
		t.Error(host.Emitted)
	}
	if len(host.Measured) != 1 || host.Measured[0].Value != 0.5 || host.Measured[0].Attributes["key"] != "17" {
		t.Error(host.Measured)
	}
}

// State is kept by key until the test ends.
func TestStateIsKept(t *testing.T) {
	host := Start(t)
	set := state.Set("cursor", []byte("17"))
	value, isFound, err := state.Get("cursor")

	if set != nil || err != nil || !isFound || string(value) != "17" {
		t.Error(set, err, isFound, value)
	}
	if err := state.Delete("cursor"); err != nil || len(host.State) != 0 {
		t.Error(err, host.State)
	}
	if _, isFound, err := state.Get("cursor"); isFound || err != nil {
		t.Error(isFound, err)
	}
}

// Requests are refused until there is an answer; that there is none is what it is in a component.
func TestServersAnswer(t *testing.T) {
	host := Start(t)
	var permanent otelwasm.Permanent
	if _, err := http.Get("https://a.b/c"); !errors.Is(err, http.ErrRefused) || !errors.As(err, &permanent) {
		t.Error(err)
	}
	host.Answer = func(request http.Request) (http.Response, error) {
		if request.URL == "https://a.b/slow" {
			return http.Response{}, http.ErrTimedOut
		}
		return http.Response{Status: 200, Body: []byte(request.Method)}, nil
	}

	response, err := http.Get("https://a.b/c")
	if err != nil || string(response.Body) != "GET" {
		t.Error(response, err)
	}
	var retryable otelwasm.Retryable
	if _, err := http.Get("https://a.b/slow"); !errors.Is(err, http.ErrTimedOut) || !errors.As(err, &retryable) {
		t.Error(err)
	}
}
