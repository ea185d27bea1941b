package main

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"google.golang.org/grpc/mem"
)

const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// raw is a gRPC codec that hands bodies on as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*message.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, message any) error {
	*message.(*[]byte) = data.Materialize()
	return nil
}

// countSpans counts the spans of a trace request: field 2 of field 2 of field 1.
func countSpans(request []byte) (spans int, err error) {
	err = each(request, 1, func(resource []byte) error {
		return each(resource, 2, func(scope []byte) error {
			return each(scope, 2, func([]byte) error {
				spans++
				return nil
			})
		})
	})
	return spans, err
}

// marked counts the spans' attributes of the key that the pipeline sets.
func marked(request []byte) int {
	return bytes.Count(request, []byte("\x0a\x03env"))
}

// each calls visit with every length-delimited field of that number.
func each(message []byte, number uint64, visit func([]byte) error) error {
	for len(message) > 0 {
		tag, size := binary.Uvarint(message)
		if size <= 0 {
			return fmt.Errorf("no tag in %d bytes", len(message))
		}
		message = message[size:]
		switch tag & 7 {
		case 0:
			if _, size = binary.Uvarint(message); size <= 0 {
				return fmt.Errorf("no varint in %d bytes", len(message))
			}
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			length, digits := binary.Uvarint(message)
			if digits <= 0 || length > uint64(len(message)-digits) {
				return fmt.Errorf("no field of %d bytes in %d", length, len(message))
			}
			size = digits + int(length)
			if tag>>3 == number {
				if err := visit(message[digits:size]); err != nil {
					return err
				}
			}
		default:
			return fmt.Errorf("wire type %d", tag&7)
		}
		if size > len(message) {
			return fmt.Errorf("%d bytes left of %d", len(message), size)
		}
		message = message[size:]
	}
	return nil
}
