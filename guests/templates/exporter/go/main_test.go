package main

import (
	"errors"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/hosttest"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
)

// A response of 503 is a failure that the host may try again.
func TestABusyServerIsTriedAgain(t *testing.T) {
	hosttest.Start(t).Answer = func(request http.Request) (http.Response, error) {
		if request.URL != "http://collector:4318/v1/traces" {
			t.Error(request.URL)
		}
		return http.Response{Status: 503}, nil
	}

	_, err := post{Config{"http://collector:4318"}}.Send(otelwasm.Batch{Signal: otelwasm.Traces})

	if !errors.As(err, new(otelwasm.Retryable)) {
		t.Errorf("expected a Retryable, got %v", err)
	}
}
