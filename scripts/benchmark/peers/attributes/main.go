// Program attributes times the Collector's attributes processor on one request's bytes:
// unmarshal, set one attribute on each span, marshal. It answers one line for each line it reads,
// so that a benchmark can run it in turns with others: `path calls` in, nanoseconds elapsed and of the processor out.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
)

var (
	unmarshaler ptrace.ProtoUnmarshaler
	marshaler   ptrace.ProtoMarshaler
)

// sink marshals what the processor hands on.
type sink struct{ out []byte }

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeTraces(_ context.Context, traces ptrace.Traces) (err error) {
	s.out, err = marshaler.MarshalTraces(traces)
	return err
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("attributes: ")
	end := &sink{}
	step, err := newProcessor(end)
	if err != nil {
		log.Fatal(err)
	}
	payloads := map[string][]byte{}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var path string
		var calls int
		if _, err := fmt.Sscan(lines.Text(), &path, &calls); err != nil {
			log.Fatalf("%q: expected `path calls`: %v", lines.Text(), err)
		}
		payload, known := payloads[path]
		if !known {
			if payload, err = os.ReadFile(path); err != nil {
				log.Fatal(err)
			}
			payloads[path] = payload
		}
		beganCPU := cpu()
		began := time.Now()
		for range calls {
			traces, err := unmarshaler.UnmarshalTraces(payload)
			if err != nil {
				log.Fatal(err)
			}
			if err := step.ConsumeTraces(context.Background(), traces); err != nil {
				log.Fatal(err)
			}
		}
		elapsed := time.Since(began)
		fmt.Println(elapsed.Nanoseconds(), (cpu() - beganCPU).Nanoseconds())
		if len(end.out) <= len(payload) {
			log.Fatalf("%d bytes in, %d out: no attribute was added", len(payload), len(end.out))
		}
	}
}

// cpu is what all threads have used, the garbage collector's too.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func newProcessor(next consumer.Traces) (processor.Traces, error) {
	factory := attributesprocessor.NewFactory()
	config := factory.CreateDefaultConfig()
	action := map[string]any{"key": "env", "value": "prod", "action": "upsert"}
	written := confmap.NewFromStringMap(map[string]any{"actions": []any{action}})
	if err := written.Unmarshal(config); err != nil {
		return nil, err
	}
	settings := processor.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	step, err := factory.CreateTraces(context.Background(), settings, config, next)
	if err != nil {
		return nil, err
	}
	return step, step.Start(context.Background(), componenttest.NewNopHost())
}
