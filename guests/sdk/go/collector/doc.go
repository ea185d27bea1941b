// Package collector runs a processor of the OpenTelemetry Collector as a plugin:
//
//	package main
//
//	import (
//		"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
//		"github.com/otelwasm/otelwasm/guests/sdk/go/collector"
//	)
//
//	func init() { collector.Processor(filterprocessor.NewFactory()) }
//
//	func main() {}
//
// The plugin's config is the processor's own, key for key, and it handles the signals that the
// processor handles. What it logs and counts goes to the host's log and metrics.
//
// A processor that answers each batch while it handles it works as in the Collector. One that
// works in the background does so only while the host calls: README.md beside this file says what
// follows from that, and which processors were tried.
package collector
