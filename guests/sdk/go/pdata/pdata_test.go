package pdata

import (
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// empty handles all signals, and leaves nothing of them.
type empty struct{}

func (empty) ProcessTraces(data ptrace.Traces) (bool, error) {
	data.ResourceSpans().RemoveIf(func(ptrace.ResourceSpans) bool { return true })
	return true, nil
}

func (empty) ProcessMetrics(data pmetric.Metrics) (bool, error) {
	data.ResourceMetrics().RemoveIf(func(pmetric.ResourceMetrics) bool { return true })
	return true, nil
}

func (empty) ProcessLogs(data plog.Logs) (bool, error) {
	data.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
	return true, nil
}

func (empty) ProcessProfiles(data pprofile.Profiles) (bool, error) {
	data.ResourceProfiles().RemoveIf(func(pprofile.ResourceProfiles) bool { return true })
	return true, nil
}

// look only looks at what it gets, and keeps how much there was.
type look struct{ items *int }

func (l look) ProcessTraces(data ptrace.Traces) (bool, error) {
	*l.items = data.SpanCount()
	return false, nil
}

func (l look) SendProfiles(data pprofile.Profiles) (otelwasm.Receipt, error) {
	*l.items = profileCount(data)
	return otelwasm.Receipt{Rejected: 1, Message: "one was old"}, nil
}

func payloads(t *testing.T) map[otelwasm.Signal][]byte {
	t.Helper()
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("GET /")
	metrics := pmetric.NewMetrics()
	metric := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("x")
	profiles := pprofile.NewProfiles()
	profiles.ResourceProfiles().AppendEmpty().ScopeProfiles().AppendEmpty().Profiles().AppendEmpty()
	encoded := map[otelwasm.Signal][]byte{}
	var failures [4]error
	encoded[otelwasm.Traces], failures[0] = tracesForm.Encode(traces)
	encoded[otelwasm.Metrics], failures[1] = metricsForm.Encode(metrics)
	encoded[otelwasm.Logs], failures[2] = logsForm.Encode(logs)
	encoded[otelwasm.Profiles], failures[3] = profilesForm.Encode(profiles)
	for _, err := range failures {
		if err != nil {
			t.Fatal(err)
		}
	}
	return encoded
}

// A batch of any signal that is emptied is not sent on.
func TestEmptiedBatchesAreDropped(t *testing.T) {
	made, err := Processor(empty{})
	if err != nil {
		t.Fatal(err)
	}
	for signal, payload := range payloads(t) {
		batch := otelwasm.Batch{Signal: signal, Payload: payload}

		verdict, err := made.Process(batch)

		if _, isSent := verdict.Payload(batch); err != nil || isSent {
			t.Errorf("%s: %v, %+v", signal, err, verdict)
		}
	}
}

// A batch that is only looked at passes, and its receipt is that of the plugin.
func TestLooking(t *testing.T) {
	var spans, profiles int
	processor, _ := Processor(look{&spans})
	exporter, _ := Exporter(look{&profiles})
	encoded := payloads(t)

	verdict, err := processor.Process(otelwasm.Batch{Signal: otelwasm.Traces, Payload: encoded[otelwasm.Traces]})
	receipt, failed := exporter.Send(otelwasm.Batch{Signal: otelwasm.Profiles, Payload: encoded[otelwasm.Profiles]})

	if err != nil || !verdict.IsPass() || spans != 1 {
		t.Error(err, verdict, spans)
	}
	if failed != nil || receipt.Rejected != 1 || profiles != 1 {
		t.Error(failed, receipt, profiles)
	}
}

// A plugin without a method for any signal is told so.
func TestNoSignal(t *testing.T) {
	if _, err := Exporter(empty{}); err == nil {
		t.Error("it was taken")
	}
}
