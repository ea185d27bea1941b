//go:build wasip1

// Package exports is what the bindings call when the host calls the plugin: it opens the garbage
// collector's time, and says in the contract's types what the plugin says in the SDK's.
package exports

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	exporting "github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_exporting"
	processing "github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_processing"
	receiving "github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_receiving"
	contract "github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_types"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/collector"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/guest"
	wit "github.com/otelwasm/otelwasm/guests/sdk/go/internal/wit/types"
)

type failure = contract.Failure

// Start makes the plugin from its configuration.
func Start(config string) wit.Result[contract.Abilities, string] {
	collector.Enter()
	defer collector.Leave()
	does, err := guest.Start(config)
	if err != nil {
		return wit.Err[contract.Abilities](reason(err))
	}
	var abilities contract.Abilities
	for _, signal := range does.Signals {
		abilities |= 1 << signal
	}
	for ability, is := range map[contract.Abilities]bool{
		contract.Abilities_Tick:    does.Tick,
		contract.Abilities_Receive: does.Receive,
		contract.Abilities_Poll:    does.Poll,
	} {
		if is {
			abilities |= ability
		}
	}
	return wit.Ok[contract.Abilities, string](abilities)
}

// Tick lets the plugin do what is due.
func Tick() wit.Result[wit.Unit, failure] {
	collector.Enter()
	defer collector.Leave()
	return answered(wit.Unit{}, guest.Tick())
}

// Stop lets the plugin finish.
func Stop() wit.Result[wit.Unit, failure] {
	collector.Enter()
	defer collector.Leave()
	return answered(wit.Unit{}, guest.Stop())
}

// Process lets a processor handle a batch.
func Process(signal contract.Signal, payload []byte) wit.Result[processing.Verdict, failure] {
	collector.Enter()
	defer collector.Leave()
	batch := otelwasm.Batch{Signal: otelwasm.Signal(signal), Payload: payload}
	verdict, err := guest.Process(batch)
	changed, isSent := verdict.Payload(batch)
	switch {
	case err != nil:
		return answered(processing.Verdict{}, err)
	case verdict.IsPass():
		return answered(processing.MakeVerdictPass(), nil)
	case isSent:
		return answered(processing.MakeVerdictReplace(changed), nil)
	default:
		return answered(processing.MakeVerdictDrop(), nil)
	}
}

// Send lets an exporter deliver a batch.
func Send(signal contract.Signal, payload []byte) wit.Result[exporting.Receipt, failure] {
	collector.Enter()
	defer collector.Leave()
	receipt, err := guest.Send(otelwasm.Batch{Signal: otelwasm.Signal(signal), Payload: payload})
	return answered(exporting.Receipt{
		Rejected: receipt.Rejected,
		Message:  valid(receipt.Message),
	}, err)
}

// Receive lets a receiver handle a message.
func Receive(message receiving.Message) wit.Result[receiving.Reply, failure] {
	collector.Enter()
	defer collector.Leave()
	given := otelwasm.Message{
		Peer:   message.Peer,
		Method: message.Method,
		Target: message.Target,
		Body:   message.Body,
	}
	for _, header := range message.Headers {
		given.Headers = append(given.Headers, otelwasm.Header{Name: header.F0, Value: header.F1})
	}
	reply, err := guest.Receive(given)
	said := receiving.Reply{Status: uint16(reply.Status), Body: reply.Body}
	for _, header := range reply.Headers {
		pair := wit.Tuple2[string, string]{F0: valid(header.Name), F1: valid(header.Value)}
		said.Headers = append(said.Headers, pair)
	}
	return answered(said, err)
}

// Poll lets a receiver look for something new.
func Poll() wit.Result[wit.Option[uint32], failure] {
	collector.Enter()
	defer collector.Leave()
	next, err := guest.Poll()
	return answered(milliseconds(next), err)
}

func answered[Value any](value Value, err error) wit.Result[Value, failure] {
	if err == nil {
		return wit.Ok[Value, failure](value)
	}
	var retryable otelwasm.Retryable
	if errors.As(err, &retryable) {
		return wit.Err[Value](contract.MakeFailureRetryable(contract.Retry{
			Reason:  reason(err),
			AfterMs: milliseconds(retryable.After),
		}))
	}
	return wit.Err[Value](contract.MakeFailurePermanent(reason(err)))
}

// reason is what an error says, and what a plugin has in the place of what led to it: what Go says
// of files and networks in WebAssembly is true and of no help.
func reason(err error) string {
	var file *fs.PathError
	// As the errors of package net are, which is large and thus not named here.
	var network interface {
		error
		Temporary() bool
		Unwrap() error
	}
	text := valid(err.Error())
	switch {
	case errors.As(err, &file):
		text += "; a plugin has no files: //go:embed puts one into it, settings go into its config"
	case errors.As(err, &network):
		text += "; a plugin opens no sockets: the SDK's package http sends requests, to the URLs" +
			" that the pipeline's configuration allows"
	}
	return text
}

// milliseconds is none for 0, and rounds up.
func milliseconds(duration time.Duration) wit.Option[uint32] {
	if duration <= 0 {
		return wit.None[uint32]()
	}
	count := (duration + time.Millisecond - 1) / time.Millisecond
	return wit.Some(uint32(min(count, math.MaxUint32)))
}

// valid makes text what WIT's strings are: UTF-8.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
