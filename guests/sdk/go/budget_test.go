package otelwasm_test

import (
	"log/slog"
	"net/url"
	"strconv"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/hosttest"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"github.com/otelwasm/otelwasm/guests/sdk/go/state"
	"go.opentelemetry.io/collector/pdata/plog"
)

// The reference of the SDK (host/docs/reference/go-sdk.md) shows what follows.
// --8<-- [start:plugin]

// Config has what a pipeline's YAML says under `config:`; what is not given there is as in defaults.
type Config struct {
	LimitBytes int    `json:"limit_bytes"`
	Notify     string `json:"notify"`
}

var defaults = Config{LimitBytes: 1 << 30}

// Budget passes so many bytes on in each period, which is the plugin's tick_interval.
type Budget struct {
	config Config
	spent  int
}

func init() { processor.Register(start, defaults) }

func start(config Config) (otelwasm.Processor, error) {
	if _, err := url.Parse(config.Notify); err != nil {
		return nil, otelwasm.Permanentf("config.notify: %v", err)
	}
	kept, _, err := state.Get("spent") // from before a restart
	if err != nil {
		return nil, err
	}
	spent, _ := strconv.Atoi(string(kept))
	return &Budget{config, spent}, nil
}

func (b *Budget) Process(batch otelwasm.Batch) (otelwasm.Verdict, error) {
	wasLeft := b.spent < b.config.LimitBytes
	b.spent += len(batch.Payload)
	if b.spent <= b.config.LimitBytes {
		return otelwasm.Pass, nil
	}
	meter.Add("budget.dropped", float64(len(batch.Payload)), "signal", batch.Signal)
	if wasLeft {
		slog.Warn("the budget is spent", "limit_bytes", b.config.LimitBytes)
		if err := b.notify(); err != nil {
			slog.Error("nobody was told", "reason", err)
		}
	}
	return otelwasm.Drop, nil
}

func (b *Budget) notify() error {
	if b.config.Notify == "" {
		return nil
	}
	response, err := http.Post(b.config.Notify, []byte("the budget is spent"))
	if err != nil {
		return err
	}
	return response.Err()
}

// Tick begins a new period, and tells of the last one by a log record.
func (b *Budget) Tick() error {
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Body().SetStr("period ended")
	record.Attributes().PutInt("spent_bytes", int64(b.spent))
	payload, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	if err != nil {
		return err
	}
	b.spent = 0
	return pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: payload})
}

// Stop is the end: what is known is kept for the next start.
func (b *Budget) Stop() error {
	return state.Set("spent", []byte(strconv.Itoa(b.spent)))
}

// --8<-- [end:plugin]
// --8<-- [start:test]

// What is beyond the budget is dropped, counted and told; a restart forgets nothing.
func TestABudgetIsKept(t *testing.T) {
	host := hosttest.Start(t)
	var asked []http.Request
	host.Answer = func(request http.Request) (http.Response, error) {
		asked = append(asked, request)
		return http.Response{Status: 204}, nil
	}
	config := Config{LimitBytes: 10, Notify: "https://chat.example.com/hook"}
	plugin, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	batch := otelwasm.Batch{Signal: otelwasm.Logs, Payload: []byte("\n\x06\x12\x04\x12\x02\x18\x09")}

	first, _ := plugin.Process(batch)
	second, _ := plugin.Process(batch)

	if _, isSent := second.Payload(batch); !first.IsPass() || isSent || len(asked) != 1 {
		t.Errorf("first passed: %v, second sent: %v, asked: %v", first.IsPass(), isSent, asked)
	}
	dropped := host.Measured[0]
	if dropped.Name != "budget.dropped" || dropped.Value != 8 || dropped.Attributes["signal"] != "logs" {
		t.Errorf("measured %v", dropped)
	}

	if err := plugin.(*Budget).Stop(); err != nil || string(host.State["spent"]) != "16" {
		t.Errorf("kept %q, %v", host.State["spent"], err)
	}
	again, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.(*Budget).Tick(); err != nil || len(host.Emitted) != 1 {
		t.Errorf("emitted %v, %v", host.Emitted, err)
	}
}

// --8<-- [end:test]
