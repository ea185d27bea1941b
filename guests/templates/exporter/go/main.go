// Post each batch, as OTLP protobuf, to a server.
package main

import (
	"errors"
	"fmt"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/exporter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
)

// Config is what a pipeline's YAML says under `config:`.
type Config struct {
	Endpoint string `json:"endpoint"`
}

type post struct{ config Config }

func init() {
	exporter.Register(func(config Config) (otelwasm.Exporter, error) {
		if config.Endpoint == "" {
			return nil, errors.New("config.endpoint: missing; expected string")
		}
		return post{config}, nil
	}, Config{})
}

func (p post) Handles() []otelwasm.Signal {
	return []otelwasm.Signal{otelwasm.Traces, otelwasm.Metrics, otelwasm.Logs}
}

func (p post) Send(batch otelwasm.Batch) (receipt otelwasm.Receipt, err error) {
	url := fmt.Sprintf("%s/v1/%s", p.config.Endpoint, batch.Signal)
	response, err := http.Post(url, batch.Payload, otelwasm.Header{
		Name: "content-type", Value: "application/x-protobuf",
	})
	if err != nil {
		return receipt, err
	}
	// 408, 429 and 5xx are tried again, others are refused for good.
	return receipt, response.Err()
}

func main() {}
