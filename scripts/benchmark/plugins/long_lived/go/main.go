// Do in turn what a plugin can do with a batch; scripts/benchmark/longevity.py knows the turns.
package main

import (
	"fmt"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pipeline"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"github.com/otelwasm/otelwasm/guests/sdk/go/state"
	"go.opentelemetry.io/collector/pdata/plog"
)

type longLived struct{ calls int64 }

func init() {
	processor.Register(func(struct{}) (otelwasm.Processor, error) {
		return &longLived{}, nil
	}, struct{}{})
}

func (l *longLived) Handles() []otelwasm.Signal { return []otelwasm.Signal{otelwasm.Logs} }

func (l *longLived) Process(batch otelwasm.Batch) (otelwasm.Verdict, error) {
	call := l.calls
	l.calls++
	switch call % 10 {
	case 4, 5, 6:
		payload, err := withAttribute(batch.Payload, call)
		return otelwasm.Replace(payload), err
	case 7:
		payload, err := withAttribute(batch.Payload, call)
		if err != nil {
			return otelwasm.Drop, err
		}
		return otelwasm.Drop, pipeline.Emit(otelwasm.Batch{Signal: otelwasm.Logs, Payload: payload})
	case 8:
		if _, _, err := state.Get("batch"); err != nil {
			return otelwasm.Pass, err
		}
		return otelwasm.Pass, state.Set("batch", batch.Payload)
	case 9:
		if call%100 == 99 {
			panic(fmt.Sprintf("call %d goes wrong", call))
		}
		return otelwasm.Pass, otelwasm.Permanentf("call %d is refused", call)
	}
	return otelwasm.Pass, nil
}

func withAttribute(payload []byte, call int64) ([]byte, error) {
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(payload)
	if err != nil {
		return nil, err
	}
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				record.Attributes().PutInt("call", call)
			}
		}
	}
	return (&plog.ProtoMarshaler{}).MarshalLogs(logs)
}

func main() {}
