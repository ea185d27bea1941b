// Package pdata puts the Collector's types, go.opentelemetry.io/collector/pdata, in the place of
// payloads.
//
//	processor.Register(func(config Config) (otelwasm.Processor, error) {
//		return pdata.Processor(&redact{config})
//	}, Config{})
//
// They drop fields that they do not know; the packages otlp and otelwasm keep those.
package pdata

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/adapter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A plugin has one method for each signal that it handles; batches of others pass it by. A
// processor changes what it gets, and says whether it did: a batch that it left as it was goes
// on byte for byte, one that it emptied is not sent on at all.
type (
	TracesProcessor interface {
		ProcessTraces(ptrace.Traces) (isChanged bool, err error)
	}
	MetricsProcessor interface {
		ProcessMetrics(pmetric.Metrics) (isChanged bool, err error)
	}
	LogsProcessor interface {
		ProcessLogs(plog.Logs) (isChanged bool, err error)
	}
	ProfilesProcessor interface {
		ProcessProfiles(pprofile.Profiles) (isChanged bool, err error)
	}

	TracesExporter interface {
		SendTraces(ptrace.Traces) (otelwasm.Receipt, error)
	}
	MetricsExporter interface {
		SendMetrics(pmetric.Metrics) (otelwasm.Receipt, error)
	}
	LogsExporter interface {
		SendLogs(plog.Logs) (otelwasm.Receipt, error)
	}
	ProfilesExporter interface {
		SendProfiles(pprofile.Profiles) (otelwasm.Receipt, error)
	}
)

// Processor makes a processor of a plugin with at least one of the methods ProcessTraces, ProcessMetrics, ProcessLogs and ProcessProfiles.
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
	if p, ok := plugin.(ProfilesProcessor); ok {
		adapter.Change(made, profilesForm, p.ProcessProfiles)
	}
	return made, made.Check("Process", "Traces, Metrics, Logs or Profiles")
}

// Exporter makes an exporter of a plugin with at least one of the methods SendTraces, SendMetrics, SendLogs and SendProfiles.
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
	if p, ok := plugin.(ProfilesExporter); ok {
		adapter.Deliver(made, profilesForm, p.SendProfiles)
	}
	return made, made.Check("Send", "Traces, Metrics, Logs or Profiles")
}
