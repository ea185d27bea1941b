// Package meter counts and measures, in the host's own metrics:
//
//	meter.Add("spans.dropped", 3, "reason", "noise")
package meter

import "github.com/otelwasm/otelwasm/guests/sdk/go/internal/host"

// Add adds amount to the counter name. Attributes are names and values, in turn.
func Add(name string, amount float64, attributes ...any) {
	host.Add(name, amount, host.Pairs(attributes))
}

// Observe records value in the distribution name. Attributes are names and values, in turn.
func Observe(name string, value float64, attributes ...any) {
	host.Observe(name, value, host.Pairs(attributes))
}
