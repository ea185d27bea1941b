package collector

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// decode writes what is given over the processor's default configuration, as the Collector does.
func decode(given json.RawMessage, config component.Config) error {
	decoder := json.NewDecoder(bytes.NewReader(given))
	decoder.UseNumber()
	var keys map[string]any
	if err := decoder.Decode(&keys); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if err := confmap.NewFromStringMap(plain(keys).(map[string]any)).Unmarshal(config); err != nil {
		return inOneLine(err)
	}
	if err := xconfmap.Validate(config); err != nil {
		return inOneLine(err)
	}
	return nil
}

// plain gives numbers the types that they have when the Collector reads YAML: int where there is
// no point and no exponent.
func plain(value any) any {
	switch given := value.(type) {
	case json.Number:
		if whole, err := given.Int64(); err == nil {
			return int(whole)
		}
		number, _ := given.Float64()
		return number
	case map[string]any:
		for key, member := range given {
			given[key] = plain(member)
		}
	case []any:
		for place, member := range given {
			given[place] = plain(member)
		}
	}
	return value
}
