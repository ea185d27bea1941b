// Drop what conditions in OTTL say: this is the Collector's own filter processor.
package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/otelwasm/otelwasm/guests/sdk/go/collector"
)

func init() { collector.Processor(filterprocessor.NewFactory()) }

func main() {}
