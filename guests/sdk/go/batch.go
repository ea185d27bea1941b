package otelwasm

import "fmt"

// Signal says which OTLP request a payload is.
type Signal uint8

// The signals, in the order of the contract.
const (
	// Traces is an ExportTraceServiceRequest.
	Traces Signal = iota
	// Metrics is an ExportMetricsServiceRequest.
	Metrics
	// Logs is an ExportLogsServiceRequest.
	Logs
	// Profiles is an ExportProfilesServiceRequest; OTLP's profiles are still in development.
	Profiles
)

// Signals are all of them.
var Signals = []Signal{Traces, Metrics, Logs, Profiles}

// String returns the signal's name, as in OTLP's paths: traces, metrics, logs or profiles.
func (s Signal) String() string {
	if s > Profiles {
		return fmt.Sprintf("signal %d", uint8(s))
	}
	return [...]string{"traces", "metrics", "logs", "profiles"}[s]
}

// Batch is one OTLP request body. Nobody writes into a Payload: what changes it makes a new one.
type Batch struct {
	Signal  Signal
	Payload []byte
}
