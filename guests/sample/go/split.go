package main

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type traceID = pcommon.TraceID

// part is what a batch has of one trace.
type part struct {
	traceID  traceID
	payload  []byte
	mustKeep bool
}

// split makes one request of the spans of each trace, with their resources and scopes.
func split(payload []byte, slowS float64) ([]part, error) {
	traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(payload)
	if err != nil {
		return nil, otelwasm.Permanentf("the payload is no request of traces: %v", err)
	}
	var found []*growing
	byID := map[traceID]*growing{}
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				of, isThere := byID[span.TraceID()]
				if !isThere {
					of = &growing{traces: ptrace.NewTraces()}
					of.traceID = span.TraceID()
					byID[of.traceID] = of
					found = append(found, of)
				}
				of.mustKeep = of.mustKeep || isError(span) || duration(span) >= slowS
				span.CopyTo(of.in(resource, scope).AppendEmpty())
			}
		}
	}
	parts := make([]part, 0, len(found))
	for _, of := range found {
		if of.payload, err = new(ptrace.ProtoMarshaler).MarshalTraces(of.traces); err != nil {
			return nil, err
		}
		parts = append(parts, of.part)
	}
	return parts, nil
}

// growing is a part that spans are added to.
type growing struct {
	part
	traces    ptrace.Traces
	resource  ptrace.ResourceSpans
	scope     ptrace.ScopeSpans
	from      ptrace.ResourceSpans
	fromScope ptrace.ScopeSpans
	hasAny    bool
}

// in is where spans of a scope go; spans come scope by scope.
func (g *growing) in(resource ptrace.ResourceSpans, scope ptrace.ScopeSpans) ptrace.SpanSlice {
	if !g.hasAny || g.from != resource {
		g.from, g.resource = resource, g.traces.ResourceSpans().AppendEmpty()
		resource.Resource().CopyTo(g.resource.Resource())
		g.resource.SetSchemaUrl(resource.SchemaUrl())
	}
	if !g.hasAny || g.fromScope != scope {
		g.fromScope, g.scope = scope, g.resource.ScopeSpans().AppendEmpty()
		scope.Scope().CopyTo(g.scope.Scope())
		g.scope.SetSchemaUrl(scope.SchemaUrl())
	}
	g.hasAny = true
	return g.scope.Spans()
}

func isError(span ptrace.Span) bool { return span.Status().Code() == ptrace.StatusCodeError }

func duration(span ptrace.Span) float64 {
	start, end := span.StartTimestamp(), span.EndTimestamp()
	if end < start {
		return 0
	}
	return float64(end-start) / 1e9
}
