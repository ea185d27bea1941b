// Set one attribute of each span, on the types of the OTLP schema.
package main

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/otlp"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

type decoded struct{}

func init() {
	processor.Register(func(struct{}) (otelwasm.Processor, error) {
		return otlp.Processor(decoded{})
	}, struct{}{})
}

func (decoded) ProcessTraces(traces *trace.TracesData) (isChanged bool, err error) {
	for _, resource := range traces.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				value := &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: "prod"}}
				span.Attributes = append(span.Attributes, &common.KeyValue{Key: "env", Value: value})
			}
		}
	}
	return true, nil
}

func main() {}
