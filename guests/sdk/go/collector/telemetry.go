package collector

import (
	"context"

	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	traces "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// helper is the scope of the items and durations that the Collector counts for every processor;
// the host counts them itself.
const helper = "go.opentelemetry.io/collector/processor/processorhelper"

// settings tell a processor who it is, and where its own telemetry goes.
func settings(factory processor.Factory) processor.Settings {
	return processor.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger:         zap.New(logged{}),
			TracerProvider: traces.NewTracerProvider(),
			MeterProvider:  meters{},
			Resource:       pcommon.NewResource(),
		},
		BuildInfo: component.BuildInfo{Command: "otelwasm", Description: "otelwasm"},
	}
}

// meters give what a processor counts and what it measures in histograms to the host's metrics.
// Gauges, up-down counters and observable instruments, which the host has no place for, count
// nothing.
type meters struct{ noop.MeterProvider }

func (meters) Meter(name string, _ ...metric.MeterOption) metric.Meter {
	if name == helper {
		return noop.Meter{}
	}
	return hosts{}
}

type hosts struct{ noop.Meter }

func (hosts) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return intCounter{name: name}, nil
}

func (hosts) Float64Counter(name string, _ ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return floatCounter{name: name}, nil
}

func (hosts) Int64Histogram(name string, _ ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	return intHistogram{name: name}, nil
}

func (hosts) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return floatHistogram{name: name}, nil
}

type (
	intCounter struct {
		noop.Int64Counter
		name string
	}
	floatCounter struct {
		noop.Float64Counter
		name string
	}
	intHistogram struct {
		noop.Int64Histogram
		name string
	}
	floatHistogram struct {
		noop.Float64Histogram
		name string
	}
)

func (c intCounter) Enabled(context.Context) bool     { return true }
func (c floatCounter) Enabled(context.Context) bool   { return true }
func (h intHistogram) Enabled(context.Context) bool   { return true }
func (h floatHistogram) Enabled(context.Context) bool { return true }

func (c intCounter) Add(_ context.Context, amount int64, options ...metric.AddOption) {
	meter.Add(c.name, float64(amount), pairs(metric.NewAddConfig(options).Attributes())...)
}

func (c floatCounter) Add(_ context.Context, amount float64, options ...metric.AddOption) {
	meter.Add(c.name, amount, pairs(metric.NewAddConfig(options).Attributes())...)
}

func (h intHistogram) Record(_ context.Context, value int64, options ...metric.RecordOption) {
	meter.Observe(h.name, float64(value), pairs(metric.NewRecordConfig(options).Attributes())...)
}

func (h floatHistogram) Record(_ context.Context, value float64, options ...metric.RecordOption) {
	meter.Observe(h.name, value, pairs(metric.NewRecordConfig(options).Attributes())...)
}

func pairs(attributes attribute.Set) []any {
	var given []any
	for _, each := range attributes.ToSlice() {
		given = append(given, string(each.Key), each.Value.Emit())
	}
	return given
}
