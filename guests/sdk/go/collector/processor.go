package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	register "github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"
)

// Processor registers, from init, what factory makes as the plugin.
func Processor(factory processor.Factory) {
	register.Register(func(config json.RawMessage) (otelwasm.Processor, error) {
		return newPlugin(factory, config, pipeline.Emit)
	}, nil)
}

// plugin has a factory's processors, one for each signal, as the Collector has one in each pipeline.
type plugin struct {
	signals []otelwasm.Signal
	process map[otelwasm.Signal]process
	running []component.Component
}

// process handles the payload of one batch.
type process func(payload []byte) (otelwasm.Verdict, error)

// parts are what processors are made of.
type parts struct {
	factory  processor.Factory
	settings processor.Settings
	config   component.Config
	emit     func(otelwasm.Batch) error
}

func newPlugin(
	factory processor.Factory, config json.RawMessage, emit func(otelwasm.Batch) error,
) (*plugin, error) {
	of := parts{factory, settings(factory), factory.CreateDefaultConfig(), emit}
	if err := decode(config, of.config); err != nil {
		return nil, err
	}
	made := &plugin{process: map[otelwasm.Signal]process{}}
	var reasons, refusals []error
	for _, kind := range kinds {
		if kind.stability(factory) == component.StabilityLevelUndefined {
			continue
		}
		signal := kind.signal()
		made.signals = append(made.signals, signal)
		running, process, err := kind.start(of)
		if err != nil {
			// In the Collector that signal's pipeline would not start. Here the signals that will
			// come are not known yet, and what cannot be processed must not pass.
			refusal := otelwasm.Permanentf("%s cannot be processed: %v", signal, inOneLine(err))
			process = func([]byte) (otelwasm.Verdict, error) { return otelwasm.Verdict{}, refusal }
			reasons, refusals = append(reasons, err), append(refusals, refusal)
		} else {
			made.running = append(made.running, running)
		}
		made.process[signal] = process
	}
	if len(made.signals) == 0 {
		return nil, fmt.Errorf("the processor %s handles no signal", factory.Type())
	}
	if len(made.running) == 0 {
		return nil, inOneLine(reasons...)
	}
	for _, refusal := range refusals {
		of.settings.Logger.Warn(refusal.Error())
	}
	return made, nil
}

// Handles names the signals that the factory supports.
func (p *plugin) Handles() []otelwasm.Signal { return p.signals }

// Process lets the processor handle a batch.
func (p *plugin) Process(batch otelwasm.Batch) (otelwasm.Verdict, error) {
	process, ok := p.process[batch.Signal]
	if !ok {
		return otelwasm.Pass, nil
	}
	return process(batch.Payload)
}

// Tick lets what the processor does in the background go on: nothing else runs here meanwhile.
func (p *plugin) Tick() error {
	runtime.Gosched()
	return nil
}

// Stop lets the processors send what they hold back.
func (p *plugin) Stop() error {
	var failed []error
	for _, each := range p.running {
		failed = append(failed, each.Shutdown(context.Background()))
	}
	return failure(errors.Join(failed...))
}
