package main

import (
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// What is posted is the body of a log record.
func TestAMessageBecomesALogRecord(t *testing.T) {
	logs := webhook{}.logs(otelwasm.Message{Method: "POST", Body: []byte("hello")})

	record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	if body := record.Body().Str(); body != "hello" {
		t.Errorf("its body is %q", body)
	}
}

// A request that is no POST is answered, and makes nothing.
func TestNothingElseIsTaken(t *testing.T) {
	reply, err := webhook{}.Receive(otelwasm.Message{Method: "GET"})

	if reply.Status != 405 || err != nil {
		t.Errorf("%d, %v", reply.Status, err)
	}
}
