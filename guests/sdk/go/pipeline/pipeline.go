// Package pipeline sends batches on besides the one that is returned: later, of another signal,
// in parts. An exporter has no next step, and cannot use it.
package pipeline

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/host"
)

// Emit hands a batch to the next step; it returns once it is accepted there. If it is not, the
// error is an [otelwasm.Permanent] or an [otelwasm.Retryable]: a plugin that returns it passes it
// on to the sender of the batch that it handles.
func Emit(batch otelwasm.Batch) error { return host.Emit(batch) }
