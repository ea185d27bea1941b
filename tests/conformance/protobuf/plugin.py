"""
A plugin that does to a protobuf message what a batch's bytes name, and answers with the result.
"""

import copy
import pickle
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format, text_format
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelwasm_sdk import Signal, key_values, processor


def a_span() -> Span:
    """
    A message with something of everything.
    """
    span = Span(name="a", kind=Span.SPAN_KIND_SERVER, trace_id=b"x" * 16)
    span.attributes.extend(key_values({"a": 1, "b": [1, "x"], "c": {"d": 2.5}}))
    span.events.add(name="e")
    return span


def a_point() -> HistogramDataPoint:
    """
    A message with lists of numbers.
    """
    return HistogramDataPoint(bucket_counts=[3, 1, 2], explicit_bounds=[1.0, 2.0], sum=1)


def error(action: Callable[[], object]) -> str:
    """
    The type of what *action* raises.
    """
    try:
        return f"nothing: {action()!r}"
    except Exception as raised:
        return type(raised).__name__


def after(message: Any, _: object) -> Any:
    """
    A message after something was done to it.
    """
    return message


MESSAGE: dict[str, Callable[[Any], Any]] = {
    "Clear": lambda s: after(s, s.Clear()),
    "ClearField": lambda s: after(s, s.ClearField("name")),
    "CopyFrom": lambda s: after(s, s.CopyFrom(Span(name="b"))),
    "MergeFrom": lambda s: after(s, s.MergeFrom(Span(name="b"))),
    "MergeFromString": lambda s: after(s, s.MergeFromString(s.SerializeToString())),
    "ParseFromString": lambda s: after(s, s.ParseFromString(Span(name="b").SerializeToString())),
    "SerializeToString": lambda s: s.SerializeToString(deterministic=True),
    "SerializePartialToString": lambda s: s.SerializePartialToString(),
    "ByteSize": lambda s: s.ByteSize(),
    "HasField": lambda s: (s.HasField("status"), error(lambda: s.HasField("name"))),
    "SetInParent": lambda s: after(s, s.status.SetInParent()),
    "WhichOneof": lambda s: [pair.value.WhichOneof("value") for pair in s.attributes],
    "ListFields": lambda s: [(field.name, value) for field, value in s.ListFields()],
    "IsInitialized": lambda s: s.IsInitialized(),
    "DiscardUnknownFields": lambda s: after(s, s.DiscardUnknownFields()),
    "FromString": lambda s: Span.FromString(s.SerializeToString()),
    "str": str,
    "repr": repr,
    "equal": lambda s: (s == a_span(), s != a_span(), s == Span(), s == 5),
    "hash": lambda s: error(lambda: hash(s)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda s: pickle.loads(pickle.dumps(s)),
    "hasattr": lambda s: (hasattr(s, "name"), hasattr(s, "nope")),
    "json": lambda s: json_format.Parse(json_format.MessageToJson(s), Span()),
    "dict": lambda s: json_format.MessageToDict(s),
    "text": lambda s: text_format.Parse(text_format.MessageToString(s), Span()),
    "descriptor": lambda s: [(field.number, field.name) for field in s.DESCRIPTOR.fields],
    "enum": lambda s: (Span.SpanKind.Name(2), Span.SpanKind.Value("SPAN_KIND_CLIENT")),
    "wrong": lambda s: [
        error(lambda: setattr(s, "nope", 1)),
        error(lambda: setattr(s, "name", 1)),
        error(lambda: setattr(s, "name", "\udc00")),
        error(lambda: setattr(s, "flags", 2**40)),
        error(lambda: setattr(s, "flags", 1.5)),
        error(lambda: Span(nope=1)),
        error(lambda: s.attributes[9]),
        error(lambda: s.attributes.append(5)),
    ],
    "list.add": lambda s: after(s, s.attributes.add(key="new")),
    "list.append": lambda s: after(s, s.attributes.append(KeyValue(key="new"))),
    "list.extend": lambda s: after(s, s.attributes.extend([KeyValue(key="new")])),
    "list.insert": lambda s: after(s, s.attributes.insert(0, KeyValue(key="new"))),
    "list.pop": lambda s: (s.attributes.pop(), s),
    "list.remove": lambda s: after(s, s.attributes.remove(s.attributes[1])),
    "list.sort": lambda s: after(s, s.attributes.sort(key=lambda pair: pair.key, reverse=True)),
    "list.reverse": lambda s: after(s, s.attributes.reverse()),
    "list.clear": lambda s: after(s, s.attributes.clear()),
    "list.del": lambda s: after(s, s.attributes.__delitem__(0)),
    "list.del slice": lambda s: after(s, s.attributes.__delitem__(slice(None))),
    "list.MergeFrom": lambda s: after(s, s.attributes.MergeFrom(a_span().attributes)),
    "list.read": lambda s: (
        len(s.attributes),
        bool(s.attributes),
        s.attributes[-1],
        s.attributes[0:2],
        list(reversed(s.attributes)),
        s.attributes == a_span().attributes,
        s.attributes[0] in s.attributes,
    ),
    "list.deepcopy": lambda s: copy.deepcopy(s.attributes),
}
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "numbers.append": lambda p: after(p, p.bucket_counts.append(4)),
    "numbers.extend": lambda p: after(p, p.bucket_counts.extend([4, 5])),
    "numbers.insert": lambda p: after(p, p.bucket_counts.insert(0, 9)),
    "numbers.set": lambda p: after(p, p.bucket_counts.__setitem__(0, 9)),
    "numbers.set slice": lambda p: after(p, p.bucket_counts.__setitem__(slice(None), [4])),
    "numbers.del": lambda p: after(p, p.bucket_counts.__delitem__(1)),
    "numbers.pop": lambda p: (p.bucket_counts.pop(), p),
    "numbers.remove": lambda p: after(p, p.bucket_counts.remove(1)),
    "numbers.sort": lambda p: after(p, p.bucket_counts.sort()),
    "numbers.reverse": lambda p: after(p, p.bucket_counts.reverse()),
    "numbers.clear": lambda p: after(p, p.bucket_counts.clear()),
    "numbers.MergeFrom": lambda p: after(p, p.bucket_counts.MergeFrom([7])),
    "numbers.read": lambda p: (
        list(p.bucket_counts),
        p.bucket_counts == [3, 1, 2],
        1 in p.bucket_counts,
        p.bucket_counts[0:2],
    ),
    "numbers.deepcopy": lambda p: copy.deepcopy(p.bucket_counts),
    "optional": lambda p: (p.HasField("sum"), after(p, p.ClearField("sum")).HasField("sum")),
}


def answer(name: str) -> bytes:
    """
    Do what *name* says, and show the result.
    """
    result = MESSAGE[name](a_span()) if name in MESSAGE else NUMBERS[name](a_point())
    return repr(result).encode()


@processor
def protobuf(payload: bytes, signal: Signal) -> bytes:
    """
    Answer a batch that is the name of something to do.
    """
    return answer(payload.decode())
