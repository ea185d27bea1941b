package otlp

import (
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

type rename struct{}

func (rename) ProcessTraces(data *trace.TracesData) (isChanged bool, err error) {
	for _, span := range data.ResourceSpans[0].ScopeSpans[0].Spans {
		isChanged = isChanged || span.Name != "renamed"
		span.Name = "renamed"
	}
	return isChanged, nil
}

// dropAll leaves nothing that counts.
type dropAll struct{}

func (dropAll) ProcessMetrics(data *metrics.MetricsData) (bool, error) {
	data.ResourceMetrics[0].ScopeMetrics[0].Metrics = nil
	return true, nil
}

func (dropAll) ProcessLogs(data *logs.LogsData) (bool, error) {
	data.ResourceLogs[0].ScopeLogs[0].LogRecords = nil
	return true, nil
}

func process(t *testing.T, plugin any, signal otelwasm.Signal, data proto.Message) ([]byte, bool) {
	t.Helper()
	payload, err := proto.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return processBytes(t, plugin, otelwasm.Batch{Signal: signal, Payload: payload})
}

func processBytes(t *testing.T, plugin any, batch otelwasm.Batch) ([]byte, bool) {
	t.Helper()
	made, err := Processor(plugin)
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := made.Process(batch)
	if err != nil {
		t.Fatal(err)
	}
	return verdict.Payload(batch)
}

func span(unknown []byte) *trace.TracesData {
	made := &trace.Span{Name: "GET /"}
	made.ProtoReflect().SetUnknown(unknown)
	scope := &trace.ScopeSpans{Spans: []*trace.Span{made}}
	return &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{scope}}}}
}

// A changed batch keeps the fields that the schema does not know.
func TestUnknownFieldsStay(t *testing.T) {
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 7)

	payload, isSent := process(t, rename{}, otelwasm.Traces, span(unknown))

	var data trace.TracesData
	if err := proto.Unmarshal(payload, &data); err != nil || !isSent {
		t.Fatal(err, isSent)
	}
	changed := data.ResourceSpans[0].ScopeSpans[0].Spans[0]
	if changed.Name != "renamed" || string(changed.ProtoReflect().GetUnknown()) != string(unknown) {
		t.Error(changed)
	}
}

// A batch that is emptied is not sent on, whatever is left around its items.
func TestEmptiedBatchesAreDropped(t *testing.T) {
	point := &metrics.Metric{Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{
		DataPoints: []*metrics.NumberDataPoint{{}},
	}}}
	measured := &metrics.MetricsData{ResourceMetrics: []*metrics.ResourceMetrics{{
		ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: []*metrics.Metric{point}}},
	}}}
	logged := &logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{{}}}},
	}}}

	_, hasMetrics := process(t, dropAll{}, otelwasm.Metrics, measured)
	_, hasLogs := process(t, dropAll{}, otelwasm.Logs, logged)

	if dataPoints(measured) != 1 || logRecords(logged) != 1 || hasMetrics || hasLogs {
		t.Error(hasMetrics, hasLogs)
	}
}

// What is no protobuf is a permanent failure that says so.
func TestMalformedPayloads(t *testing.T) {
	made, err := Processor(rename{})
	if err != nil {
		t.Fatal(err)
	}

	_, err = made.Process(otelwasm.Batch{Signal: otelwasm.Traces, Payload: []byte{0x0a, 0x05}})

	if _, isPermanent := err.(otelwasm.Permanent); !isPermanent {
		t.Error(err)
	}
}
