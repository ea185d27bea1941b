"""
Read a request's frame only: which groups, scopes and items it has, each item as its bytes.

The messages here are OTLP's own with everything left out but the way down to the items, so
protobuf keeps the rest as unknown fields, in order, and writes it back. All four signals have
the same frame. Reading it costs about a twentieth of reading the request.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from otelwasm.signals import Signal

__all__ = ["request_class", "trace_id"]

# Metric's oneof, in the order of their numbers; each holds its points as field 1.
_POINT_FIELDS = {"gauge": 5, "sum": 7, "histogram": 9, "exponential_histogram": 10, "summary": 11}
# The field of an item that names its trace.
_TRACE_IDS = {Signal.TRACES: 1, Signal.LOGS: 9}
# How nearly every span begins: field 1, 16 bytes.
_TRACE_ID_FIRST = b"\x0a\x10"


def _build() -> DescriptorPool:
    """
    Declare the frame: Request > Group (resource) > Scope > item, or > Metric > Points > item.
    """
    points = _message("Points", items=(1, None))
    metric = _message("Metric", **{name: (n, ".Points") for name, n in _POINT_FIELDS.items()})
    metric.oneof_decl.add(name="data")
    for field in metric.field:
        field.label = FieldDescriptorProto.LABEL_OPTIONAL
        field.oneof_index = 0
    file = FileDescriptorProto(name="otelwasm/skeleton.proto", syntax="proto3")
    file.message_type.extend(
        [
            points,
            metric,
            _message("Scope", children=(2, None)),
            _message("Group", children=(2, ".Scope")),
            _message("Request", children=(1, ".Group")),
            _message("MetricScope", children=(2, ".Metric")),
            _message("MetricGroup", children=(2, ".MetricScope")),
            _message("MetricRequest", children=(1, ".MetricGroup")),
            _message("Span", trace_id=(_TRACE_IDS[Signal.TRACES], None)),
            _message("LogRecord", trace_id=(_TRACE_IDS[Signal.LOGS], None)),
        ]
    )
    pool = DescriptorPool()
    pool.Add(file)
    return pool


def _message(name: str, **fields: tuple[int, str | None]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for field_name, (number, type_name) in fields.items():
        field = message.field.add(name=field_name, number=number)
        field.label = FieldDescriptorProto.LABEL_REPEATED
        field.type = FieldDescriptorProto.TYPE_BYTES
        if type_name is not None:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = type_name
    return message


_POOL = _build()
_REQUEST: Any = GetMessageClass(_POOL.FindMessageTypeByName("Request"))
_METRIC_REQUEST: Any = GetMessageClass(_POOL.FindMessageTypeByName("MetricRequest"))


def request_class(signal: Signal) -> Any:
    """
    Return the message class that reads the frame of this signal's request.
    """
    return _METRIC_REQUEST if signal is Signal.METRICS else _REQUEST


_ITEMS: Any = {
    Signal.TRACES: GetMessageClass(_POOL.FindMessageTypeByName("Span")),
    Signal.LOGS: GetMessageClass(_POOL.FindMessageTypeByName("LogRecord")),
}


def trace_id(signal: Signal, item: bytes) -> bytes:
    """
    Return the id of the trace that a span or a log record belongs to; empty if it has none.

    Raises DecodeError if *item* is not well-formed.
    """
    if signal is Signal.TRACES and item.startswith(_TRACE_ID_FIRST) and len(item) >= 18:
        return item[2:18]
    found = _ITEMS[signal].FromString(item).trace_id
    return bytes(found[-1]) if found else b""
