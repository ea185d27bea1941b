// Drop spans, data points and log records that nobody wants to keep, as health checks.
package main

import (
	"regexp"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pdata"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
)

type Config struct {
	Drop []Condition `json:"drop"`
}

func init() {
	processor.Register(func(config Config) (otelwasm.Processor, error) {
		return pdata.Processor(filter{config})
	}, Config{})
}

type filter struct{ config Config }

// done says how many items met a condition, and whether any did.
func (f filter) done(signal otelwasm.Signal, dropped int) (bool, error) {
	if dropped > 0 {
		meter.Add("filter.dropped", float64(dropped), "signal", signal)
	}
	// A batch that is emptied by this is not sent on at all.
	return dropped > 0, nil
}

// Pattern matches a whole text.
type Pattern struct{ whole *regexp.Regexp }

// UnmarshalText compiles the pattern.
func (p *Pattern) UnmarshalText(text []byte) error {
	if _, err := regexp.Compile(string(text)); err != nil {
		return err
	}
	whole, err := regexp.Compile(`\A(?:` + string(text) + `)\z`)
	p.whole = whole
	return err
}

func main() {}
