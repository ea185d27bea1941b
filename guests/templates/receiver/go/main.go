// Make a log record of each message that somebody posts.
package main

import (
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/receiver"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Config is what a pipeline's YAML says under `config:`.
type Config struct {
	Service string `json:"service"`
}

type webhook struct{ config Config }

func init() {
	receiver.Register(func(config Config) (otelwasm.Receiver, error) {
		return webhook{config}, nil
	}, Config{Service: "my-plugin"})
}

func (w webhook) Receive(message otelwasm.Message) (reply otelwasm.Reply, err error) {
	if message.Method != "POST" {
		return otelwasm.Reply{
			Status:  405,
			Headers: otelwasm.Headers{{Name: "content-type", Value: "text/plain"}},
			Body:    []byte("POST a message\n"),
		}, nil
	}
	payload, err := new(plog.ProtoMarshaler).MarshalLogs(w.logs(message))
	if err != nil {
		return reply, err
	}
	// If the next step does not take it now, the sender gets 503 and tries again.
	err = pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: payload})
	return otelwasm.Reply{Status: 202}, err
}

func (w webhook) logs(message otelwasm.Message) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", w.config.Service)
	record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	record.Body().SetStr(strings.ToValidUTF8(string(message.Body), "\uFFFD"))
	record.Attributes().PutStr("url.path", message.Target)
	return logs
}

func main() {}
