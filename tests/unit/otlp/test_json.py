"""
OTLP/JSON is written as the Collector writes it and read as the specification says.
"""

import base64
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.otlp.json import from_json, to_json
from otelwasm.otlp.signals import SERVICES
from otelwasm.signals import Signal
from unit.otlp.messages import few_examples, requests
from unit.otlp.payloads import NOW_NS, a_payload

every_signal = pytest.mark.parametrize("signal", Signal)


def read(signal: Signal, text: str | bytes) -> Message:
    """
    Read OTLP/JSON and decode what came of it.
    """
    data = text.encode() if isinstance(text, str) else text
    return SERVICES[signal].request.FromString(from_json(signal, data))


def a_span_with(members: str) -> str:
    """
    Return the JSON of one span with these members.
    """
    return f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{members}}}]}}]}}]}}'


def span_of(request: Message) -> Message:
    """
    Return the only span of a request.
    """
    assert isinstance(request, ExportTraceServiceRequest)
    return request.resource_spans[0].scope_spans[0].spans[0]


@every_signal
def test_reading_undoes_writing(signal: Signal) -> None:
    """
    Every field of every signal survives the way to JSON and back.
    """
    payload = a_payload(signal, 10)

    line = to_json(signal, payload)

    assert line == to_json(signal, from_json(signal, line))
    assert len(payload) <= len(from_json(signal, line))


@every_signal
def test_a_batch_is_one_line_without_blanks(signal: Signal) -> None:
    """
    A batch is written as one line in which no blank stands between the members.
    """
    line = to_json(signal, a_payload(signal, 2))

    text = json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=False)
    assert text.encode() == line
    assert b"\n" not in line


def test_span_is_written_as_the_specification_says() -> None:
    """
    Ids are hexadecimal, enums numbers, 64-bit integers strings, and bytes base64.
    """
    tree = json.loads(to_json(Signal.TRACES, a_payload(Signal.TRACES)))

    (group,) = tree["resourceSpans"]
    (scope,) = group["scopeSpans"]
    (span,) = scope["spans"]
    attributes = {item["key"]: item["value"] for item in span.pop("attributes")}
    assert group["schemaUrl"] == "https://example.com/1"
    assert scope["scope"] == {"name": "shop", "version": "1.2.3"}
    assert {
        "traceId": "101112131415161718191a1b1c1d1e1f",
        "spanId": "a0a1a2a3a4a5a6a7",
        "parentSpanId": "a0a1a2a3a4a5a6a7",
        "traceState": "a=b",
        "flags": 257,
        "name": "span 0",
        "kind": 3,
        "startTimeUnixNano": str(NOW_NS),
        "endTimeUnixNano": str(NOW_NS),
        "events": [{"timeUnixNano": str(NOW_NS), "name": "tried again"}],
        "links": [{"traceId": "101112131415161718191a1b1c1d1e1f", "spanId": "a0a1a2a3a4a5a6a7"}],
        "status": {"message": "no", "code": 2},
    } == span
    assert {
        "text": {"stringValue": "GET"},
        "empty": {"stringValue": ""},
        "whole": {"intValue": str(-(2**63))},
        "zero": {"intValue": "0"},
        "real": {"doubleValue": 1.5},
        "nan": {"doubleValue": "NaN"},
        "truth": {"boolValue": False},
        "bytes": {"bytesValue": "AP8="},
        "list": {"arrayValue": {"values": [{"stringValue": 'é"\n'}, {}]}},
        "nothing": {},
    } == attributes


def test_single_messages_are_written_even_if_empty() -> None:
    """
    As in the Collector's files, resource, scope and status are always there; zero ids never.
    """
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes(16), name="a")

    line = to_json(Signal.TRACES, request.SerializeToString())

    assert (
        line == b'{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},'
        b'"spans":[{"name":"a","status":{}}]}]}]}'
    )


