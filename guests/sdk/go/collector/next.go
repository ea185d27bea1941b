package collector

import (
	"bytes"
	"context"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// outlet takes what a processor sends on. The last batch that it sends while it handles one is
// what becomes of that one; all others are emitted.
type outlet struct {
	signal otelwasm.Signal
	emit   func(otelwasm.Batch) error
	// Whether a batch is handled now, and what was last sent meanwhile.
	isHandling bool
	last       []byte
	isSent     bool
}

// during lets handle do what a batch's processor does, and says what becomes of the batch.
func (o *outlet) during(payload []byte, handle func() error) (otelwasm.Verdict, error) {
	o.isHandling = true
	// Also when it panics: nothing of this batch is sent with the next one.
	defer func() { o.isHandling, o.isSent, o.last = false, false, nil }()
	if err := handle(); err != nil {
		return otelwasm.Verdict{}, failure(err)
	}
	switch {
	case !o.isSent:
		return otelwasm.Drop, nil
	case bytes.Equal(payload, o.last):
		return otelwasm.Pass, nil
	case len(o.last) == 0:
		return otelwasm.Drop, nil
	}
	return otelwasm.Replace(o.last), nil
}

func (o *outlet) send(payload []byte, err error) error {
	if err != nil {
		return err
	}
	if !o.isHandling {
		return o.emit(otelwasm.Batch{Signal: o.signal, Payload: payload})
	}
	if o.isSent {
		if err := o.emit(otelwasm.Batch{Signal: o.signal, Payload: o.last}); err != nil {
			return err
		}
	}
	o.last, o.isSent = payload, true
	return nil
}

// next is the consumer after a processor.
type next struct{ *outlet }

func (next) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n next) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	return n.send(new(ptrace.ProtoMarshaler).MarshalTraces(traces))
}

func (n next) ConsumeMetrics(_ context.Context, metrics pmetric.Metrics) error {
	return n.send(new(pmetric.ProtoMarshaler).MarshalMetrics(metrics))
}

func (n next) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	return n.send(new(plog.ProtoMarshaler).MarshalLogs(logs))
}

func (n next) ConsumeProfiles(_ context.Context, profiles pprofile.Profiles) error {
	return n.send(new(pprofile.ProtoMarshaler).MarshalProfiles(profiles))
}
