// Package processor registers a plugin that changes, drops, holds back or makes batches.
//
// A component that imports it targets the contract's world processor.
package processor

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/guest"
)

// Register says, from init, how the plugin is made from its configuration. What the
// configuration does not give stays as defaults has it; a mistake in it is an error that names
// the key, and so is what create refuses: nothing starts then.
func Register[Config any](create func(Config) (otelwasm.Processor, error), defaults Config) {
	guest.Register(create, defaults)
}