def test_profiles_write_their_ids_as_hexadecimal() -> None:
    """
    A profile's id and the ids of its links are hexadecimal too; its tables come along.
    """
    tree = json.loads(to_json(Signal.PROFILES, a_payload(Signal.PROFILES)))

    (profile,) = tree["resourceProfiles"][0]["scopeProfiles"][0]["profiles"]
    assert profile["profileId"] == "101112131415161718191a1b1c1d1e1f"
    assert profile["originalPayload"] == "//4="
    assert ["1", str(2**40)] == profile["samples"][0]["values"]
    assert tree["dictionary"]["linkTable"][0]["spanId"] == "a0a1a2a3a4a5a6a7"


@pytest.mark.parametrize(
    "members",
    [
        '"traceId":"5B8EFFF798038103D269B633813FC60C","kind":2,"startTimeUnixNano":"1","flags":1',
        '"traceId":"5b8efff798038103d269b633813fc60c","kind":2,"startTimeUnixNano":1,"flags":"1"',
        '"trace_id":"5b8efff798038103d269b633813fc60c","kind":"SPAN_KIND_SERVER",'
        '"start_time_unix_nano":1,"flags":1',
        '"traceId":"5b8efff798038103d269b633813fc60c","kind":2,"startTimeUnixNano":1,"flags":1,'
        '"new":{"traceId":"5b8efff798038103d269b633813fc60c"},"name":null,"parentSpanId":""',
    ],
    ids=["upper case", "numbers", "original names", "unknown, null and empty members"],
)
def test_lenient_forms_mean_the_same(members: str) -> None:
    """
    Ids in capitals, 64-bit numbers, original names, null and unknown members are understood.
    """
    span = span_of(read(Signal.TRACES, a_span_with(members)))

    assert bytes.fromhex("5b8efff798038103d269b633813fc60c") == span.trace_id  # type: ignore[attr-defined]
    assert (span.kind, span.start_time_unix_nano, span.flags, span.parent_span_id) == (2, 1, 1, b"")  # type: ignore[attr-defined]


def test_enum_numbers_of_a_later_version_are_kept() -> None:
    """
    A number that an enum does not name is kept, as in the binary form.
    """
    assert span_of(read(Signal.TRACES, a_span_with('"kind":99'))).kind == 99  # type: ignore[attr-defined]


def test_keys_of_attributes_are_not_taken_for_ids() -> None:
    """
    An attribute may be called traceId and hold any text.
    """
    text = '"attributes":[{"key":"traceId","value":{"stringValue":"not hex"}}]'

    span = span_of(read(Signal.TRACES, a_span_with(text)))

    assert span.attributes[0].value.string_value == "not hex"  # type: ignore[attr-defined]


def test_numbers_with_special_values_are_read() -> None:
    """
    NaN and the infinities are strings; exponents are numbers.
    """
    values = ['"NaN"', '"Infinity"', '"-Infinity"', "1e3", '"2.5"', "3"]
    body = ",".join(f'{{"body":{{"doubleValue":{value}}}}}' for value in values)
    text = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{body}]}}]}}]}}'

    request = read(Signal.LOGS, text)

    assert isinstance(request, ExportLogsServiceRequest)
    bodies = [r.body.double_value for r in request.resource_logs[0].scope_logs[0].log_records]
    assert [str(value) for value in bodies] == ["nan", "inf", "-inf", "1000.0", "2.5", "3.0"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("{", "line 1 column 2"),
        ("[]", "an object was expected, not a list"),
        ('{"resourceSpans":5}', "resourceSpans"),
        ('{"resourceSpans":[5]}', "resourceSpans"),
        (a_span_with('"traceId":"zz"'), "traceId: 'zz' is not hexadecimal"),
        (a_span_with('"traceId":"AAAAAAAAAAAAAAAAAAAAAA=="'), "is not hexadecimal"),
        (a_span_with('"spanId":"0102"'), "spanId: '0102' has 2 bytes, not 8"),
        (a_span_with('"spanId":7'), "spanId: a string was expected, not 7"),
        (a_span_with('"name":7'), "name"),
        (a_span_with('"kind":1.5'), "kind: a whole number was expected, not 1.5"),
        (a_span_with('"kind":true'), "kind: a whole number was expected, not true"),
        (a_span_with('"kind":"SPAN_KIND_NONE"'), 'kind: a whole number was expected, not "SPAN'),
        (a_span_with('"kind":4294967296'), "kind: 4294967296 is out of range"),
        (a_span_with('"startTimeUnixNano":"-1"'), "startTimeUnixNano: -1 is out of range"),
        (a_span_with('"startTimeUnixNano":"1_0"'), "startTimeUnixNano: a whole number was"),
        (a_span_with('"events":null,"links":[null]'), "links[0]: an object was expected, not null"),
        (a_span_with('"startTimeUnixNano":NaN'), "NaN is not JSON"),
        (a_span_with('"name":"\\ud800"'), "name"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 900 + "1" + "}" * 900, None),
    ],
)
def test_bad_json_is_refused_with_a_reason(text: str, reason: str | None) -> None:
    """
    What is no OTLP/JSON is a ValueError that tells its sender why; nothing worse is raised.
    """
    if reason is None:
        from_json(Signal.TRACES, text.encode())
        return
    with pytest.raises(ValueError, match="no traces request: ") as refused:
        from_json(Signal.TRACES, text.encode())

    assert reason in str(refused.value)


