package otlp

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/adapter"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// How payloads of each signal are decoded, counted and encoded. These messages have the fields of
// OTLP's requests, less gRPC.
var (
	tracesForm = adapter.Form[*trace.TracesData]{
		Signal: otelwasm.Traces,
		Decode: decode(func() *trace.TracesData { return new(trace.TracesData) }),
		Items:  spans,
		Encode: encode[*trace.TracesData],
	}
	metricsForm = adapter.Form[*metrics.MetricsData]{
		Signal: otelwasm.Metrics,
		Decode: decode(func() *metrics.MetricsData { return new(metrics.MetricsData) }),
		Items:  dataPoints,
		Encode: encode[*metrics.MetricsData],
	}
	logsForm = adapter.Form[*logs.LogsData]{
		Signal: otelwasm.Logs,
		Decode: decode(func() *logs.LogsData { return new(logs.LogsData) }),
		Items:  logRecords,
		Encode: encode[*logs.LogsData],
	}
)

func decode[Data proto.Message](empty func() Data) func([]byte) (Data, error) {
	return func(payload []byte) (Data, error) {
		data := empty()
		return data, proto.Unmarshal(payload, data)
	}
}

func encode[Data proto.Message](data Data) ([]byte, error) { return proto.Marshal(data) }

func spans(data *trace.TracesData) (count int) {
	for _, resource := range data.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			count += len(scope.GetSpans())
		}
	}
	return count
}

func dataPoints(data *metrics.MetricsData) (count int) {
	for _, resource := range data.GetResourceMetrics() {
		for _, scope := range resource.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				count += len(metric.GetGauge().GetDataPoints()) +
					len(metric.GetSum().GetDataPoints()) +
					len(metric.GetHistogram().GetDataPoints()) +
					len(metric.GetExponentialHistogram().GetDataPoints()) +
					len(metric.GetSummary().GetDataPoints())
			}
		}
	}
	return count
}

func logRecords(data *logs.LogsData) (count int) {
	for _, resource := range data.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			count += len(scope.GetLogRecords())
		}
	}
	return count
}
