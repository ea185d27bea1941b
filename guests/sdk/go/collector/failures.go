package collector

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// failure says what a processor's error is for the host. As for the Collector's receivers, trying
// again may help unless the error says that it cannot.
func failure(err error) error {
	if err == nil {
		return nil
	}
	var retryable otelwasm.Retryable
	if !isPermanent(err) {
		errors.As(err, &retryable)
		return otelwasm.Retryable{Reason: err.Error(), After: retryable.After}
	}
	return otelwasm.Permanent{Reason: err.Error()}
}

// isPermanent looks for what says, in the Collector or here, that trying again cannot help.
func isPermanent(err error) bool {
	switch err := err.(type) {
	case otelwasm.Permanent:
		return true
	case interface{ IsRetryable() bool }: // consumererror.Error
		return !err.IsRetryable()
	}
	// What consumererror.NewPermanent makes, known by its name: the package itself would bring gRPC
	// and protobuf along, a fifth of the component.
	if reflect.TypeOf(err).String() == "consumererror.permanent" {
		return true
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		wrapped := err.Unwrap()
		return wrapped != nil && isPermanent(wrapped)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), isPermanent)
	}
	return false
}

// inOneLine joins errors, each text once.
func inOneLine(errs ...error) error {
	var texts []string
	for _, err := range errs {
		text := strings.Join(strings.Fields(err.Error()), " ")
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return errors.New(strings.Join(texts, "; "))
}
