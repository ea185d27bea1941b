// Change attributes as the Collector does: this is its own attributes processor.
package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/otelwasm/otelwasm/guests/sdk/go/collector"
)

func init() { collector.Processor(attributesprocessor.NewFactory()) }

func main() {}
