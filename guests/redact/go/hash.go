package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// hash returns a value's SHA-256 in hexadecimal; empty values stay empty. Without salt it equals
// what the Collector's attributes processor makes of strings, numbers and booleans.
func hash(value pcommon.Value, salt string) string {
	data := bytesToHash(value)
	if len(data) == 0 {
		return ""
	}
	sum := sha256.Sum256(append([]byte(salt), data...))
	return hex.EncodeToString(sum[:])
}

func bytesToHash(value pcommon.Value) []byte {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return []byte(value.Str())
	case pcommon.ValueTypeBool:
		if value.Bool() {
			return []byte{1}
		}
		return []byte{0}
	case pcommon.ValueTypeInt:
		return binary.LittleEndian.AppendUint64(nil, uint64(value.Int()))
	case pcommon.ValueTypeDouble:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(value.Double()))
	case pcommon.ValueTypeBytes:
		return value.Bytes().AsRaw()
	case pcommon.ValueTypeEmpty:
		return nil
	default:
		return []byte(value.AsString())
	}
}
