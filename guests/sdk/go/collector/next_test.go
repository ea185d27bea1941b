package collector

import (
	"context"
	"slices"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
)

// twice is a processor that sends what it gets two times; a batch of the name "panic" makes it
// panic in between. What it gets is sent once more at its end.
type twice struct {
	component.StartFunc
	next consumer.Traces
	held []ptrace.Traces
}

func (*twice) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (t *twice) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	span := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	name := span.Name()
	span.SetName(name + " 1")
	if err := t.next.ConsumeTraces(ctx, traces); err != nil {
		return err
	}
	if name == "panic" {
		panic(name)
	}
	span.SetName(name + " 2")
	t.held = append(t.held, traces)
	return t.next.ConsumeTraces(ctx, traces)
}

func (t *twice) Shutdown(ctx context.Context) error {
	for _, traces := range t.held {
		if err := t.next.ConsumeTraces(ctx, traces); err != nil {
			return err
		}
	}
	return nil
}

var twiceFactory = processor.NewFactory(
	component.MustNewType("twice"),
	func() component.Config { return &struct{}{} },
	processor.WithTraces(func(
		_ context.Context, _ processor.Settings, _ component.Config, next consumer.Traces,
	) (processor.Traces, error) {
		return &twice{next: next}, nil
	}, component.StabilityLevelStable),
)

// The last of the batches that are sent for one takes its place; those before it are emitted, and
// so is what is sent at the end.
func TestSeveralBatchesForOne(t *testing.T) {
	made, sent := started(t, twiceFactory, `{}`)
	verdict, err := made.Process(aBatch("a"))
	if err != nil || shown(verdict) != "a 2" {
		t.Errorf("expected a 2, got %s, %v", shown(verdict), err)
	}
	if err := made.Stop(); err != nil {
		t.Error(err)
	}
	if expected := []string{"a 1", "a 2"}; !slices.Equal(expected, *sent) {
		t.Errorf("expected %v, got %v", expected, *sent)
	}
}

// A batch that could not be emitted fails the one that it was made from, as the next step says.
func TestBatchThatIsNotAccepted(t *testing.T) {
	full := otelwasm.Retryable{Reason: "full"}
	made, err := newPlugin(twiceFactory, []byte(`{}`), func(otelwasm.Batch) error { return full })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Process(aBatch("a")); err != full {
		t.Errorf("expected %#v, got %#v", full, err)
	}
}

// What was sent before a panic does not come out with a later batch.
func TestPanics(t *testing.T) {
	made, sent := started(t, twiceFactory, `{}`)
	func() {
		defer func() { _ = recover() }()
		_, _ = made.Process(aBatch("panic"))
	}()
	if verdict, err := made.Process(aBatch("b")); err != nil || shown(verdict) != "b 2" {
		t.Errorf("expected b 2, got %s, %v", shown(verdict), err)
	}
	if expected := []string{"b 1"}; !slices.Equal(expected, *sent) {
		t.Errorf("expected %v, got %v", expected, *sent)
	}
}
