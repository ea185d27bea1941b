package otelwasm

// Exporter delivers batches. It may be a [Ticker], a [Stopper] and a [Handler], too.
type Exporter interface {
	// Send delivers one batch.
	Send(batch Batch) (Receipt, error)
}

// Receipt is OTLP's partial success: the other side took the batch, less some items. Its zero
// value is a full success.
type Receipt struct {
	// Rejected says how many spans, data points, log records or profiles were refused.
	Rejected uint64
	// Message is what the other side said about it.
	Message string
}
