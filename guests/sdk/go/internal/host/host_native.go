//go:build !wasip1

package host

import otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"

// In a native test there is no host: what a plugin sends and measures goes nowhere, what it asks
// for is not there.

const nobody = "there is no host here: a plugin's calls reach one only in a component"

func Emit(otelwasm.Batch) error             { return nil }
func Add(string, float64, []Pair)           {}
func Observe(string, float64, []Pair)       {}
func StateGet(string) ([]byte, bool, error) { return nil, false, nil }
func StateSet(string, []byte) error         { return otelwasm.Permanent{Reason: nobody} }
func StateDelete(string) error              { return otelwasm.Permanent{Reason: nobody} }
func Send(Request) (Response, error) {
	return Response{}, noResponse{ErrRefused, otelwasm.Permanent{Reason: nobody}}
}
