// Program transform lets processors of the Collector process batches for tests: for each line
// {"processor", "signal", "config", "payload"} it answers one {"payload"}, null if nothing is sent
// on, or {"error"} if the processor refuses its configuration or the batch. Payloads are OTLP
// protobuf in base64.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
)

var factories = map[string]processor.Factory{
	"attributes": attributesprocessor.NewFactory(),
	"filter":     filterprocessor.NewFactory(),
}

type order struct {
	Processor string         `json:"processor"`
	Signal    string         `json:"signal"`
	Config    map[string]any `json:"config"`
	Payload   []byte         `json:"payload"`
}

type answer struct {
	Payload []byte `json:"payload"`
	Error   string `json:"error,omitempty"`
}

func main() {
	log.SetFlags(0)
	orders, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	orders.UseNumber()
	for {
		var next order
		if err := orders.Decode(&next); err != nil {
			return
		}
		payload, err := transform(next)
		given := answer{Payload: payload}
		if err != nil {
			given.Error = err.Error()
		}
		if err := answers.Encode(given); err != nil {
			log.Fatal(err)
		}
	}
}

func transform(given order) ([]byte, error) {
	factory, ok := factories[given.Processor]
	if !ok {
		return nil, fmt.Errorf("no such processor: %q", given.Processor)
	}
	config := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(plain(given.Config).(map[string]any)).Unmarshal(config); err != nil {
		return nil, err
	}
	if err := xconfmap.Validate(config); err != nil {
		return nil, err
	}
	settings := processor.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}
	ctx := context.Background()
	var result []byte
	switch given.Signal {
	case "traces":
		next, err := consumer.NewTraces(func(_ context.Context, batch ptrace.Traces) (err error) {
			result, err = new(ptrace.ProtoMarshaler).MarshalTraces(batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		step, err := factory.CreateTraces(ctx, settings, config, next)
		if err != nil {
			return nil, err
		}
		batch, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(given.Payload)
		if err != nil {
			return nil, err
		}
		err = step.ConsumeTraces(ctx, batch)
		return result, err
	case "metrics":
		next, err := consumer.NewMetrics(func(_ context.Context, batch pmetric.Metrics) (err error) {
			result, err = new(pmetric.ProtoMarshaler).MarshalMetrics(batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		step, err := factory.CreateMetrics(ctx, settings, config, next)
		if err != nil {
			return nil, err
		}
		batch, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(given.Payload)
		if err != nil {
			return nil, err
		}
		err = step.ConsumeMetrics(ctx, batch)
		return result, err
	case "logs":
		next, err := consumer.NewLogs(func(_ context.Context, batch plog.Logs) (err error) {
			result, err = new(plog.ProtoMarshaler).MarshalLogs(batch)
			return err
		})
		if err != nil {
			return nil, err
		}
		step, err := factory.CreateLogs(ctx, settings, config, next)
		if err != nil {
			return nil, err
		}
		batch, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(given.Payload)
		if err != nil {
			return nil, err
		}
		err = step.ConsumeLogs(ctx, batch)
		return result, err
	}
	return nil, fmt.Errorf("no such signal: %q", given.Signal)
}

// plain gives numbers the types that they have when YAML is read: int where there is no point.
func plain(value any) any {
	switch given := value.(type) {
	case json.Number:
		if whole, err := given.Int64(); err == nil {
			return int(whole)
		}
		number, _ := given.Float64()
		return number
	case map[string]any:
		for key, member := range given {
			given[key] = plain(member)
		}
	case []any:
		for place, member := range given {
			given[place] = plain(member)
		}
	}
	return value
}
