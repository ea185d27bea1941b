// Pass so many bytes on in each period: a plugin that uses all that the host offers.
package main

import (
	"log/slog"
	"net/url"
	"strconv"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
	"github.com/otelwasm/otelwasm/guests/sdk/go/meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"github.com/otelwasm/otelwasm/guests/sdk/go/state"
	"go.opentelemetry.io/collector/pdata/plog"
)

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

func main() {}
