// Drop health checks, and say where the other spans come from.
package main

import (
	"errors"
	"slices"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pdata"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Config is what a pipeline's YAML says under `config:`.
type Config struct {
	Environment string   `json:"environment"`
	Drop        []string `json:"drop"`
}

type tidy struct{ config Config }

func init() {
	processor.Register(func(config Config) (otelwasm.Processor, error) {
		if config.Environment == "" {
			return nil, errors.New("config.environment: missing; expected string")
		}
		return pdata.Processor(tidy{config})
	}, Config{Drop: []string{"GET /health"}})
}

func (t tidy) ProcessTraces(traces ptrace.Traces) (isChanged bool, err error) {
	traces.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		resource.Resource().Attributes().PutStr("deployment.environment.name", t.config.Environment)
		resource.ScopeSpans().RemoveIf(func(scope ptrace.ScopeSpans) bool {
			scope.Spans().RemoveIf(func(span ptrace.Span) bool {
				return slices.Contains(t.config.Drop, span.Name())
			})
			return scope.Spans().Len() == 0
		})
		return resource.ScopeSpans().Len() == 0
	})
	return true, nil
}

func main() {}
