package main

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Of a health check and another request, the other one is left.
func TestHealthChecksAreDropped(t *testing.T) {
	traces := ptrace.NewTraces()
	spans := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty().SetName("GET /health")
	spans.AppendEmpty().SetName("GET /cart")

	isChanged, err := tidy{Config{"test", []string{"GET /health"}}}.ProcessTraces(traces)

	if !isChanged || err != nil {
		t.Fatal(isChanged, err)
	}
	if spans.Len() != 1 || spans.At(0).Name() != "GET /cart" {
		t.Errorf("%d spans are left", spans.Len())
	}
}
