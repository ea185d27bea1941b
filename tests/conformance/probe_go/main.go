// A plugin that does what a test's configuration says: good, bad and heavy things.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"github.com/otelwasm/otelwasm/guests/sdk/go/state"
)

type Config struct {
	// What to do with each batch.
	Do    string `json:"do"`
	Times int    `json:"times"`
}

func init() {
	processor.Register(func(config Config) (otelwasm.Processor, error) {
		do, ok := deeds[config.Do]
		if !ok {
			return nil, fmt.Errorf("config.do: there is no %q", config.Do)
		}
		return &probe{config, do}, nil
	}, Config{Do: "pass", Times: 1})
}

type probe struct {
	config Config
	do     func(*probe, otelwasm.Batch) (otelwasm.Verdict, error)
}

func (p *probe) Process(batch otelwasm.Batch) (otelwasm.Verdict, error) { return p.do(p, batch) }

func (p *probe) Tick() error { return emit("tick") }

func (p *probe) Stop() error { return emit("stop") }

func emit(text string) error {
	return pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: []byte(text)})
}

var deeds = map[string]func(*probe, otelwasm.Batch) (otelwasm.Verdict, error){
	"pass":  func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) { return otelwasm.Pass, nil },
	"drop":  func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) { return otelwasm.Drop, nil },
	"empty": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) { return otelwasm.Replace(nil), nil },
	"double": func(p *probe, batch otelwasm.Batch) (otelwasm.Verdict, error) {
		doubled := bytes.Repeat(batch.Payload, 2)
		err := pipeline.Emit(otelwasm.Batch{Signal: batch.Signal, Payload: doubled})
		return otelwasm.Replace(doubled), err
	},
	"permanent": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		return otelwasm.Pass, otelwasm.Permanentf("bad tenant: %s", "é")
	},
	"retryable": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		err := otelwasm.Retryable{Reason: "queue full", After: 1500 * time.Millisecond}
		return otelwasm.Pass, fmt.Errorf("not now: %w", err)
	},
	"odd-text": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		return otelwasm.Pass, errors.New("bad \xff text")
	},
	"panic":   func(_ *probe, batch otelwasm.Batch) (otelwasm.Verdict, error) { return deeper(batch.Payload) },
	"nil-map": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) { return inNilMap() },
	"library": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		return otelwasm.Replace([]byte(strings.Repeat("x", -1))), nil
	},
	"log": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		slog.With("batch", 17).WithGroup("of").Warn("a line of the probe", "key", "valué")
		log.Print("in the old way")
		return otelwasm.Pass, nil
	},
	"meter": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		meter.Add("probe.calls", 1, "batch", 17, "key", "valué")
		meter.Observe("probe.took", 0.5)
		return otelwasm.Pass, nil
	},
	"file": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		_, err := os.ReadFile("/etc/passwd")
		return otelwasm.Pass, err
	},
	"socket": func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) {
		_, err := net.Dial("tcp", "127.0.0.1:9")
		return otelwasm.Pass, err
	},
	"loop":    func(*probe, otelwasm.Batch) (otelwasm.Verdict, error) { return forever(), nil },
	"state":   (*probe).countInState,
	"http":    (*probe).ask,
	"refused": (*probe).emitInVain,
}

//go:noinline
func deeper(payload []byte) (otelwasm.Verdict, error) {
	return otelwasm.Pass, errors.New(string(payload[len(payload)+5:])) // the bug
}

//go:noinline
func forever() otelwasm.Verdict {
	for i := 0; ; i++ {
		if i < 0 {
			return otelwasm.Pass
		}
	}
}

func inNilMap() (otelwasm.Verdict, error) {
	var counts map[string]int
	counts["nothing"]++
	return otelwasm.Pass, nil
}

// countInState replaces the batch by how often it was called, over all instances.
func (p *probe) countInState(otelwasm.Batch) (verdict otelwasm.Verdict, err error) {
	value, isFound, err := state.Get("count")
	if err != nil {
		return verdict, err
	}
	if !isFound {
		value = nil
	}
	value = append(value, '.')
	if err := state.Set("count", value); err != nil {
		return verdict, err
	}
	return otelwasm.Replace(value), state.Delete("never set")
}

// ask replaces the batch by what a server says to it.
func (p *probe) ask(batch otelwasm.Batch) (verdict otelwasm.Verdict, err error) {
	response, err := http.Post(
		"https://example.com/"+batch.Signal.String(),
		batch.Payload,
		otelwasm.Header{Name: "content-type", Value: "text/plain"},
	)
	switch {
	case errors.Is(err, http.ErrRefused):
		return verdict, fmt.Errorf("refused: %w", err)
	case errors.Is(err, http.ErrTimedOut):
		return verdict, fmt.Errorf("timed out: %w", err)
	case err != nil:
		return verdict, err
	}
	said := fmt.Sprintf("%d %s ", response.Status, response.Headers.Get("X-Kind"))
	return otelwasm.Replace(append([]byte(said), response.Body...)), response.Err()
}

// emitInVain gets a long refusal for each of many batches, and makes garbage meanwhile.
func (p *probe) emitInVain(batch otelwasm.Batch) (verdict otelwasm.Verdict, err error) {
	for range p.config.Times {
		batch.Payload = bytes.Clone(batch.Payload)
		if err = pipeline.Emit(batch); err == nil {
			return verdict, errors.New("it was taken")
		}
	}
	return verdict, err
}

func main() {}
