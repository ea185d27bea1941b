// Send batches by OTLP over HTTP, as protobuf, as the host's own exporter does.
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/exporter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
)

type Config struct {
	// The base, to which /v1/traces and so on are added.
	Endpoint string            `json:"endpoint"`
	Headers  map[string]string `json:"headers"`
	// none or gzip.
	Compression string  `json:"compression"`
	TimeoutS    float64 `json:"timeout_s"`
}

const protobuf = "application/x-protobuf"

func init() {
	exporter.Register(func(config Config) (otelwasm.Exporter, error) {
		if config.Endpoint == "" {
			return nil, errors.New("config.endpoint: missing; expected string")
		}
		if config.Compression != "none" && config.Compression != "gzip" {
			return nil, fmt.Errorf("config.compression: expected none or gzip, got %q", config.Compression)
		}
		return otlpHTTPExporter{config}, nil
	}, Config{Compression: "none", TimeoutS: 10})
}

type otlpHTTPExporter struct{ config Config }

func (e otlpHTTPExporter) Handles() []otelwasm.Signal {
	return []otelwasm.Signal{otelwasm.Traces, otelwasm.Metrics, otelwasm.Logs}
}

// Send sends the bytes on as they are: no field is lost that this plugin does not know.
func (e otlpHTTPExporter) Send(batch otelwasm.Batch) (receipt otelwasm.Receipt, err error) {
	request := http.Request{
		Method:  "POST",
		URL:     fmt.Sprintf("%s/v1/%s", strings.TrimRight(e.config.Endpoint, "/"), batch.Signal),
		Headers: e.headers(),
		Body:    batch.Payload,
		Timeout: time.Duration(e.config.TimeoutS * float64(time.Second)),
	}
	if e.config.Compression == "gzip" {
		if request.Body, err = compressed(batch.Payload); err != nil {
			return receipt, err
		}
	}
	response, err := http.Send(request)
	if err != nil {
		return receipt, err
	}
	if response.Status >= 200 && response.Status < 300 {
		return receiptOf(response), nil
	}
	reason := fmt.Sprintf("%s answered %d: %s", request.URL, response.Status, messageOf(response))
	switch response.Status {
	// OTLP: the statuses after which the same request may be sent again.
	case 429, 502, 503, 504:
		return receipt, otelwasm.Retryable{Reason: reason, After: response.RetryAfter()}
	}
	return receipt, otelwasm.Permanent{Reason: reason}
}

func (e otlpHTTPExporter) headers() otelwasm.Headers {
	named := map[string]string{"content-type": protobuf}
	maps.Copy(named, e.config.Headers)
	if e.config.Compression == "gzip" {
		named["content-encoding"] = "gzip"
	}
	var headers otelwasm.Headers
	for _, name := range slices.Sorted(maps.Keys(named)) {
		headers = append(headers, otelwasm.Header{Name: name, Value: named[name]})
	}
	return headers
}

func compressed(payload []byte) ([]byte, error) {
	var body bytes.Buffer
	writer := gzip.NewWriter(&body)
	if _, err := writer.Write(payload); err != nil {
		return nil, err
	}
	err := writer.Close()
	return body.Bytes(), err
}

func main() {}
