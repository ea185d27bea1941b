package host

// In a component nothing reads this; it is there for tools that look at a plugin's tests as they look at
// the plugin.

import (
	"errors"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// Host is what stands for the host where a plugin is no component: in its tests.
type Host interface {
	Emit(batch otelwasm.Batch) error
	Add(name string, amount float64, attributes []Pair)
	Observe(name string, value float64, attributes []Pair)
	StateGet(key string) ([]byte, bool, error)
	StateSet(key string, value []byte) error
	StateDelete(key string) error
	Send(request Request) (Response, error)
}

// StandIn is there from the package hosttest; without it, what a plugin sends and measures goes
// nowhere, and what it asks for is not there.
var StandIn Host = nobody{}

// NoResponse is what a request without a response comes to: as in a component, both why there is none
// and what that is for a batch.
func NoResponse(why error, reason string) error {
	if errors.Is(why, ErrRefused) {
		return noResponse{why, otelwasm.Permanent{Reason: reason}}
	}
	return noResponse{why, otelwasm.Retryable{Reason: reason}}
}

const nowhere = "there is no host here: a plugin's calls reach one in a component, and in a test with hosttest"

type nobody struct{}

func (nobody) Emit(otelwasm.Batch) error             { return nil }
func (nobody) Add(string, float64, []Pair)           {}
func (nobody) Observe(string, float64, []Pair)       {}
func (nobody) StateGet(string) ([]byte, bool, error) { return nil, false, nil }
func (nobody) StateSet(string, []byte) error         { return otelwasm.Permanent{Reason: nowhere} }
func (nobody) StateDelete(string) error              { return otelwasm.Permanent{Reason: nowhere} }
func (nobody) Send(Request) (Response, error)        { return Response{}, NoResponse(ErrRefused, nowhere) }
