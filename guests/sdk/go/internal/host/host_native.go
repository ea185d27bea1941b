//go:build !wasip1

package host

import otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"

func Emit(batch otelwasm.Batch) error               { return StandIn.Emit(batch) }
func Add(name string, amount float64, pairs []Pair) { StandIn.Add(name, amount, pairs) }
func Observe(name string, value float64, ps []Pair) { StandIn.Observe(name, value, ps) }
func StateGet(key string) ([]byte, bool, error)     { return StandIn.StateGet(key) }
func StateSet(key string, value []byte) error       { return StandIn.StateSet(key, value) }
func StateDelete(key string) error                  { return StandIn.StateDelete(key) }
func Send(request Request) (Response, error)        { return StandIn.Send(request) }
