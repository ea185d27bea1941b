package main

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Attributes stand on resources and scopes, on items, and on what items hold.

func (r *redact) ProcessTraces(traces ptrace.Traces) (isChanged bool, err error) {
	for _, resource := range traces.ResourceSpans().All() {
		isChanged = r.attributes(resource.Resource().Attributes()) || isChanged
		for _, scope := range resource.ScopeSpans().All() {
			isChanged = r.attributes(scope.Scope().Attributes()) || isChanged
			for _, span := range scope.Spans().All() {
				isChanged = r.span(span) || isChanged
			}
		}
	}
	return isChanged, nil
}

func (r *redact) span(span ptrace.Span) bool {
	isChanged := r.attributes(span.Attributes())
	for _, event := range span.Events().All() {
		isChanged = r.attributes(event.Attributes()) || isChanged
	}
	for _, link := range span.Links().All() {
		isChanged = r.attributes(link.Attributes()) || isChanged
	}
	return isChanged
}

func (r *redact) ProcessLogs(logs plog.Logs) (isChanged bool, err error) {
	for _, resource := range logs.ResourceLogs().All() {
		isChanged = r.attributes(resource.Resource().Attributes()) || isChanged
		for _, scope := range resource.ScopeLogs().All() {
			isChanged = r.attributes(scope.Scope().Attributes()) || isChanged
			for _, record := range scope.LogRecords().All() {
				isChanged = r.attributes(record.Attributes()) || isChanged
				isChanged = r.config.Mask.apply(record.Body()) || isChanged
			}
		}
	}
	return isChanged, nil
}

func (r *redact) ProcessMetrics(metrics pmetric.Metrics) (isChanged bool, err error) {
	for _, resource := range metrics.ResourceMetrics().All() {
		isChanged = r.attributes(resource.Resource().Attributes()) || isChanged
		for _, scope := range resource.ScopeMetrics().All() {
			isChanged = r.attributes(scope.Scope().Attributes()) || isChanged
			for _, metric := range scope.Metrics().All() {
				isChanged = r.metric(metric) || isChanged
			}
		}
	}
	return isChanged, nil
}

func (r *redact) metric(metric pmetric.Metric) bool {
	isChanged := r.attributes(metric.Metadata())
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		for _, point := range metric.Gauge().DataPoints().All() {
			isChanged = r.point(point.Attributes(), point.Exemplars()) || isChanged
		}
	case pmetric.MetricTypeSum:
		for _, point := range metric.Sum().DataPoints().All() {
			isChanged = r.point(point.Attributes(), point.Exemplars()) || isChanged
		}
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			isChanged = r.point(point.Attributes(), point.Exemplars()) || isChanged
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range metric.ExponentialHistogram().DataPoints().All() {
			isChanged = r.point(point.Attributes(), point.Exemplars()) || isChanged
		}
	case pmetric.MetricTypeSummary:
		for _, point := range metric.Summary().DataPoints().All() {
			isChanged = r.attributes(point.Attributes()) || isChanged
		}
	}
	return isChanged
}

func (r *redact) point(attributes pcommon.Map, exemplars pmetric.ExemplarSlice) bool {
	isChanged := r.attributes(attributes)
	for _, exemplar := range exemplars.All() {
		isChanged = r.attributes(exemplar.FilteredAttributes()) || isChanged
	}
	return isChanged
}

// ProcessProfiles redacts the table in which the attributes of all profiles stand.
func (r *redact) ProcessProfiles(profiles pprofile.Profiles) (isChanged bool, err error) {
	for _, resource := range profiles.ResourceProfiles().All() {
		isChanged = r.attributes(resource.Resource().Attributes()) || isChanged
		for _, scope := range resource.ScopeProfiles().All() {
			isChanged = r.attributes(scope.Scope().Attributes()) || isChanged
		}
	}
	names := profiles.Dictionary().StringTable()
	for _, attribute := range profiles.Dictionary().AttributeTable().All() {
		key := int(attribute.KeyStrindex())
		if key >= 0 && key < names.Len() && r.hashed[names.At(key)] {
			attribute.Value().SetStr(hash(attribute.Value(), r.config.Salt))
			isChanged = true
		}
		isChanged = r.config.Mask.apply(attribute.Value()) || isChanged
	}
	return isChanged, nil
}
