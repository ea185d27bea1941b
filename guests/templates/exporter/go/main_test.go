package main

import (
	"errors"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
)

// A request that the host does not allow is the batch's failure. In this test there is no host that
// could allow one; in the cases there are servers.
func TestARefusedRequestIsAFailure(t *testing.T) {
	_, err := post{Config{"http://collector:4318"}}.Send(otelwasm.Batch{Signal: otelwasm.Traces})

	if !errors.Is(err, http.ErrRefused) {
		t.Errorf("expected %v, got %v", http.ErrRefused, err)
	}
}
