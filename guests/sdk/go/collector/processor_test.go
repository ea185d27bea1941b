package collector

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
)

type config struct {
	Name string `mapstructure:"name"`
	Size int    `mapstructure:"size"`
}

func (c *config) Validate() error {
	if c.Size < 0 {
		return errors.New("size must not be negative")
	}
	return nil
}

// A factory whose processor of traces does what change says, and that cannot process logs when
// its name is "no logs".
func factory(change func(*config, ptrace.Traces) (ptrace.Traces, error)) processor.Factory {
	return processor.NewFactory(
		component.MustNewType("trial"),
		func() component.Config { return &config{Name: "default"} },
		processor.WithTraces(func(
			ctx context.Context, set processor.Settings, given component.Config, next consumer.Traces,
		) (processor.Traces, error) {
			return processorhelper.NewTraces(ctx, set, given, next,
				func(_ context.Context, traces ptrace.Traces) (ptrace.Traces, error) {
					return change(given.(*config), traces)
				})
		}, component.StabilityLevelStable),
		processor.WithLogs(func(
			ctx context.Context, set processor.Settings, given component.Config, next consumer.Logs,
		) (processor.Logs, error) {
			if given.(*config).Name == "no logs" {
				return nil, errors.New("there is nothing to do for logs")
			}
			return processorhelper.NewLogs(ctx, set, given, next,
				func(_ context.Context, logs plog.Logs) (plog.Logs, error) { return logs, nil })
		}, component.StabilityLevelStable),
	)
}

func rename(given *config, traces ptrace.Traces) (ptrace.Traces, error) {
	traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetName(given.Name)
	return traces, nil
}

func fails(err error) func(*config, ptrace.Traces) (ptrace.Traces, error) {
	return func(_ *config, traces ptrace.Traces) (ptrace.Traces, error) { return traces, err }
}

// What is emitted, by the names of its first spans.
type emitted []string

func (e *emitted) emit(batch otelwasm.Batch) error {
	*e = append(*e, nameOf(batch.Payload))
	return nil
}

func started(t *testing.T, factory processor.Factory, config string) (*plugin, *emitted) {
	t.Helper()
	sent := &emitted{}
	made, err := newPlugin(factory, json.RawMessage(config), sent.emit)
	if err != nil {
		t.Fatal(err)
	}
	return made, sent
}

func aBatch(name string) otelwasm.Batch {
	traces := ptrace.NewTraces()
	traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(name)
	payload, _ := new(ptrace.ProtoMarshaler).MarshalTraces(traces)
	return otelwasm.Batch{Signal: otelwasm.Traces, Payload: payload}
}

func nameOf(payload []byte) string {
	traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(payload)
	if err != nil {
		return err.Error()
	}
	return traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Name()
}

// What a verdict is: "pass", "drop", or the name that replaces the batch's.
func shown(verdict otelwasm.Verdict) string {
	if verdict.IsPass() {
		return "pass"
	}
	payload, isSent := verdict.Payload(otelwasm.Batch{})
	if !isSent {
		return "drop"
	}
	return nameOf(payload)
}

// What a processor does with a batch is the verdict.
func TestVerdicts(t *testing.T) {
	for name, trial := range map[string]struct {
		expected string
		change   func(*config, ptrace.Traces) (ptrace.Traces, error)
	}{
		"changed":   {"new", rename},
		"untouched": {"pass", fails(nil)},
		"consumed":  {"drop", fails(processorhelper.ErrSkipProcessingData)},
		"emptied": {"drop", func(*config, ptrace.Traces) (ptrace.Traces, error) {
			return ptrace.NewTraces(), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			made, sent := started(t, factory(trial.change), `{"name": "new"}`)
			verdict, err := made.Process(aBatch("old"))
			if err != nil || shown(verdict) != trial.expected || len(*sent) != 0 {
				t.Errorf("expected %s, got %s, emitted %v, %v", trial.expected, shown(verdict), *sent, err)
			}
		})
	}
}

// A plugin handles the signals that its factory supports, and no others.
func TestSignals(t *testing.T) {
	made, _ := started(t, factory(rename), `{}`)
	if handled := made.Handles(); len(handled) != 2 ||
		handled[0] != otelwasm.Traces || handled[1] != otelwasm.Logs {
		t.Errorf("expected traces and logs, got %v", handled)
	}
}

// What the configuration does not fit is one line of text, and nothing starts.
func TestConfigurations(t *testing.T) {
	for given, expected := range map[string]string{
		`{"nme": "a"}`:     "'collector.config' has invalid keys: nme",
		`{"size": "many"}`: "'size' expected type 'int', got unconvertible type 'string'",
		`{"size": -1}`:     "size must not be negative",
	} {
		_, err := newPlugin(factory(rename), json.RawMessage(given), nil)
		if err == nil || !strings.Contains(err.Error(), expected) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: expected %q, got %q", given, expected, err)
		}
	}
}

// Batches of a signal that the configuration does not fit are refused; those of others are not.
func TestSignalThatCannotBeProcessed(t *testing.T) {
	made, _ := started(t, factory(rename), `{"name": "no logs"}`)
	if verdict, err := made.Process(aBatch("old")); err != nil || shown(verdict) != "no logs" {
		t.Errorf("expected the traces to be processed, got %v", err)
	}
	_, err := made.Process(otelwasm.Batch{Signal: otelwasm.Logs})
	var permanent otelwasm.Permanent
	if !errors.As(err, &permanent) || !strings.Contains(err.Error(), "nothing to do for logs") {
		t.Errorf("expected a permanent failure that says why, got %v", err)
	}
}

// An error is permanent if the Collector takes it for that, and else retryable.
func TestFailures(t *testing.T) {
	permanent, retryable := otelwasm.Permanent{Reason: "p"}, otelwasm.Retryable{Reason: "r", After: time.Second}
	for name, trial := range map[string]struct {
		given       error
		isPermanent bool
		after       time.Duration
	}{
		"plain":               {errors.New("a"), false, 0},
		"permanent":           {consumererror.NewPermanent(errors.New("a")), true, 0},
		"wrapped":             {errors.Join(errors.New("b"), consumererror.NewPermanent(errors.New("a"))), true, 0},
		"of a status":         {consumererror.NewOTLPHTTPError(errors.New("a"), 400), true, 0},
		"of a passing status": {consumererror.NewOTLPHTTPError(errors.New("a"), 503), false, 0},
		"of the next step":    {errors.Join(retryable), false, time.Second},
		"permanent there":     {errors.Join(permanent), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			made, _ := started(t, factory(fails(trial.given)), `{}`)
			_, err := made.Process(aBatch("old"))
			switch err := err.(type) {
			case otelwasm.Permanent:
				if !trial.isPermanent {
					t.Errorf("expected a retryable failure, got %#v", err)
				}
			case otelwasm.Retryable:
				if trial.isPermanent || err.After != trial.after {
					t.Errorf("expected permanent %v, after %v; got %#v", trial.isPermanent, trial.after, err)
				}
			default:
				t.Errorf("expected a failure, got %#v", err)
			}
			if err.Error() != trial.given.Error() {
				t.Errorf("expected %q, got %q", trial.given, err)
			}
		})
	}
}

// A payload that is no request is a permanent failure.
func TestMalformedPayload(t *testing.T) {
	made, _ := started(t, factory(rename), `{}`)
	_, err := made.Process(otelwasm.Batch{Signal: otelwasm.Traces, Payload: []byte{0xff}})
	if _, isPermanent := err.(otelwasm.Permanent); !isPermanent {
		t.Errorf("expected a permanent failure, got %#v", err)
	}
}
