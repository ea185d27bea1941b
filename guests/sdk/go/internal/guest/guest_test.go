package guest

import (
	"errors"
	"strings"
	"testing"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

type settings struct {
	Key string `json:"key"`
}

// started registers a plugin in place of the one before, and starts it.
func started(t *testing.T, made func(settings) (any, error), config string) (Abilities, error) {
	t.Helper()
	create, plugin = nil, nil
	Register(made, settings{Key: "default"})
	return Start(config)
}

type bare struct{ key string }

func (b bare) Process(otelwasm.Batch) (otelwasm.Verdict, error) {
	return otelwasm.Replace([]byte(b.key)), nil
}

type ticking struct{ bare }

func (ticking) Tick() error                  { return errors.New("tick") }
func (ticking) Stop() error                  { return errors.New("stop") }
func (ticking) Handles() []otelwasm.Signal   { return []otelwasm.Signal{otelwasm.Logs} }
func (ticking) Poll() (time.Duration, error) { return time.Minute, nil }

type wrapping struct{ otelwasm.Processor }

func (w wrapping) Unwrap() any { return w.Processor }

type receiving struct{ status int }

func (r receiving) Receive(otelwasm.Message) (otelwasm.Reply, error) {
	return otelwasm.Reply{Status: r.status}, nil
}

// What the configuration does not give is the default, a mistake is named.
func TestConfiguration(t *testing.T) {
	made := func(config settings) (any, error) { return bare{config.Key}, nil }
	for config, expected := range map[string]string{"{}": "default", `{"key": "given"}`: "given"} {
		_, err := started(t, made, config)
		verdict, failed := Process(otelwasm.Batch{})

		if payload, _ := verdict.Payload(otelwasm.Batch{}); err != nil || failed != nil || string(payload) != expected {
			t.Errorf("%s: %v, %v, %s", config, err, failed, payload)
		}
	}

	_, err := started(t, made, `{"kye": "x"}`)

	if err == nil || err.Error() != "config.kye: unknown key; known keys: key" {
		t.Error(err)
	}
}

// Abilities are the methods that a plugin, or what it stands before, has.
func TestAbilities(t *testing.T) {
	for _, each := range []struct {
		plugin   any
		expected Abilities
	}{
		{bare{}, Abilities{Signals: otelwasm.Signals}},
		{ticking{}, Abilities{Signals: []otelwasm.Signal{otelwasm.Logs}, Tick: true, Poll: true}},
		{wrapping{ticking{}}, Abilities{Signals: []otelwasm.Signal{otelwasm.Logs}, Tick: true, Poll: true}},
		{receiving{}, Abilities{Signals: otelwasm.Signals, Receive: true}},
	} {
		does, err := started(t, func(settings) (any, error) { return each.plugin, nil }, "{}")

		same := len(does.Signals) == len(each.expected.Signals) &&
			does.Tick == each.expected.Tick &&
			does.Receive == each.expected.Receive &&
			does.Poll == each.expected.Poll
		if err != nil || !same {
			t.Errorf("%T: %v, %+v", each.plugin, err, does)
		}
	}
}

// Without a plugin, or with two, the message says what to do.
func TestRegistering(t *testing.T) {
	create = nil

	if _, err := Start("{}"); err == nil || !strings.Contains(err.Error(), "call Register") {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second plugin was taken")
		}
	}()
	made := func(settings) (any, error) { return bare{}, nil }
	Register(made, settings{})
	Register(made, settings{})
}

// A reply has a status that HTTP has; none is 200.
func TestReplies(t *testing.T) {
	for status, expected := range map[int]int{0: 200, 202: 202, 599: 599, 100: 0, 600: 0} {
		if _, err := started(t, func(settings) (any, error) { return receiving{status}, nil }, "{}"); err != nil {
			t.Fatal(err)
		}

		reply, err := Receive(otelwasm.Message{})

		if (err == nil) != (expected > 0) || (err == nil && reply.Status != expected) {
			t.Errorf("%d: %+v, %v", status, reply, err)
		}
	}
}
