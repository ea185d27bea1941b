package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

type condition struct {
	Name     *regexp.Regexp            `json:"name"`
	Below    *int                      `json:"severity_below"`
	Resource map[string]*regexp.Regexp `json:"resource"`
}

type settings struct {
	Key    string      `json:"key"`
	Value  any         `json:"value"`
	Share  float64     `json:"share"`
	Limit  int         `json:"limit_bytes"`
	Keys   []string    `json:"keys"`
	Drop   []condition `json:"drop"`
	hidden int
}

func defaults() settings { return settings{Key: "a", Keys: []string{"x", "y"}, Limit: 7, hidden: 1} }

// What is not given keeps its default; what is given replaces it as a whole.
func TestGivenValuesReplaceDefaults(t *testing.T) {
	config := defaults()

	err := Decode(`{"share": 0.5, "keys": ["z"], "value": 1, "drop": [{"severity_below": 9}]}`, &config)

	nine := 9
	expected := defaults()
	expected.Share, expected.Keys, expected.Value = 0.5, []string{"z"}, int64(1)
	expected.Drop = []condition{{Below: &nine}}
	if err != nil || !reflect.DeepEqual(expected, config) {
		t.Errorf("%v, %+v", err, config)
	}
}

// A pattern is compiled where it stands.
func TestPatternsAreCompiled(t *testing.T) {
	var config settings

	err := Decode(`{"drop": [{"name": "GET .*", "resource": {"a.b": "c"}}]}`, &config)

	if err != nil || !config.Drop[0].Name.MatchString("GET /") || config.Drop[0].Resource["a.b"] == nil {
		t.Errorf("%v, %+v", err, config)
	}
}

// A number in an interface stays whole if it is written so.
func TestNumbersOfAnyKind(t *testing.T) {
	for text, expected := range map[string]any{"1": int64(1), "1.0": 1.0, "true": true, `"x"`: "x", "null": nil} {
		var config settings

		err := Decode(`{"value": `+text+`}`, &config)

		if err != nil || config.Value != expected {
			t.Errorf("%s: %v, %#v", text, err, config.Value)
		}
	}
}

// A mistake is said with its place.
func TestMistakesNameTheirPlace(t *testing.T) {
	for text, expected := range map[string]string{
		`{"kye": 1}`:                         "config.kye: unknown key; known keys: key, value, share, limit_bytes, keys, drop",
		`{"KEY": "a"}`:                       "config.KEY: unknown key; known keys: key, ",
		`{"hidden": 1}`:                      "config.hidden: unknown key",
		`{"key": 1}`:                         "config.key: expected string, got 1",
		`{"key": null}`:                      "config.key: expected string, got null",
		`{"share": "a lot"}`:                 "config.share: expected float, got string",
		`{"limit_bytes": 1.5}`:               "config.limit_bytes: expected int, got 1.5",
		`{"keys": "x"}`:                      "config.keys: expected a list, got string",
		`{"keys": ["x", 2]}`:                 "config.keys[1]: expected string, got 2",
		`{"drop": {"name": "x"}}`:            "config.drop: expected a list, got a mapping",
		`{"drop": [{}, {"severity": 3}]}`:    "config.drop[1].severity: unknown key",
		`{"drop": [{"name": "("}]}`:          "config.drop[0].name: error parsing regexp",
		`{"drop": [{"resource": {"k": 3}}]}`: "config.drop[0].resource.k: expected string, got 3",
		`[]`:                                 "config: expected a mapping, got a list",
		`{`:                                  "config: unexpected end of JSON input",
	} {
		config := defaults()

		err := Decode(text, &config)

		if err == nil || !strings.HasPrefix(err.Error(), expected) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
