package main

import (
	"strings"

	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/http"
	"google.golang.org/protobuf/encoding/protowire"
)

// receiptOf reads the partial success, the first field of a response of any signal.
func receiptOf(response http.Response) (receipt otelwasm.Receipt) {
	if !isProtobuf(response) {
		return receipt
	}
	answer, isProtobuf := fieldsOf(response.Body)
	if !isProtobuf {
		return receipt // it said that it took them
	}
	partial, isProtobuf := fieldsOf(answer.text[1])
	if !isProtobuf {
		return receipt
	}
	return otelwasm.Receipt{Rejected: partial.number[1], Message: string(partial.text[2])}
}

// messageOf says why, by a google.rpc.Status, which has its text in the second field.
func messageOf(response http.Response) string {
	if isProtobuf(response) {
		status, isProtobuf := fieldsOf(response.Body)
		if !isProtobuf {
			return "a body that is no protobuf"
		}
		return string(status.text[2])
	}
	start := response.Body[:min(len(response.Body), 500)]
	return strings.TrimSpace(strings.ToValidUTF8(string(start), "\uFFFD"))
}

func isProtobuf(response http.Response) bool {
	kind, _, _ := strings.Cut(response.Headers.Get("content-type"), ";")
	return strings.TrimSpace(kind) == protobuf
}

// fields are those of a protobuf message, by their numbers; the last of each counts.
type fields struct {
	number map[protowire.Number]uint64
	text   map[protowire.Number][]byte
}

func fieldsOf(message []byte) (found fields, isProtobuf bool) {
	found = fields{map[protowire.Number]uint64{}, map[protowire.Number][]byte{}}
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return found, false
		}
		message = message[length:]
		if length = protowire.ConsumeFieldValue(number, kind, message); length < 0 {
			return found, false
		}
		switch kind {
		case protowire.VarintType:
			found.number[number], _ = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			found.text[number], _ = protowire.ConsumeBytes(message)
		}
		message = message[length:]
	}
	return found, true
}
