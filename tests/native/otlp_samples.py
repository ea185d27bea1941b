"""
Make random OTLP requests, of every signal and with every field, and random damage to them.
"""

from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = [
    "ID_SIZES",
    "KEYS",
    "REQUESTS",
    "VALUES",
    "damaged",
    "field",
    "random_request",
    "roughened",
    "varint",
]

# By the contract's signal numbers.
REQUESTS: tuple[type[Message], ...] = (
    ExportTraceServiceRequest,
    ExportMetricsServiceRequest,
    ExportLogsServiceRequest,
    ExportProfilesServiceRequest,
)
ID_SIZES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8, "profile_id": 16}
KEYS = ("env", "enduser.id", "http.route", "k" * 130, "", "server.port", "ü")
TEXTS = ("", "a", "GET /x", "ü€😀", "x" * 200)
VALUES: tuple[Any, ...] = (
    *("prod", "", "ü€😀", "x" * 200, "y" * 20000),
    *(5, 0, -1, 2**63 - 1, -(2**63), True, False, 1.5, -0.0, None, b"\0\xff", b""),
    *(["a", 1, [True, None]], {"k": {"n": [1, 2.0]}, "": "x"}, [], {}),
)
_NUMBERS: dict[int, tuple[int | float, ...]] = {
    FieldDescriptor.TYPE_DOUBLE: (0.0, 1.5, -1e300, float("inf")),
    FieldDescriptor.TYPE_FLOAT: (0.0, 1.5),
    FieldDescriptor.TYPE_INT64: (0, 1, -1, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_SFIXED64: (0, 1, -1, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_SINT64: (0, 1, -1, 2**63 - 1, -(2**63)),
    FieldDescriptor.TYPE_UINT64: (0, 1, 300, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 1, 300, 2**64 - 1),
    FieldDescriptor.TYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_SINT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_SFIXED32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.TYPE_UINT32: (0, 1, 300, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 1, 300, 2**32 - 1),
    FieldDescriptor.TYPE_BOOL: (False, True),
    FieldDescriptor.TYPE_ENUM: (0, 1, 2, 77),
}


def random_request(random: Random, signal: int, *, richness: float = 0.5) -> Message:
    """
    A request with anything in it; *richness* is how likely each field is there.
    """
    request = REQUESTS[signal]()
    _fill(random, request, richness=richness, depth=0)
    return request


def _fill(random: Random, message: Any, *, richness: float, depth: int) -> None:
    name = message.DESCRIPTOR.name
    for descriptor in message.DESCRIPTOR.fields:
        # The way to the items is always there, values do not nest for ever.
        is_way = descriptor.message_type is not None and depth < 2 and descriptor.is_repeated
        if not is_way and random.random() > richness:
            continue
        if name == "AnyValue" and depth > 9 and descriptor.message_type is not None:
            continue
        if descriptor.message_type is not None:
            inner = getattr(message, descriptor.name)
            if descriptor.is_repeated:
                for _ in range(random.randrange(4)):
                    _fill(random, inner.add(), richness=richness, depth=depth + 1)
            else:
                inner.SetInParent()
                _fill(random, inner, richness=richness, depth=depth + 1)
        elif descriptor.is_repeated:
            values = [_scalar(random, descriptor) for _ in range(random.randrange(4))]
            getattr(message, descriptor.name).extend(values)
        else:
            setattr(message, descriptor.name, _scalar(random, descriptor))
    if name == "KeyValue":
        message.key = random.choice(KEYS)


def _scalar(random: Random, descriptor: FieldDescriptor) -> Any:
    if descriptor.type == FieldDescriptor.TYPE_STRING:
        return random.choice(TEXTS)
    if size := ID_SIZES.get(descriptor.name):
        return random.choice((b"", random.randbytes(size)))
    if descriptor.type == FieldDescriptor.TYPE_BYTES:
        return random.choice((b"", b"\0", random.randbytes(8), random.randbytes(16)))
    return random.choice(_NUMBERS[descriptor.type])


def damaged(random: Random, payload: bytes) -> bytes:
    """
    The payload with some bytes changed, taken out, put in, repeated or cut off.
    """
    result = bytearray(payload)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        place = random.randrange(len(result) + 1)
        match random.randrange(5):
            case 0 if result:
                result[place % len(result)] = random.getrandbits(8)
            case 1:
                del result[place : place + random.randrange(1, 4)]
            case 2:
                result[place:place] = random.randbytes(random.randrange(1, 4))
            case 3:
                start = random.randrange(len(result) + 1)
                result[place:place] = result[start : start + random.randrange(1, 40)]
            case 4 if random.random() < 0.3:
                del result[place:]
    return bytes(result)


def varint(number: int) -> bytes:
    """
    A number as the wire has it.
    """
    result = b""
    while number > 0x7F:
        result += bytes([number & 0x7F | 0x80])
        number >>= 7
    return result + bytes([number])


def field(number: int, content: bytes) -> bytes:
    """
    A field of bytes: tag, length, content.
    """
    return varint(number << 3 | 2) + varint(len(content)) + content


# A number, a text, a group with a group in it, eight bytes: none of them OTLP's.
_UNKNOWN = (
    b"\xc8\x3e\x96\x01",
    b"\xca\x3e\x03abc",
    b"\xcb\x3e\x08\x05\xd3\x3e\x0a\x01x\xd4\x3e\xcc\x3e",
    b"\xc9\x3e12345678",
)


def roughened(random: Random, payload: bytes, descriptor: Any) -> bytes:
    """
    A message of that descriptor as an odd encoder would write it: numbers longer than need be,
    and fields in between that OTLP does not have.
    """
    result = b""
    place = 0
    while place < len(payload):
        if random.random() < 0.1:
            result += random.choice(_UNKNOWN)
        tag, place = _number(payload, place)
        result += _long(random, tag)
        match tag & 7:
            case 0:
                value, place = _number(payload, place)
                result += _long(random, value)
            case 1 | 5:
                size = 8 if tag & 7 == 1 else 4
                result += payload[place : place + size]
                place += size
            case 2:
                size, place = _number(payload, place)
                content = payload[place : place + size]
                place += size
                known = descriptor.fields_by_number.get(tag >> 3)
                if known is not None and known.message_type is not None:
                    content = roughened(random, content, known.message_type)
                result += _long(random, len(content)) + content
    return result + (random.choice(_UNKNOWN) if random.random() < 0.1 else b"")


def _number(payload: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (payload[place] & 0x7F) << shift
        shift += 7
        place += 1
        if payload[place - 1] < 0x80:
            return number, place


def _long(random: Random, number: int) -> bytes:
    """
    A number as the wire has it, sometimes with bytes behind it that say nothing.
    """
    short = varint(number)
    if random.random() < 0.9 or len(short) >= 5:
        return short
    more = random.randrange(1, 6 - len(short))
    return short[:-1] + bytes([short[-1] | 0x80]) + b"\x80" * (more - 1) + b"\0"
