// Package adapter makes plugins of what works on decoded batches, whatever decodes them.
package adapter

import (
	"fmt"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// Form is how payloads of one signal are decoded, counted and encoded.
type Form[Data any] struct {
	Signal otelwasm.Signal
	Decode func([]byte) (Data, error)
	Items  func(Data) int
	Encode func(Data) ([]byte, error)
}

func (f Form[Data]) read(payload []byte) (Data, error) {
	data, err := f.Decode(payload)
	if err != nil {
		err = otelwasm.Permanentf("the payload is no request of %s: %v", f.Signal, err)
	}
	return data, err
}

// Adapter holds what is done with a payload of each signal that the plugin handles.
type Adapter[Result any] struct {
	plugin  any
	signals []otelwasm.Signal
	by      [4]func(payload []byte) (Result, error)
}

// Handles names the signals that the plugin has a method for.
func (a *Adapter[Result]) Handles() []otelwasm.Signal { return a.signals }

// Unwrap returns the plugin, for its other methods.
func (a *Adapter[Result]) Unwrap() any { return a.plugin }

// Check says what is missing in a plugin that handles no signal.
func (a *Adapter[Result]) Check(verb, signals string) error {
	if len(a.signals) > 0 {
		return nil
	}
	return fmt.Errorf("%T has no method %s and then %s", a.plugin, verb, signals)
}

func (a *Adapter[Result]) add(signal otelwasm.Signal, what func([]byte) (Result, error)) {
	a.signals = append(a.signals, signal)
	a.by[signal] = what
}

func (a *Adapter[Result]) run(batch otelwasm.Batch) (result Result, err error) {
	if int(batch.Signal) >= len(a.by) || a.by[batch.Signal] == nil {
		return result, otelwasm.Permanentf("%T does not handle %s", a.plugin, batch.Signal)
	}
	return a.by[batch.Signal](batch.Payload)
}

// Processor is one of decoded batches.
type Processor struct{ Adapter[otelwasm.Verdict] }

// NewProcessor makes one that handles nothing yet.
func NewProcessor(plugin any) *Processor {
	return &Processor{Adapter[otelwasm.Verdict]{plugin: plugin}}
}

// Process handles one batch.
func (p *Processor) Process(batch otelwasm.Batch) (otelwasm.Verdict, error) { return p.run(batch) }

// Change lets change handle a signal: what it left as it was passes, what it emptied is dropped.
func Change[Data any](p *Processor, form Form[Data], change func(Data) (bool, error)) {
	p.add(form.Signal, func(payload []byte) (verdict otelwasm.Verdict, err error) {
		data, err := form.read(payload)
		if err != nil {
			return verdict, err
		}
		isChanged, err := change(data)
		switch {
		case err != nil:
			return verdict, err
		case !isChanged:
			return otelwasm.Pass, nil
		case form.Items(data) == 0:
			return otelwasm.Drop, nil
		}
		changed, err := form.Encode(data)
		return otelwasm.Replace(changed), err
	})
}

// Exporter is one of decoded batches.
type Exporter struct{ Adapter[otelwasm.Receipt] }

// NewExporter makes one that handles nothing yet.
func NewExporter(plugin any) *Exporter {
	return &Exporter{Adapter[otelwasm.Receipt]{plugin: plugin}}
}

// Send delivers one batch.
func (e *Exporter) Send(batch otelwasm.Batch) (otelwasm.Receipt, error) { return e.run(batch) }

// Deliver lets send handle a signal.
func Deliver[Data any](e *Exporter, form Form[Data], send func(Data) (otelwasm.Receipt, error)) {
	e.add(form.Signal, func(payload []byte) (receipt otelwasm.Receipt, err error) {
		data, err := form.read(payload)
		if err != nil {
			return receipt, err
		}
		return send(data)
	})
}
