// Turn webhooks, as GitHub and Alertmanager send them, into log records.
package main

import (
	"errors"
	"fmt"
	"strings"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/receiver"
	"go.opentelemetry.io/collector/pdata/plog"
)

type Config struct {
	// Where each of the two is expected.
	GithubPath       string `json:"github_path"`
	AlertmanagerPath string `json:"alertmanager_path"`
	// What GitHub signs its requests with; without it, anybody can send.
	GithubSecret string `json:"github_secret"`
	// What Alertmanager's `http_config.authorization.credentials` says.
	AlertmanagerToken string `json:"alertmanager_token"`
}

func init() {
	receiver.Register(func(config Config) (otelwasm.Receiver, error) {
		return webhook{config}, nil
	}, Config{GithubPath: "/github", AlertmanagerPath: "/alertmanager"})
}

type webhook struct{ config Config }

// refusal is a request that gets an answer other than success.
type refusal struct {
	status int
	reason string
}

func (r refusal) Error() string { return r.reason }

func (w webhook) Receive(message otelwasm.Message) (reply otelwasm.Reply, err error) {
	logs, err := w.take(message)
	var refused refusal
	if errors.As(err, &refused) {
		return otelwasm.Reply{
			Status:  refused.status,
			Headers: otelwasm.Headers{{Name: "content-type", Value: "text/plain"}},
			Body:    []byte(refused.reason + "\n"),
		}, nil
	}
	if err != nil {
		return reply, err
	}
	payload, err := new(plog.ProtoMarshaler).MarshalLogs(logs)
	if err != nil {
		return reply, err
	}
	// If the next step does not take it now, the sender gets 503 and tries again.
	err = pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: payload})
	return otelwasm.Reply{Status: 202}, err
}

func (w webhook) take(message otelwasm.Message) (plog.Logs, error) {
	path, _, _ := strings.Cut(message.Target, "?")
	var take func(otelwasm.Message) (plog.Logs, error)
	switch path {
	case w.config.GithubPath:
		take = w.github
	case w.config.AlertmanagerPath:
		take = w.alertmanager
	default:
		return plog.Logs{}, refusal{404, fmt.Sprintf(
			"nothing here; try %s or %s", w.config.GithubPath, w.config.AlertmanagerPath,
		)}
	}
	if message.Method != "POST" {
		return plog.Logs{}, refusal{405, message.Method + " is not POST"}
	}
	return take(message)
}

// newBatch makes one without records yet.
func newBatch(service string) (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName("webhook")
	return logs, scope.LogRecords()
}

func main() {}
