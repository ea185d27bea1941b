"""
Turn a batch's bytes into OTLP/JSON, as the Collector writes it, and OTLP/JSON into bytes.

OTLP's JSON is protobuf's JSON mapping with three differences: trace, span and profile ids are
hexadecimal, enums are numbers, and unknown fields are ignored. As the Collector does, single
messages (`resource`, `scope`, `status`, `value`) are written even if empty, ids of only zeros are
left out, and a reader takes a field's original name (`trace_id`) too.
"""

import base64
import functools
import json
import math
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from otelwasm.otlp.signals import SERVICES
from otelwasm.signals import Signal

__all__ = ["from_json", "to_json"]

_Write = Callable[[Any], Any]

_ID_SIZES = {
    "traceId": 16,
    "trace_id": 16,
    "spanId": 8,
    "span_id": 8,
    "parentSpanId": 8,
    "parent_span_id": 8,
    "profileId": 16,
    "profile_id": 16,
}
_64_BITS = {
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
}


def to_json(signal: Signal, payload: bytes) -> bytes:
    """
    Write *payload* as one line of OTLP/JSON, without the newline.

    Raises ValueError if it is not a well-formed request of that signal.
    """
    request = SERVICES[signal].request()
    try:
        request.ParseFromString(payload)
    except DecodeError as error:
        raise ValueError(f"no {signal.label} request: {error}") from error
    tree = _writer(request.DESCRIPTOR)(request)
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"), check_circular=False).encode(
        "utf-8", "surrogatepass"
    )


def from_json(signal: Signal, data: bytes) -> bytes:
    """
    Read an OTLP/JSON request into the bytes of the protobuf request.

    Raises ValueError, with a reason that its sender can read, if it is not one.
    """
    try:
        tree = json.loads(data, object_hook=_ids_to_base64, parse_constant=_refuse_constant)
        if not isinstance(tree, dict):
            raise ValueError(f"a JSON object was expected, not {type(tree).__name__}")
        request = ParseDict(tree, SERVICES[signal].request(), ignore_unknown_fields=True)
        return request.SerializeToString()
    except RecursionError as error:
        raise ValueError(f"no {signal.label} request: nested too deeply") from error
    except (ParseError, ValueError) as error:
        raise ValueError(f"no {signal.label} request: {error}") from error


def _ids_to_base64(members: dict[str, Any]) -> dict[str, Any]:
    """
    Rewrite the hexadecimal ids of one JSON object as protobuf's own mapping wants them.
    """
    for name in _ID_SIZES.keys() & members.keys():
        if members[name] is not None:
            members[name] = base64.b64encode(_id_bytes(name, members[name])).decode()
    return members


def _id_bytes(name: str, text: object) -> bytes:
    size_bytes = _ID_SIZES[name]
    if not isinstance(text, str):
        raise ValueError(f"{name}: a string was expected, not {type(text).__name__}")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{name}: {text[:80]!r} is not hexadecimal") from None
    if len(value) not in (0, size_bytes):
        raise ValueError(f"{name}: {text[:80]!r} has {len(value)} bytes, not {size_bytes}")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON; it is written as a string")


@functools.cache
def _writer(descriptor: Descriptor) -> _Write:
    """
    Return the function that turns a message of this type into what `json.dumps` takes.
    """
    fields: dict[int, tuple[str, _Write | None]] = {}
    always: list[tuple[str, str, Descriptor]] = []
    for field in descriptor.fields:
        fields[field.number] = (field.json_name, _value_writer(field))
        if field.message_type and not field.is_repeated and field.containing_oneof is None:
            always.append((field.name, field.json_name, field.message_type))

    def write(message: Any) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for field, value in message.ListFields():
            name, convert = fields[field.number]
            converted = value if convert is None else convert(value)
            if converted is not None:
                members[name] = converted
        for field_name, name, descriptor in always:
            if name not in members:
                members[name] = _writer(descriptor)(getattr(message, field_name))
        return members

    return write


def _value_writer(field: FieldDescriptor) -> _Write | None:
    """
    Return what turns one field's value into JSON; None if `json.dumps` takes it as it is.
    """
    convert: _Write | None = None
    if field.message_type is not None:
        message_type = field.message_type

        def convert(value: Any) -> Any:
            return _writer(message_type)(value)

    elif field.type in _64_BITS:
        convert = str
    elif field.type == FieldDescriptor.TYPE_DOUBLE:
        convert = _double
    elif field.type == FieldDescriptor.TYPE_BYTES:
        convert = _id_text if field.json_name in _ID_SIZES else _base64_text
    if convert is None or not field.is_repeated:
        return list if field.is_repeated else convert
    each = convert
    return lambda values: [each(value) for value in values]


def _double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _id_text(value: bytes) -> str | None:
    return value.hex() if any(value) else None


def _base64_text(value: bytes) -> str:
    return base64.b64encode(value).decode()
