package host

import (
	"math"
	"time"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_http"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_meter"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_state"
	contract "github.com/otelwasm/otelwasm/guests/sdk/go/internal/bindings/otelwasm_plugin_types"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/collector"
	wit "github.com/otelwasm/otelwasm/guests/sdk/go/internal/wit/types"
)

// What an import answers in lists or strings comes through cabi_realloc, too, so the garbage
// collector pauses around it.
func asked[Answer any](call func() Answer) Answer {
	collector.Pause()
	defer collector.Resume()
	return call()
}

// Emit hands a batch to the next step.
func Emit(batch otelwasm.Batch) error {
	return failureOf(asked(func() wit.Result[wit.Unit, contract.Failure] {
		return otelwasm_plugin_pipeline.Emit(uint8(batch.Signal), batch.Payload)
	}))
}

// Add adds to a counter.
func Add(name string, amount float64, attributes []Pair) {
	otelwasm_plugin_meter.Add(valid(name), amount, pairs(attributes))
}

// Observe records one value of a distribution.
func Observe(name string, value float64, attributes []Pair) {
	otelwasm_plugin_meter.Observe(valid(name), value, pairs(attributes))
}

// StateGet returns the value kept under a key.
func StateGet(key string) ([]byte, bool, error) {
	result := asked(func() wit.Result[wit.Option[[]byte], contract.Failure] {
		return otelwasm_plugin_state.Get(valid(key))
	})
	if err := failureOf(result); err != nil || !result.Ok().IsSome() {
		return nil, false, err
	}
	return result.Ok().Some(), true, nil
}

// StateSet keeps a value.
func StateSet(key string, value []byte) error {
	return failureOf(asked(func() wit.Result[wit.Unit, contract.Failure] {
		return otelwasm_plugin_state.Set(valid(key), value)
	}))
}

// StateDelete forgets a key.
func StateDelete(key string) error {
	return failureOf(asked(func() wit.Result[wit.Unit, contract.Failure] {
		return otelwasm_plugin_state.Delete(valid(key))
	}))
}

// Send sends an HTTP request, and waits for the response.
func Send(request Request) (response Response, err error) {
	given := otelwasm_plugin_http.Request{
		Method:    valid(request.Method),
		Url:       valid(request.URL),
		Body:      request.Body,
		TimeoutMs: uint32(min(max(request.Timeout/time.Millisecond, 1), math.MaxUint32)),
	}
	for _, header := range request.Headers {
		given.Headers = append(given.Headers, pair(header.Name, header.Value))
	}
	result := asked(func() wit.Result[otelwasm_plugin_http.Response, otelwasm_plugin_http.Error] {
		return otelwasm_plugin_http.Send(given)
	})
	if !result.IsOk() {
		return response, noResponseOf(result.Err())
	}
	came := result.Ok()
	response.Status, response.Body = int(came.Status), came.Body
	for _, header := range came.Headers {
		response.Headers = append(response.Headers, otelwasm.Header{Name: header.F0, Value: header.F1})
	}
	return response, nil
}

func noResponseOf(err otelwasm_plugin_http.Error) error {
	switch err.Tag() {
	case otelwasm_plugin_http.Error_Refused:
		return noResponse{ErrRefused, otelwasm.Permanent{Reason: err.Refused()}}
	case otelwasm_plugin_http.Error_Timeout:
		return noResponse{ErrTimedOut, otelwasm.Retryable{Reason: ErrTimedOut.Error()}}
	default:
		return noResponse{ErrFailed, otelwasm.Retryable{Reason: err.Failed()}}
	}
}

func failureOf[Value any](result wit.Result[Value, contract.Failure]) error {
	if result.IsOk() {
		return nil
	}
	failure := result.Err()
	if failure.Tag() == contract.Failure_Permanent {
		return otelwasm.Permanent{Reason: failure.Permanent()}
	}
	retry := failure.Retryable()
	err := otelwasm.Retryable{Reason: retry.Reason}
	if retry.AfterMs.IsSome() {
		err.After = time.Duration(retry.AfterMs.Some()) * time.Millisecond
	}
	return err
}

func pair(name, value string) wit.Tuple2[string, string] {
	return wit.Tuple2[string, string]{F0: valid(name), F1: valid(value)}
}

func pairs(given []Pair) []wit.Tuple2[string, string] {
	made := make([]wit.Tuple2[string, string], 0, len(given))
	for _, each := range given {
		made = append(made, pair(each.Name, each.Value))
	}
	return made
}
