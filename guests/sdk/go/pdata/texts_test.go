package pdata

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
)

// testdata/texts.json says how values are written as texts; the SDKs for Python and Rust are held
// against the same file, so that a pattern matches the same values in every language.
func TestTheTextsOfValuesAreThoseThatPdataWrites(t *testing.T) {
	file, err := os.ReadFile("testdata/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Value json.RawMessage
		Text  string
	}
	if err := json.Unmarshal(file, &cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases {
		request := fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":%s}]}]}]}`, one.Value)
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(request))
		if err != nil {
			t.Fatalf("%s: %v", one.Value, err)
		}
		text := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().AsString()
		if text != one.Text {
			t.Errorf("%s: wanted %q, got %q", one.Value, one.Text, text)
		}
	}
}
