package main

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Condition holds if all that is given holds, at least one thing; patterns match the whole text.
type Condition struct {
	// The name of a span, a metric or an event.
	Name *Pattern `json:"name"`
	// The text of a log record.
	Body *Pattern `json:"body"`
	// Log records below this severity number: 9 is where information begins, 17 where errors do.
	SeverityBelow *int32             `json:"severity_below"`
	Attributes    map[string]Pattern `json:"attributes"`
	Resource      map[string]Pattern `json:"resource"`
}

// item is what conditions look at, whatever it is.
type item struct {
	name       string
	attributes pcommon.Map
	resource   pcommon.Map
	// Of log records alone.
	body     pcommon.Value
	severity int32
}

// isFor says whether items of a signal can have all that is asked for.
func (c Condition) isFor(signal otelwasm.Signal) bool {
	switch {
	case (c.Body != nil || c.SeverityBelow != nil) && signal != otelwasm.Logs:
		return false
	case c.Name != nil && signal == otelwasm.Profiles:
		return false
	}
	return c.Name != nil || c.Body != nil || c.SeverityBelow != nil || len(c.Attributes)+len(c.Resource) > 0
}

func (c Condition) holds(of item) bool {
	// A severity of 0 means that the source did not say how severe it is.
	isBelow := c.SeverityBelow == nil || (of.severity > 0 && of.severity < *c.SeverityBelow)
	return isBelow &&
		(c.Name == nil || c.Name.whole.MatchString(of.name)) &&
		(c.Body == nil || c.Body.matches(of.body)) &&
		allMatch(c.Attributes, of.attributes) &&
		allMatch(c.Resource, of.resource)
}

func allMatch(patterns map[string]Pattern, attributes pcommon.Map) bool {
	for key, pattern := range patterns {
		value, ok := attributes.Get(key)
		if !ok || !pattern.matches(value) {
			return false
		}
	}
	return true
}

// matches takes a number by its digits.
func (p Pattern) matches(value pcommon.Value) bool {
	return value.Type() != pcommon.ValueTypeEmpty && p.whole.MatchString(value.AsString())
}

// conditions are those that can hold for items of a signal.
type conditions []Condition

func (f filter) conditions(signal otelwasm.Signal) (found conditions) {
	for _, condition := range f.config.Drop {
		if condition.isFor(signal) {
			found = append(found, condition)
		}
	}
	return found
}

// anyHolds counts what it holds for.
func (c conditions) anyHolds(of item, count *int) bool {
	for _, condition := range c {
		if condition.holds(of) {
			*count++
			return true
		}
	}
	return false
}
