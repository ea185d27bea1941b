package main

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// What is emptied by dropping goes as well; what came in empty stays.

func (f filter) ProcessTraces(traces ptrace.Traces) (bool, error) {
	conditions, dropped := f.conditions(otelwasm.Traces), 0
	traces.ResourceSpans().RemoveIf(func(resource ptrace.ResourceSpans) bool {
		around := resource.Resource().Attributes()
		return emptied(resource.ScopeSpans(), func(scope ptrace.ScopeSpans) bool {
			return emptied(scope.Spans(), func(span ptrace.Span) bool {
				it := item{name: span.Name(), attributes: span.Attributes(), resource: around}
				return conditions.anyHolds(it, &dropped)
			})
		})
	})
	return f.done(otelwasm.Traces, dropped)
}

func (f filter) ProcessLogs(logs plog.Logs) (bool, error) {
	conditions, dropped := f.conditions(otelwasm.Logs), 0
	logs.ResourceLogs().RemoveIf(func(resource plog.ResourceLogs) bool {
		around := resource.Resource().Attributes()
		return emptied(resource.ScopeLogs(), func(scope plog.ScopeLogs) bool {
			return emptied(scope.LogRecords(), func(record plog.LogRecord) bool {
				return conditions.anyHolds(item{
					name:       record.EventName(),
					attributes: record.Attributes(),
					resource:   around,
					body:       record.Body(),
					severity:   int32(record.SeverityNumber()),
				}, &dropped)
			})
		})
	})
	return f.done(otelwasm.Logs, dropped)
}

func (f filter) ProcessMetrics(metrics pmetric.Metrics) (bool, error) {
	conditions, dropped := f.conditions(otelwasm.Metrics), 0
	metrics.ResourceMetrics().RemoveIf(func(resource pmetric.ResourceMetrics) bool {
		around := resource.Resource().Attributes()
		return emptied(resource.ScopeMetrics(), func(scope pmetric.ScopeMetrics) bool {
			return emptied(scope.Metrics(), func(metric pmetric.Metric) bool {
				return emptiedOfPoints(metric, func(attributes pcommon.Map) bool {
					it := item{name: metric.Name(), attributes: attributes, resource: around}
					return conditions.anyHolds(it, &dropped)
				})
			})
		})
	})
	return f.done(otelwasm.Metrics, dropped)
}

func (f filter) ProcessProfiles(profiles pprofile.Profiles) (bool, error) {
	conditions, dropped := f.conditions(otelwasm.Profiles), 0
	dictionary := profiles.Dictionary()
	var unreadable error
	profiles.ResourceProfiles().RemoveIf(func(resource pprofile.ResourceProfiles) bool {
		around := resource.Resource().Attributes()
		return emptied(resource.ScopeProfiles(), func(scope pprofile.ScopeProfiles) bool {
			return emptied(scope.Profiles(), func(profile pprofile.Profile) bool {
				attributes, err := pprofile.FromAttributeIndices(dictionary.AttributeTable(), profile, dictionary)
				if err != nil {
					unreadable = err
					return false
				}
				return conditions.anyHolds(item{attributes: attributes, resource: around}, &dropped)
			})
		})
	})
	if unreadable != nil {
		return false, unreadable
	}
	return f.done(otelwasm.Profiles, dropped)
}

type slice[Member any] interface {
	Len() int
	RemoveIf(func(Member) bool)
}

// emptied removes members of a slice, and says whether it holds none any more.
func emptied[Member any](members slice[Member], isGone func(Member) bool) bool {
	before := members.Len()
	members.RemoveIf(isGone)
	return before > 0 && members.Len() == 0
}

func emptiedOfPoints(metric pmetric.Metric, isGone func(pcommon.Map) bool) bool {
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		return emptied(metric.Gauge().DataPoints(), onAttributes[pmetric.NumberDataPoint](isGone))
	case pmetric.MetricTypeSum:
		return emptied(metric.Sum().DataPoints(), onAttributes[pmetric.NumberDataPoint](isGone))
	case pmetric.MetricTypeHistogram:
		return emptied(metric.Histogram().DataPoints(), onAttributes[pmetric.HistogramDataPoint](isGone))
	case pmetric.MetricTypeExponentialHistogram:
		return emptied(metric.ExponentialHistogram().DataPoints(), onAttributes[pmetric.ExponentialHistogramDataPoint](isGone))
	case pmetric.MetricTypeSummary:
		return emptied(metric.Summary().DataPoints(), onAttributes[pmetric.SummaryDataPoint](isGone))
	default:
		return false
	}
}

func onAttributes[Point interface{ Attributes() pcommon.Map }](isGone func(pcommon.Map) bool) func(Point) bool {
	return func(point Point) bool { return isGone(point.Attributes()) }
}
