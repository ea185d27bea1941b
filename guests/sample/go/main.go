// Tail sampling: wait for whole traces, then keep those with errors, slow ones, and a share.
package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
)

type Config struct {
	// How long to wait for a trace's other spans after its first; `tick_interval` sets how
	// punctually it is decided then.
	WaitS float64 `json:"wait_s"`
	SlowS float64 `json:"slow_s"`
	Share float64 `json:"share"`
	// What may wait here. When it is full, the oldest traces are decided early.
	LimitBytes int `json:"limit_bytes"`
	// How many decisions to remember, for spans that come late.
	Remembered int `json:"remembered"`
}

func init() {
	processor.Register(func(config Config) (otelwasm.Processor, error) {
		return &sample{
			config:  config,
			waiting: newOldestFirst[*trace](),
			decided: newOldestFirst[bool](),
		}, nil
	}, Config{WaitS: 10, SlowS: 1, Share: 0.1, LimitBytes: 64 << 20, Remembered: 100_000})
}

// trace is what is known of one that is not decided yet.
type trace struct {
	decideAt time.Time
	mustKeep bool
	// As bytes, spans take a fraction of what they take decoded, and can be counted.
	parts [][]byte
	bytes int
}

type sample struct {
	config       Config
	waiting      oldestFirst[*trace]
	decided      oldestFirst[bool]
	waitingBytes int
	// What the next step has not taken yet.
	kept      [][]byte
	keptBytes int
}

func (s *sample) Handles() []otelwasm.Signal { return []otelwasm.Signal{otelwasm.Traces} }

func (s *sample) Process(batch otelwasm.Batch) (verdict otelwasm.Verdict, err error) {
	parts, err := split(batch.Payload, s.config.SlowS)
	if err != nil {
		return verdict, err
	}
	if s.waitingBytes+s.keptBytes > s.config.LimitBytes {
		// If the next step takes nothing now, nothing of the batch is taken, and its sender tries
		// again.
		if err := s.release(time.Time{}, s.config.LimitBytes/4*3); err != nil {
			return verdict, err
		}
	}
	var late [][]byte
	for _, part := range parts {
		isKept, isDecided := s.decided.get(part.traceID)
		if !isDecided {
			s.hold(part)
		} else if isKept {
			late = append(late, part.payload)
		}
	}
	if len(late) == 0 {
		return otelwasm.Drop, nil
	}
	return otelwasm.Replace(bytes.Join(late, nil)), nil
}

func (s *sample) Tick() error { return s.release(time.Now(), math.MaxInt) }

func (s *sample) Stop() error { return s.release(time.Unix(1<<40, 0), math.MaxInt) }

func (s *sample) hold(part part) {
	held, isThere := s.waiting.get(part.traceID)
	if !isThere {
		wait := time.Duration(s.config.WaitS * float64(time.Second))
		held = &trace{decideAt: time.Now().Add(wait)}
		s.waiting.add(part.traceID, held)
	}
	held.mustKeep = held.mustKeep || part.mustKeep
	held.parts = append(held.parts, part.payload)
	held.bytes += len(part.payload)
	s.waitingBytes += len(part.payload)
}

// release decides what waits no longer, and what is too much.
func (s *sample) release(until time.Time, downToBytes int) error {
	for {
		id, oldest, isThere := s.waiting.oldest()
		if !isThere || (oldest.decideAt.After(until) && s.waitingBytes <= downToBytes) {
			break
		}
		s.waiting.remove(id)
		s.waitingBytes -= oldest.bytes
		if s.decide(id, oldest) {
			s.kept = append(s.kept, oldest.parts...)
			s.keptBytes += oldest.bytes
		}
	}
	if len(s.kept) == 0 {
		return nil
	}
	// OTLP requests of one signal are joined by joining their bytes. What the next step does not
	// take stays in kept until the next time.
	joined := otelwasm.Batch{Signal: otelwasm.Traces, Payload: bytes.Join(s.kept, nil)}
	if err := pipeline.Emit(joined); err != nil {
		return err
	}
	s.kept, s.keptBytes = nil, 0
	return nil
}

func (s *sample) decide(id traceID, trace *trace) bool {
	// The id's own randomness decides, so that every instance decides alike.
	random := float64(binary.BigEndian.Uint64(id[8:]) & (1<<56 - 1))
	isKept := trace.mustKeep || random < s.config.Share*(1<<56)
	s.decided.add(id, isKept)
	if s.decided.len() > s.config.Remembered {
		oldest, _, _ := s.decided.oldest()
		s.decided.remove(oldest)
	}
	meter.Add("sample.traces", 1, "kept", isKept)
	return isKept
}

func main() {}
