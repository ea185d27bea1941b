package otelwasm

// Processor changes, drops, holds back or makes batches. Whatever else it is, it may be a [Ticker],
// a [Stopper] and a [Handler], too.
type Processor interface {
	// Process handles one batch. What it sends besides goes through pipeline.Emit.
	Process(batch Batch) (Verdict, error)
}

// Verdict is what becomes of a batch: [Pass], [Drop] or [Replace].
type Verdict struct {
	what    verdict
	payload []byte
}

type verdict uint8

const (
	pass verdict = iota
	replace
	drop
)

// Pass sends the batch on as it came; nothing is copied.
var Pass = Verdict{what: pass}

// Drop sends nothing on.
var Drop = Verdict{what: drop}

// Replace sends payload, of the same signal, in place of the batch's.
func Replace(payload []byte) Verdict { return Verdict{replace, payload} }

// Payload returns what to send on in place of batch's payload; false if that is nothing.
func (v Verdict) Payload(batch Batch) ([]byte, bool) {
	switch v.what {
	case pass:
		return batch.Payload, true
	case replace:
		return v.payload, true
	default:
		return nil, false
	}
}

// IsPass says whether the batch goes on as it came.
func (v Verdict) IsPass() bool { return v.what == pass }
