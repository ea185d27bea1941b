// Package otelwasm has what plugins for OpenTelemetry pipelines are written with in Go.
//
// A plugin is a main package that registers what it is from init, by the package of its kind:
// [github.com/otelwasm/otelwasm/guests/sdk/go/processor], .../exporter or .../receiver.
//
//	type Config struct {
//		Key   string `json:"key"`
//		Value string `json:"value"`
//	}
//
//	type setAttribute struct{ config Config }
//
//	func init() {
//		processor.Register(func(config Config) (otelwasm.Processor, error) {
//			return pdata.Processor(setAttribute{config})
//		}, Config{Key: "deployment.environment.name", Value: "production"})
//	}
//
//	func (p setAttribute) ProcessTraces(traces ptrace.Traces) (isChanged bool, err error) {
//		for _, resource := range traces.ResourceSpans().All() {
//			resource.Resource().Attributes().PutStr(p.config.Key, p.config.Value)
//		}
//		return true, nil
//	}
//
//	func main() {}
//
// This package works on payloads as they are, bytes of OTLP. The packages pdata and otlp put the
// Collector's types, or those of the OTLP schema, in their place.
//
// # What may go wrong
//
// A batch that was not taken is an error: a [Retryable], in whatever it is wrapped, says that trying
// again may help; any other error is permanent. A panic is a permanent failure whose text names the
// panic and the line; the plugin goes on with the next batch, in the state that the panic left. What
// Go cannot recover from (no memory, a stack without end, a deadlock) ends the instance: the host
// starts a fresh one and tries the batch once more.
//
// # What there is besides
//
// The package pipeline sends batches on besides the one that is returned. The packages meter, state
// and http count, keep values and ask servers. The log is the standard library's: what log/slog's
// default logger gets goes to the host's log. In a plugin's own tests the package hosttest stands for
// the host.
//
// Goroutines run only while the host calls the plugin: wait for those that you start. A panic in one
// of them ends the instance, as it ends a process.
//
// # The garbage collector
//
// A Go component must not collect garbage while the host hands it bytes, or it traps. The SDK
// sees to that: do not call debug.SetGCPercent. Some 16 MiB of garbage, or as much as the plugin
// holds on to, may be there beside it; limits on memory should leave room for that.
package otelwasm