def test_deeply_nested_values_are_refused() -> None:
    """
    Values that nest deeper than protobuf reads are refused, not crashed upon.
    """
    value = '{"arrayValue":{"values":[' * 150 + "{}" + "]}}" * 150
    text = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}'

    with pytest.raises(ValueError, match="no logs request: "):
        from_json(Signal.LOGS, text.encode())


@pytest.mark.parametrize("data", [b"\xff", b'{"a":"\xff"}', b"\x1f\x8b\x08\x00"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    """
    Bytes that are not UTF-8 are refused.
    """
    with pytest.raises(ValueError, match="no metrics request: "):
        from_json(Signal.METRICS, data)


def test_malformed_payload_is_not_written() -> None:
    """
    Bytes that are no request cannot be written as one.
    """
    with pytest.raises(ValueError, match="no metrics request: "):
        to_json(Signal.METRICS, b"\x0a\x05")


@every_signal
@few_examples
@given(data=st.data())
def test_any_request_survives_json(signal: Signal, data: st.DataObject) -> None:
    """
    Whatever a request holds, its JSON, read again, is written the same.
    """
    payload = data.draw(requests(signal)).SerializeToString()

    line = to_json(signal, payload)

    assert line == to_json(signal, from_json(signal, line))


@every_signal
@few_examples
@given(data=st.data())
def test_protobuf_reads_what_is_written(signal: Signal, data: st.DataObject) -> None:
    """
    But for the ids, what is written is protobuf's own JSON of the same request.
    """
    request = data.draw(requests(signal))

    tree = json.loads(to_json(signal, request.SerializeToString()))

    expected = MessageToDict(request, use_integers_for_enums=True)
    assert with_hex_ids(expected) == without_empty_objects(tree, expected)


@every_signal
@few_examples
@given(data=st.data())
def test_protobuf_writes_what_is_read(signal: Signal, data: st.DataObject) -> None:
    """
    But for the ids, protobuf's own JSON is read as the same request.
    """
    request = data.draw(requests(signal))
    for enums_are_numbers in (False, True):
        tree = with_hex_ids(MessageToDict(request, use_integers_for_enums=enums_are_numbers))

        payload = from_json(signal, json.dumps(tree).encode())

        assert str(request) == str(SERVICES[signal].request.FromString(payload))


def with_hex_ids(tree: Any) -> Any:
    """
    Rewrite the base64 of protobuf's ids as OTLP's hexadecimal.
    """
    if isinstance(tree, list):
        return [with_hex_ids(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ids = {"traceId", "spanId", "parentSpanId", "profileId"}
    return {
        name: base64.b64decode(value).hex() if name in ids else with_hex_ids(value)
        for name, value in tree.items()
    }


def without_empty_objects(tree: Any, expected: Any) -> Any:
    """
    Leave out the members that are there only because single messages are always written.
    """
    if isinstance(tree, list):
        return [without_empty_objects(*pair) for pair in zip(tree, expected, strict=True)]
    if not isinstance(tree, dict):
        return tree
    return {
        name: without_empty_objects(value, expected.get(name, {}))
        for name, value in tree.items()
        if name in expected or without_empty_objects(value, {}) != {}
    }
