// Package otlp puts the types of the OTLP schema, go.opentelemetry.io/proto/otlp, in the place of
// payloads. They keep fields that they do not know; decoding takes longer than the package pdata's.
//
//	processor.Register(func(config Config) (otelwasm.Processor, error) {
//		return otlp.Processor(&redact{config})
//	}, Config{})
//
// The schema's profiles are still in development, and in no stable module: the packages pdata and
// otelwasm have those.
package otlp

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/adapter"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// A plugin has one method for each signal that it handles; batches of others pass it by. A
// processor changes what it gets, and says whether it did: a batch that it left as it was goes
// on byte for byte, one that it emptied is not sent on at all.
type (
	TracesProcessor interface {
		ProcessTraces(*trace.TracesData) (isChanged bool, err error)
	}
	MetricsProcessor interface {
		ProcessMetrics(*metrics.MetricsData) (isChanged bool, err error)
	}
	LogsProcessor interface {
		ProcessLogs(*logs.LogsData) (isChanged bool, err error)
	}

	TracesExporter interface {
		SendTraces(*trace.TracesData) (otelwasm.Receipt, error)
	}
	MetricsExporter interface {
		SendMetrics(*metrics.MetricsData) (otelwasm.Receipt, error)
	}
	LogsExporter interface {
		SendLogs(*logs.LogsData) (otelwasm.Receipt, error)
	}
)

// Processor makes a processor of a plugin with at least one of the methods ProcessTraces, ProcessMetrics and ProcessLogs.
// What else it has, as Tick and Stop, counts as well.
func Processor(plugin any) (otelwasm.Processor, error) {
	made := adapter.NewProcessor(plugin)
	if p, ok := plugin.(TracesProcessor); ok {
		adapter.Change(made, tracesForm, p.ProcessTraces)
	}
	if p, ok := plugin.(MetricsProcessor); ok {
		adapter.Change(made, metricsForm, p.ProcessMetrics)
	}
	if p, ok := plugin.(LogsProcessor); ok {
		adapter.Change(made, logsForm, p.ProcessLogs)
	}
	return made, made.Check("Process", "Traces, Metrics or Logs")
}

// Exporter makes an exporter of a plugin with at least one of the methods SendTraces, SendMetrics and SendLogs.
// What else it has, as Tick and Stop, counts as well.
func Exporter(plugin any) (otelwasm.Exporter, error) {
	made := adapter.NewExporter(plugin)
	if p, ok := plugin.(TracesExporter); ok {
		adapter.Deliver(made, tracesForm, p.SendTraces)
	}
	if p, ok := plugin.(MetricsExporter); ok {
		adapter.Deliver(made, metricsForm, p.SendMetrics)
	}
	if p, ok := plugin.(LogsExporter); ok {
		adapter.Deliver(made, logsForm, p.SendLogs)
	}
	return made, made.Check("Send", "Traces, Metrics or Logs")
}
