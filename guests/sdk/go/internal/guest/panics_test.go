// As an author's code, this is outside of the package.
package guest_test

import (
	"errors"
	"strings"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/internal/guest"
)

type panicking struct{}

func (panicking) Process(batch otelwasm.Batch) (otelwasm.Verdict, error) {
	return otelwasm.Replace(batch.Payload[7:]), nil
}

// A panic is a permanent failure that names it, and where it was; the plugin goes on.
func TestPanics(t *testing.T) {
	guest.Forget()
	guest.Register(func(struct{}) (any, error) { return panicking{}, nil }, struct{}{})
	if _, err := guest.Start("{}"); err != nil {
		t.Fatal(err)
	}

	_, err := guest.Process(otelwasm.Batch{Payload: []byte("short")})

	var permanent otelwasm.Permanent
	if !errors.As(err, &permanent) ||
		!strings.HasPrefix(permanent.Reason, "panic: runtime error: slice bounds out of range [7:5] (") ||
		!strings.Contains(permanent.Reason, "panics_test.go:") {
		t.Error(err)
	}
	if verdict, err := guest.Process(otelwasm.Batch{Payload: []byte("long enough")}); err != nil || verdict.IsPass() {
		t.Error(verdict, err)
	}
}
