package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	mostNesting = 200
	// What OTLP can hold: a message may nest 100 deep, and a map takes three levels.
	mostNestingInOTLP = 30
)

// object is a JSON object; OTLP's maps keep the order of its members.
type object struct {
	members pcommon.Map
	// The JSON, where it nests deeper, or has a larger number, than OTLP can hold.
	beyondOTLP []byte
}

func readObject(body []byte) (object, error) {
	value := pcommon.NewValueEmpty()
	reading := reader{Decoder: json.NewDecoder(bytes.NewReader(body))}
	reading.hasReplacement = bytes.ContainsRune(body, utf8.RuneError)
	reading.UseNumber()
	err := errors.New("it is no UTF-8")
	if utf8.Valid(body) {
		err = reading.value(value, 0)
	}
	if err == nil {
		if _, end := reading.Token(); end != io.EOF {
			err = errors.New("there is more after it")
		}
	}
	switch {
	case err != nil:
		return object{}, refusal{400, fmt.Sprintf("the body is no JSON: %v", err)}
	case value.Type() != pcommon.ValueTypeMap:
		return object{}, refusal{400, "the body is no JSON object"}
	case reading.isBeyondOTLP:
		return object{value.Map(), body}, nil
	}
	return object{members: value.Map()}, nil
}

type reader struct {
	*json.Decoder
	hasReplacement bool
	isBeyondOTLP   bool
}

func (r *reader) value(into pcommon.Value, nesting int) error {
	token, err := r.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case string:
		r.setText(into, token)
	case bool:
		into.SetBool(token)
	case json.Number:
		r.setNumber(into, token)
	case json.Delim:
		if nesting++; nesting > mostNesting {
			return fmt.Errorf("it nests more than %d levels", mostNesting)
		}
		r.isBeyondOTLP = r.isBeyondOTLP || nesting > mostNestingInOTLP
		if token == '[' {
			err = r.list(into.SetEmptySlice(), nesting)
		} else {
			err = r.mapping(into.SetEmptyMap(), nesting)
		}
		if err != nil {
			return err
		}
		_, err = r.Token() // its end
	}
	return err
}

func (r *reader) list(into pcommon.Slice, nesting int) error {
	for r.More() {
		if err := r.value(into.AppendEmpty(), nesting); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) mapping(into pcommon.Map, nesting int) error {
	for r.More() {
		key, err := r.Token()
		if err != nil {
			return err
		}
		if err := r.value(into.PutEmpty(fmt.Sprint(key)), nesting); err != nil {
			return err
		}
	}
	return nil
}

// setText takes half a surrogate pair, which JSON can escape but UTF-8 cannot say, for a text that
// is beyond OTLP; Go puts a replacement character in its place.
func (r *reader) setText(into pcommon.Value, text string) {
	isHalf := !r.hasReplacement && strings.ContainsRune(text, utf8.RuneError)
	r.isBeyondOTLP = r.isBeyondOTLP || isHalf
	into.SetStr(text)
}

func (r *reader) setNumber(into pcommon.Value, number json.Number) {
	if !strings.ContainsAny(number.String(), ".eE") {
		whole, err := number.Int64()
		r.isBeyondOTLP = r.isBeyondOTLP || err != nil
		into.SetInt(whole)
		return
	}
	float, _ := number.Float64()
	into.SetDouble(float)
}

// writeTo writes all of it.
func (o object) writeTo(value pcommon.Value) {
	if o.beyondOTLP != nil {
		value.SetStr(string(o.beyondOTLP))
		return
	}
	o.members.CopyTo(value.SetEmptyMap())
}

// text returns the text at a path of keys; empty for none.
func (o object) text(path ...string) string {
	at := o.members
	for i, key := range path {
		value, ok := at.Get(key)
		switch {
		case !ok:
			return ""
		case i == len(path)-1 && value.Type() == pcommon.ValueTypeStr:
			return value.Str()
		case value.Type() != pcommon.ValueTypeMap:
			return ""
		}
		at = value.Map()
	}
	return ""
}

// texts returns the object at a key; an empty one for none.
func (o object) texts(key string) object {
	value, ok := o.members.Get(key)
	if !ok || value.Type() != pcommon.ValueTypeMap {
		return object{members: pcommon.NewMap()}
	}
	return object{members: value.Map()}
}

// list returns the objects in the list at a key; false if it is something else.
func (o object) list(key string) ([]object, bool) {
	value, ok := o.members.Get(key)
	if !ok || value.Type() != pcommon.ValueTypeSlice {
		return nil, false
	}
	var objects []object
	for _, member := range value.Slice().All() {
		if member.Type() != pcommon.ValueTypeMap {
			return nil, false
		}
		objects = append(objects, object{members: member.Map()})
	}
	return objects, true
}
