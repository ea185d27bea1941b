// Package hosttest stands for the host in a plugin's own tests, which are native:
//
//	host := hosttest.Start(t)
//	host.Answer = func(http.Request) (http.Response, error) { return http.Response{Status: 503}, nil }
//
// What the plugin emits, measures and keeps is in host then. What it logs goes where the test's
// default logger of log/slog writes it.
package hosttest

import (
	"bytes"
	"sync/atomic"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/host"
)

// Host is in the host's place until its test ends.
type Host struct {
	// Emitted are the batches that were accepted, in order.
	Emitted []otelwasm.Batch
	// Refusal is what Emit returns, as for a full queue; nil takes what is emitted.
	Refusal error
	// Measured are the calls of the package meter, in order.
	Measured []Measurement
	// State is what the plugin keeps.
	State map[string][]byte
	// Answer is what servers say, or one of the package http's errors; without it, the host allows no
	// request.
	Answer func(http.Request) (http.Response, error)
}

// Measurement is a call of meter.Add or meter.Observe: an amount, or a value.
type Measurement struct {
	Name       string
	Value      float64
	Attributes map[string]string
}

// There is one host, as there is one plugin in a component.
var taken atomic.Bool

// Start puts a host without any state in place, and takes it away when the test ends. Tests that
// have one do not run in parallel.
func Start(t testing.TB) *Host {
	t.Helper()
	if taken.Swap(true) {
		t.Fatal("another host is in place, of this test or of one that runs in parallel")
	}
	before := host.StandIn
	started := &Host{State: map[string][]byte{}}
	host.StandIn = standIn{started}
	t.Cleanup(func() {
		host.StandIn = before
		taken.Store(false)
	})
	return started
}

// standIn keeps the functions that the host's packages call out of an author's sight.
type standIn struct{ *Host }

func (s standIn) Emit(batch otelwasm.Batch) error {
	if s.Refusal != nil {
		return s.Refusal
	}
	batch.Payload = bytes.Clone(batch.Payload)
	s.Emitted = append(s.Emitted, batch)
	return nil
}

func (s standIn) Add(name string, amount float64, pairs []host.Pair) {
	attributes := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		attributes[pair.Name] = pair.Value
	}
	s.Measured = append(s.Measured, Measurement{name, amount, attributes})
}

func (s standIn) Observe(name string, value float64, pairs []host.Pair) { s.Add(name, value, pairs) }

func (s standIn) StateGet(key string) ([]byte, bool, error) {
	value, isFound := s.State[key]
	return bytes.Clone(value), isFound, nil
}

func (s standIn) StateSet(key string, value []byte) error {
	s.State[key] = bytes.Clone(value)
	return nil
}

func (s standIn) StateDelete(key string) error {
	delete(s.State, key)
	return nil
}

func (s standIn) Send(request host.Request) (host.Response, error) {
	if s.Answer == nil {
		reason := request.URL + ": the test's host has no Answer"
		return host.Response{}, host.NoResponse(host.ErrRefused, reason)
	}
	response, err := s.Answer(http.Request(request))
	if err != nil {
		err = host.NoResponse(err, err.Error())
	}
	return host.Response(response), err
}
