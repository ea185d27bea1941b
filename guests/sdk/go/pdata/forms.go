package pdata

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/adapter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// How payloads of each signal are decoded, counted and encoded.
var (
	tracesForm = adapter.Form[ptrace.Traces]{
		Signal: otelwasm.Traces,
		Decode: new(ptrace.ProtoUnmarshaler).UnmarshalTraces,
		Items:  ptrace.Traces.SpanCount,
		Encode: new(ptrace.ProtoMarshaler).MarshalTraces,
	}
	metricsForm = adapter.Form[pmetric.Metrics]{
		Signal: otelwasm.Metrics,
		Decode: new(pmetric.ProtoUnmarshaler).UnmarshalMetrics,
		Items:  pmetric.Metrics.DataPointCount,
		Encode: new(pmetric.ProtoMarshaler).MarshalMetrics,
	}
	logsForm = adapter.Form[plog.Logs]{
		Signal: otelwasm.Logs,
		Decode: new(plog.ProtoUnmarshaler).UnmarshalLogs,
		Items:  plog.Logs.LogRecordCount,
		Encode: new(plog.ProtoMarshaler).MarshalLogs,
	}
	profilesForm = adapter.Form[pprofile.Profiles]{
		Signal: otelwasm.Profiles,
		Decode: new(pprofile.ProtoUnmarshaler).UnmarshalProfiles,
		Items:  profileCount,
		Encode: new(pprofile.ProtoMarshaler).MarshalProfiles,
	}
)

func profileCount(profiles pprofile.Profiles) int {
	count := 0
	for _, resource := range profiles.ResourceProfiles().All() {
		for _, scope := range resource.ScopeProfiles().All() {
			count += scope.Profiles().Len()
		}
	}
	return count
}
