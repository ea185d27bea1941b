// Package config decodes a plugin's configuration, JSON, into the author's struct; it says what
// does not fit, and where.
package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Decode writes what text says over config, a pointer, which may hold defaults. Lists and
// mappings that are given replace those of the defaults as a whole.
//
// It reads what encoding/json reads, less some: keys are those of the struct, in their case; null
// is for pointers and interfaces. A number in an interface is an int64 if it is written as one.
func Decode(text string, config any) error {
	return decode([]byte(text), reflect.ValueOf(config).Elem(), "config")
}

// A place in the configuration, as messages name it: config.drop[1].name.
type place = string

func decode(raw []byte, into reflect.Value, where place) error {
	raw = bytes.TrimSpace(raw)
	switch custom := into.Addr().Interface().(type) {
	case json.Unmarshaler:
		if err := custom.UnmarshalJSON(raw); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		return nil
	case encoding.TextUnmarshaler:
		var text string
		if err := exactly(raw, &text, "string", where); err != nil {
			return err
		}
		if err := custom.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		return nil
	}
	switch into.Kind() {
	case reflect.Pointer:
		return decodePointer(raw, into, where)
	case reflect.Interface:
		return decodeAny(raw, into, where)
	case reflect.Struct:
		return decodeStruct(raw, into, where)
	case reflect.Map:
		return decodeMap(raw, into, where)
	case reflect.Slice:
		return decodeSlice(raw, into, where)
	default:
		return exactly(raw, into.Addr().Interface(), strings.TrimRight(into.Kind().String(), "0123456789"), where)
	}
}

func decodePointer(raw []byte, into reflect.Value, where place) error {
	if string(raw) == "null" {
		into.SetZero()
		return nil
	}
	made := reflect.New(into.Type().Elem())
	if err := decode(raw, made.Elem(), where); err != nil {
		return err
	}
	into.Set(made)
	return nil
}

func decodeAny(raw []byte, into reflect.Value, where place) error {
	if into.NumMethod() > 0 {
		return fmt.Errorf("%s: a configuration cannot hold %s", where, into.Type())
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	value, err := numbers(value)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if value == nil {
		into.SetZero()
	} else {
		into.Set(reflect.ValueOf(value))
	}
	return nil
}

// numbers puts an int64 or a float64 in the place of each json.Number.
func numbers(value any) (_ any, err error) {
	switch value := value.(type) {
	case json.Number:
		if !strings.ContainsAny(value.String(), ".eE") {
			return value.Int64()
		}
		return value.Float64()
	case []any:
		for i, member := range value {
			if value[i], err = numbers(member); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key, member := range value {
			if value[key], err = numbers(member); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

func decodeStruct(raw []byte, into reflect.Value, where place) error {
	given, err := members(raw, where)
	if err != nil {
		return err
	}
	known := map[string]reflect.Value{}
	names := fields(into, known, nil)
	for _, member := range given {
		field, ok := known[member.key]
		if !ok {
			if len(names) == 0 {
				names = []string{"none"}
			}
			return fmt.Errorf(
				"%s.%s: unknown key; known keys: %s", where, member.key, strings.Join(names, ", "),
			)
		}
		if err := decode(member.value, field, where+"."+member.key); err != nil {
			return err
		}
	}
	return nil
}

// fields collects the keys of a struct, and of those embedded in it.
func fields(in reflect.Value, known map[string]reflect.Value, names []string) []string {
	for i := range in.NumField() {
		field := in.Type().Field(i)
		tag, tagged := field.Tag.Lookup("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
		case field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct:
			names = fields(in.Field(i), known, names)
		case field.IsExported():
			if !tagged || name == "" {
				name = field.Name
			}
			known[name] = in.Field(i)
			names = append(names, name)
		}
	}
	return names
}

func decodeMap(raw []byte, into reflect.Value, where place) error {
	if into.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("%s: a configuration cannot hold %s", where, into.Type())
	}
	given, err := members(raw, where)
	if err != nil {
		return err
	}
	made := reflect.MakeMapWithSize(into.Type(), len(given))
	for _, member := range given {
		value := reflect.New(into.Type().Elem()).Elem()
		if err := decode(member.value, value, where+"."+member.key); err != nil {
			return err
		}
		made.SetMapIndex(reflect.ValueOf(member.key).Convert(into.Type().Key()), value)
	}
	into.Set(made)
	return nil
}

func decodeSlice(raw []byte, into reflect.Value, where place) error {
	var given []json.RawMessage
	if err := exactly(raw, &given, "a list", where); err != nil {
		return err
	}
	made := reflect.MakeSlice(into.Type(), len(given), len(given))
	for i, member := range given {
		if err := decode(member, made.Index(i), fmt.Sprintf("%s[%d]", where, i)); err != nil {
			return err
		}
	}
	into.Set(made)
	return nil
}

type member struct {
	key   string
	value json.RawMessage
}

// members returns what a mapping holds, in its order.
func members(raw []byte, where place) ([]member, error) {
	var held map[string]json.RawMessage
	if err := exactly(raw, &held, "a mapping", where); err != nil {
		return nil, err
	}
	found := make([]member, 0, len(held))
	decoder := json.NewDecoder(bytes.NewReader(raw))
	for _, err := decoder.Token(); err == nil && decoder.More(); {
		var key any
		if key, err = decoder.Token(); err == nil {
			var value json.RawMessage
			err = decoder.Decode(&value)
			found = append(found, member{fmt.Sprint(key), value})
		}
	}
	return found, nil
}

// exactly decodes a value that has to be what is expected.
func exactly(raw []byte, into any, expected string, where place) error {
	err := json.Unmarshal(raw, into)
	if _, isSyntax := err.(*json.SyntaxError); isSyntax {
		return fmt.Errorf("%s: %w", where, err)
	}
	if err != nil || string(raw) == "null" {
		return fmt.Errorf("%s: expected %s, got %s", where, expected, kind(raw))
	}
	return nil
}

// kind says what a JSON value is.
func kind(raw []byte) string {
	switch raw[0] {
	case '{':
		return "a mapping"
	case '[':
		return "a list"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	default:
		return string(raw)
	}
}
