// Program extism is a guest of Extism's: it sets one attribute on each span of the request that it
// is given, with the Collector's own data model.
package main

import (
	"github.com/extism/go-pdk"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var (
	unmarshaler ptrace.ProtoUnmarshaler
	marshaler   ptrace.ProtoMarshaler
)

//go:wasmexport set_attribute
func setAttribute() int32 {
	traces, err := unmarshaler.UnmarshalTraces(pdk.Input())
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				span.Attributes().PutStr("env", "prod")
			}
		}
	}
	out, err := marshaler.MarshalTraces(traces)
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	pdk.Output(out)
	return 0
}

func main() {}
