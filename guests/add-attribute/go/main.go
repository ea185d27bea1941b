// Set one attribute on every span, data point, log record and profile.
package main

import (
	"fmt"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pdata"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type Config struct {
	Key string `json:"key"`
	// A string, a bool or a number.
	Value any `json:"value"`
}

func init() {
	processor.Register(newAddAttribute, Config{
		Key:   "deployment.environment.name",
		Value: "production",
	})
}

type addAttribute struct {
	key   string
	value pcommon.Value
}

func newAddAttribute(config Config) (otelwasm.Processor, error) {
	switch config.Value.(type) {
	case string, bool, int64, float64:
	default:
		return nil, fmt.Errorf("config.value: expected string, bool, int or float, got %T", config.Value)
	}
	value := pcommon.NewValueEmpty()
	if err := value.FromRaw(config.Value); err != nil {
		return nil, err
	}
	return pdata.Processor(addAttribute{config.Key, value})
}

// set leaves the other attributes in their places.
func (a addAttribute) set(attributes pcommon.Map) {
	value, _ := attributes.GetOrPutEmpty(a.key)
	a.value.CopyTo(value)
}

func (a addAttribute) ProcessTraces(traces ptrace.Traces) (bool, error) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				a.set(span.Attributes())
			}
		}
	}
	return true, nil
}

func (a addAttribute) ProcessMetrics(metrics pmetric.Metrics) (bool, error) {
	for _, resource := range metrics.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				a.setOnPoints(metric)
			}
		}
	}
	return true, nil
}

func (a addAttribute) setOnPoints(metric pmetric.Metric) {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		for _, point := range metric.Gauge().DataPoints().All() {
			a.set(point.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, point := range metric.Sum().DataPoints().All() {
			a.set(point.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			a.set(point.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range metric.ExponentialHistogram().DataPoints().All() {
			a.set(point.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for _, point := range metric.Summary().DataPoints().All() {
			a.set(point.Attributes())
		}
	}
}

func (a addAttribute) ProcessLogs(logs plog.Logs) (bool, error) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				a.set(record.Attributes())
			}
		}
	}
	return true, nil
}

// ProcessProfiles writes the attribute where profiles have theirs: once, in the table that they
// share.
func (a addAttribute) ProcessProfiles(profiles pprofile.Profiles) (bool, error) {
	dictionary := profiles.Dictionary()
	key, err := pprofile.SetString(dictionary.StringTable(), a.key)
	if err != nil {
		return false, err
	}
	attribute := pprofile.NewKeyValueAndUnit()
	attribute.SetKeyStrindex(key)
	a.value.CopyTo(attribute.Value())
	place, err := pprofile.SetAttribute(dictionary.AttributeTable(), attribute)
	if err != nil {
		return false, err
	}
	for _, resource := range profiles.ResourceProfiles().All() {
		for _, scope := range resource.ScopeProfiles().All() {
			for _, profile := range scope.Profiles().All() {
				setIndex(profile.AttributeIndices(), dictionary, key, place)
			}
		}
	}
	return true, nil
}

func setIndex(indices pcommon.Int32Slice, dictionary pprofile.ProfilesDictionary, key, place int32) {
	table := dictionary.AttributeTable()
	for i, index := range indices.All() {
		if index >= 0 && int(index) < table.Len() && table.At(int(index)).KeyStrindex() == key {
			indices.SetAt(i, place)
			return
		}
	}
	indices.Append(place)
}

func main() {}
