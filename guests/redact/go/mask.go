package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Masks are what is written in place of a text, and the patterns that find it, in their order.
type Masks []mask

type mask struct {
	text    string
	pattern *regexp.Regexp
}

// UnmarshalJSON reads a mapping.
func (m *Masks) UnmarshalJSON(text []byte) error {
	var patterns map[string]string
	if err := json.Unmarshal(text, &patterns); err != nil {
		return fmt.Errorf("expected a mapping of strings: %w", err)
	}
	*m = nil
	// A Go map has no order; the text has.
	decoder := json.NewDecoder(bytes.NewReader(text))
	for _, err := decoder.Token(); err == nil && decoder.More(); _, err = decoder.Token() {
		name, _ := decoder.Token()
		pattern, err := regexp.Compile(patterns[fmt.Sprint(name)])
		if err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		*m = append(*m, mask{fmt.Sprintf("<%v>", name), pattern})
	}
	return nil
}

// apply masks the texts in a value, and says whether there were any to mask.
func (m Masks) apply(value pcommon.Value) (isChanged bool) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		masked := value.Str()
		for _, mask := range m {
			masked = mask.pattern.ReplaceAllLiteralString(masked, mask.text)
		}
		// Only what differs is written: an unchanged batch goes on as it came.
		if isChanged = masked != value.Str(); isChanged {
			value.SetStr(masked)
		}
	case pcommon.ValueTypeSlice:
		for _, member := range value.Slice().All() {
			isChanged = m.apply(member) || isChanged
		}
	case pcommon.ValueTypeMap:
		for _, member := range value.Map().All() {
			isChanged = m.apply(member) || isChanged
		}
	}
	return isChanged
}
