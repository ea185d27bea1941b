package main

import (
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/hosttest"
)

// What is posted is one batch, and nothing else is taken.
func TestAMessageBecomesABatch(t *testing.T) {
	host := hosttest.Start(t)

	for method, expected := range map[string]int{"POST": 202, "GET": 405} {
		reply, err := webhook{}.Receive(otelwasm.Message{Method: method, Body: []byte("hello")})
		if reply.Status != expected || err != nil {
			t.Errorf("%s: %d, %v", method, reply.Status, err)
		}
	}

	if len(host.Emitted) != 1 || host.Emitted[0].Signal != otelwasm.Logs {
		t.Errorf("emitted %v", host.Emitted)
	}
}
