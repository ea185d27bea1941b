"""
Read OTLP/JSON, as `json.loads` gives it, into protobuf's bytes; `json.py` says by which rules.
"""

import base64
import binascii
import functools
import json
import struct
from collections.abc import Callable, Mapping
from operator import length_hint
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

__all__ = ["reader"]

_Read = Callable[[Any], bytes]

_ID_SIZES = {"trace_id": 16, "span_id": 8, "parent_span_id": 8, "profile_id": 16}

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@functools.cache
def reader(descriptor: Descriptor) -> _Read:
    """
    Return the function that turns a JSON object into the bytes of a message of this type.
    """
    members: dict[str, _Read] = {}
    for field in descriptor.fields:
        members[field.name] = members[field.json_name] = _member_reader(field)

    def read(tree: Any) -> bytes:
        if tree.__class__ is not dict:
            raise ValueError(f"an object was expected, not {_kind(tree)}")
        parts = []
        for name, value in tree.items():
            read_member = members.get(name)
            if read_member is None or value is None:
                continue
            try:
                parts.append(read_member(value))
            except ValueError as error:
                text = str(error)
                raise ValueError(f"{name}{'' if text[:1] == '[' else ': '}{text}") from None
        return b"".join(parts)

    return read


def _member_reader(field: FieldDescriptor) -> _Read:
    """
    Return the function that turns a member's value into fields, with their tags.
    """
    read_one = _value_reader(field)
    if not field.is_repeated:
        return read_one

    def read_all(values: Any) -> bytes:
        if values.__class__ is not list:
            raise ValueError(f"a list was expected, not {_kind(values)}")
        left = iter(values)
        try:
            return b"".join(map(read_one, left))
        except ValueError as error:
            raise ValueError(f"[{len(values) - length_hint(left) - 1}]: {error}") from None

    return read_all


def _value_reader(field: FieldDescriptor) -> _Read:
    if field.message_type is not None:
        message_type = field.message_type
        return _framed(field, lambda tree: reader(message_type)(tree))  # later: types nest
    if field.type == FieldDescriptor.TYPE_STRING:
        return _framed(field, _text)
    if field.type == FieldDescriptor.TYPE_BYTES:
        size_bytes = _ID_SIZES.get(field.name)
        return _framed(field, _base64 if size_bytes is None else _id_reader(size_bytes))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _bool_reader(_tag(field, _VARINT))
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return _fixed_reader(_tag(field, _FIXED64), "<d", read_number=_double)
    if field.enum_type is not None:
        return _varint_reader(_tag(field, _VARINT), _enum_reader(field.enum_type))
    lowest, highest, layout = _INTEGERS[field.type]

    def whole(value: Any) -> int:
        number = _whole(value)
        if not lowest <= number <= highest:
            raise ValueError(f"{number} is out of range")
        return number

    if field.type == FieldDescriptor.TYPE_SINT32:
        return _varint_reader(_tag(field, _VARINT), lambda value: _zigzag(whole(value)))
    if layout is None:
        return _varint_reader(_tag(field, _VARINT), whole)
    wire_type = _FIXED32 if struct.calcsize(layout) == 4 else _FIXED64
    return _fixed_reader(_tag(field, wire_type), layout, read_number=whole)


_INTEGERS: Mapping[int, tuple[int, int, str | None]] = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1, None),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1, None),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1, None),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1, None),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1, None),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1, "<I"),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1, "<Q"),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1, "<i"),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1, "<q"),
}


def _zigzag(number: int) -> int:
    return number << 1 ^ number >> 31


def _tag(field: FieldDescriptor, wire_type: int) -> bytes:
    return _varint(field.number << 3 | wire_type)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _framed(field: FieldDescriptor, read_body: _Read) -> _Read:
    """
    Return the reader of a field that is preceded by its length.
    """
    tag = _tag(field, _BYTES)
    # Most are short: tag and length are looked up in one go.
    short = [tag + _varint(length) for length in range(128)]

    def read(value: Any) -> bytes:
        body = read_body(value)
        length = len(body)
        return (short[length] if length < 128 else tag + _varint(length)) + body

    return read


def _varint_reader(tag: bytes, read_number: Callable[[Any], int]) -> _Read:
    # Negative numbers are written as 64 bits.
    return lambda value: tag + _varint(read_number(value) & 0xFFFF_FFFF_FFFF_FFFF)


def _fixed_reader(tag: bytes, layout: str, *, read_number: Callable[[Any], float]) -> _Read:
    pack = struct.Struct(layout).pack
    return lambda value: tag + pack(read_number(value))


def _bool_reader(tag: bytes) -> _Read:
    def read(value: Any) -> bytes:
        if value.__class__ is not bool:
            raise ValueError(f"true or false was expected, not {_kind(value)}")
        return tag + (b"\x01" if value else b"\x00")

    return read


def _enum_reader(enum: EnumDescriptor) -> Callable[[Any], int]:
    numbers = {value.name: value.number for value in enum.values}

    def read(value: Any) -> int:
        known = numbers.get(value) if value.__class__ is str else None
        number = _whole(value) if known is None else known
        if not -(2**31) <= number < 2**31:
            raise ValueError(f"{number} is out of range")
        return number

    return read


def _id_reader(size_bytes: int) -> _Read:
    def read(value: Any) -> bytes:
        _text(value)
        try:
            identity = bytes.fromhex(value)
        except ValueError:
            raise ValueError(f"{value[:80]!r} is not hexadecimal") from None
        if len(identity) not in (0, size_bytes):
            raise ValueError(f"{value[:80]!r} has {len(identity)} bytes, not {size_bytes}")
        return identity

    return read


def _text(value: Any) -> bytes:
    if value.__class__ is not str:
        raise ValueError(f"a string was expected, not {_kind(value)}")
    text: bytes = value.encode()
    return text


def _base64(value: Any) -> bytes:
    text = _text(value).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError(f"{value[:80]!r} is not base64") from None


def _whole(value: Any) -> int:
    if value.__class__ is int:
        return int(value)
    if value.__class__ is str and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    if value.__class__ is float and value.is_integer():
        return int(value)
    raise ValueError(f"a whole number was expected, not {_kind(value)}")


def _double(value: Any) -> float:
    if value.__class__ is float:
        return float(value)
    try:
        if value.__class__ is int or (value.__class__ is str and "_" not in value):
            return float(value)
    except (OverflowError, ValueError):
        pass
    raise ValueError(f"a number was expected, not {_kind(value)}")


def _kind(value: Any) -> str:
    """
    Name a JSON value for a message.
    """
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else json.dumps(value)[:80]
