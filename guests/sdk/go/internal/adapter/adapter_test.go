package adapter

import (
	"errors"
	"strings"
	"testing"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
)

// words decodes to its words.
var words = Form[*[]string]{
	Signal: otelwasm.Logs,
	Decode: func(payload []byte) (*[]string, error) {
		if strings.Contains(string(payload), "!") {
			return nil, errors.New("no words")
		}
		found := strings.Fields(string(payload))
		return &found, nil
	},
	Items:  func(found *[]string) int { return len(*found) },
	Encode: func(found *[]string) ([]byte, error) { return []byte(strings.Join(*found, " ")), nil },
}

// A batch that is left alone passes, one that is emptied is dropped, any other replaced.
func TestVerdicts(t *testing.T) {
	made := NewProcessor("a plugin")
	Change(made, words, func(found *[]string) (bool, error) {
		if (*found)[0] == "fail" {
			return false, errors.New("failed")
		}
		before := len(*found)
		for i := len(*found) - 1; i >= 0; i-- {
			if (*found)[i] == "noise" {
				*found = append((*found)[:i], (*found)[i+1:]...)
			}
		}
		return len(*found) != before, nil
	})
	for text, expected := range map[string]string{
		"a  b":    "pass a  b",
		"a noise": "replace a",
		"noise":   "drop",
		"fail":    "failed",
		"!":       "the payload is no request of logs: no words",
	} {
		batch := otelwasm.Batch{Signal: otelwasm.Logs, Payload: []byte(text)}

		verdict, err := made.Process(batch)

		actual := "drop"
		if payload, isSent := verdict.Payload(batch); err != nil {
			actual = err.Error()
		} else if verdict.IsPass() {
			actual = "pass " + string(payload)
		} else if isSent {
			actual = "replace " + string(payload)
		}
		if expected != actual {
			t.Errorf("%q: %q", text, actual)
		}
	}
	if _, err := made.Process(otelwasm.Batch{Signal: otelwasm.Traces}); err == nil {
		t.Error("a signal without a method was handled")
	}
	if made.Unwrap() != "a plugin" || len(made.Handles()) != 1 || made.Check("Process", "Logs") != nil {
		t.Errorf("%+v", made)
	}
}

// A plugin that handles nothing is told what is missing.
func TestNothingToHandle(t *testing.T) {
	err := NewExporter(1).Check("Send", "Traces, Metrics or Logs")

	if err == nil || err.Error() != "int has no method Send and then Traces, Metrics or Logs" {
		t.Error(err)
	}
}
