// Package guest runs the plugin that is registered: it is what the bindings call, in plain Go.
package guest

import (
	"errors"
	"fmt"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/config"
)

var (
	create func(config string) (any, error)
	plugin any
)

// Register keeps how the plugin is made from its configuration, until the host starts it.
func Register[Config, Plugin any](made func(Config) (Plugin, error), defaults Config) {
	if create != nil {
		panic("a plugin is registered already; a component holds one")
	}
	create = func(text string) (any, error) {
		settings := defaults
		if err := config.Decode(text, &settings); err != nil {
			return nil, err
		}
		return made(settings)
	}
}

// Abilities say what the plugin does.
type Abilities struct {
	Signals             []otelwasm.Signal
	Tick, Receive, Poll bool
}

// Start makes the plugin, and says what it does.
func Start(config string) (abilities Abilities, err error) {
	defer recovered(&err)
	if create == nil {
		return abilities, errors.New("no plugin is registered: call Register from the main package's init")
	}
	if plugin, err = create(config); err != nil {
		return abilities, err
	}
	if plugin == nil {
		return abilities, errors.New("the function that is registered made no plugin")
	}
	if handler, ok := as[otelwasm.Handler](plugin); ok {
		abilities.Signals = handler.Handles()
	} else {
		abilities.Signals = otelwasm.Signals
	}
	_, abilities.Tick = as[otelwasm.Ticker](plugin)
	_, abilities.Receive = as[otelwasm.Receiver](plugin)
	_, abilities.Poll = as[otelwasm.Poller](plugin)
	return abilities, nil
}

// as finds the interface in what a plugin is, or in what it stands before.
func as[Interface any](plugin any) (Interface, bool) {
	for {
		if found, ok := plugin.(Interface); ok {
			return found, true
		}
		wrapper, ok := plugin.(otelwasm.Unwrapper)
		if !ok {
			var none Interface
			return none, false
		}
		plugin = wrapper.Unwrap()
	}
}

// Tick lets the plugin do what is due.
func Tick() (err error) {
	defer recovered(&err)
	if ticker, ok := as[otelwasm.Ticker](plugin); ok {
		return ticker.Tick()
	}
	return nil
}

// Stop lets the plugin finish.
func Stop() (err error) {
	defer recovered(&err)
	if stopper, ok := as[otelwasm.Stopper](plugin); ok {
		return stopper.Stop()
	}
	return nil
}

// Process lets a processor handle a batch.
func Process(batch otelwasm.Batch) (verdict otelwasm.Verdict, err error) {
	defer recovered(&err)
	return plugin.(otelwasm.Processor).Process(batch)
}

// Send lets an exporter deliver a batch.
func Send(batch otelwasm.Batch) (receipt otelwasm.Receipt, err error) {
	defer recovered(&err)
	return plugin.(otelwasm.Exporter).Send(batch)
}

// Receive lets a receiver handle a message.
func Receive(message otelwasm.Message) (reply otelwasm.Reply, err error) {
	defer recovered(&err)
	receiver, ok := as[otelwasm.Receiver](plugin)
	if !ok {
		return reply, fmt.Errorf("%T has no method Receive", plugin)
	}
	if reply, err = receiver.Receive(message); err != nil {
		return reply, err
	}
	if reply.Status == 0 {
		reply.Status = 200
	}
	if reply.Status < 200 || reply.Status > 599 {
		return reply, fmt.Errorf("a reply's status is 200 to 599, not %d", reply.Status)
	}
	return reply, nil
}

// Poll lets a receiver look for something new.
func Poll() (next time.Duration, err error) {
	defer recovered(&err)
	poller, ok := as[otelwasm.Poller](plugin)
	if !ok {
		return 0, fmt.Errorf("%T has no method Poll", plugin)
	}
	return poller.Poll()
}
