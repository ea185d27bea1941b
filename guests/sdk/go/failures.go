package otelwasm

import (
	"fmt"
	"time"
)

// Permanent says that trying a batch again cannot help; its sender gets the protocol's permanent
// error. Any error that is not a [Retryable] means the same.
type Permanent struct{ Reason string }

// Error returns the reason.
func (p Permanent) Error() string { return p.Reason }

// Retryable says that trying a batch again may help.
type Retryable struct {
	Reason string
	// After is how long the other side asked to wait; 0 if it did not.
	After time.Duration
}

// Error returns the reason.
func (r Retryable) Error() string { return r.Reason }

// Permanentf makes a Permanent as fmt.Sprintf does.
func Permanentf(format string, values ...any) error {
	return Permanent{fmt.Sprintf(format, values...)}
}

// Retryablef makes a Retryable as fmt.Sprintf does.
func Retryablef(format string, values ...any) error {
	return Retryable{Reason: fmt.Sprintf(format, values...)}
}
