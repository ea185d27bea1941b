"""
Turn plain Python values into OTLP's attribute values, and into hashes.
"""

import hashlib
import struct
from collections.abc import Mapping

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otelwasm_sdk.texts import text_of

__all__ = ["bytes_to_hash", "hashed", "key_values", "write_value"]

# A message may nest 100 deep, counted from the request; a map takes three levels, and the
# attribute itself stands at most seven deep. Serializing anything deeper would trap.
_MAX_NESTING = 30


def write_value(target: AnyValue, value: object, *, nesting: int = 0) -> None:
    """
    Put *value* into *target*, in place of what was there.
    """
    # bool comes before int: True is an int, too.
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{value} does not fit into an OTLP integer, which has 64 bits")
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, bytes):
        target.bytes_value = value
    elif value is None:
        target.ClearField("value")
    else:
        _write_nested(target, value, nesting + 1)


def _write_nested(target: AnyValue, value: object, nesting: int) -> None:
    if nesting > _MAX_NESTING:
        raise ValueError(f"an attribute's value can nest {_MAX_NESTING} levels, not more")
    if isinstance(value, list | tuple):
        target.ClearField("value")
        target.array_value.SetInParent()
        for member in value:
            write_value(target.array_value.values.add(), member, nesting=nesting)
    elif isinstance(value, Mapping):
        target.ClearField("value")
        target.kvlist_value.SetInParent()
        for key, member in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a map's key is a str, not {type(key).__name__}: {key!r}")
            pair = target.kvlist_value.values.add(key=key)
            write_value(pair.value, member, nesting=nesting)
    else:
        raise TypeError(
            "an attribute holds str, bool, int, float, bytes, None, or lists and dicts of these,"
            f" not {type(value).__name__}"
        )


def key_values(attributes: Mapping[str, object]) -> list[KeyValue]:
    """
    Make the attributes of a protobuf message: `Span(attributes=key_values({"env": "test"}))`.
    """
    pairs = []
    for key, value in attributes.items():
        pairs.append(KeyValue(key=key))
        write_value(pairs[-1].value, value)
    return pairs


def hashed(value: object, *, salt: str = "") -> str:
    """
    Return the SHA-256 of an attribute's value in hexadecimal; empty values stay empty.

    Without *salt* it equals what the Collector's attributes processor makes of strings that are
    not empty, numbers and booleans. Values that can be guessed, as e-mail addresses can, need a
    secret salt.
    """
    data = bytes_to_hash(value)
    return hashlib.sha256(salt.encode() + data).hexdigest() if data else ""


def bytes_to_hash(value: object) -> bytes:
    """
    Return the bytes that stand for an attribute's value where it is hashed.
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bool):
        return b"\1" if value else b"\0"
    if isinstance(value, int):
        return value.to_bytes(8, "little", signed=True)
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, bytes):
        return value
    if value is None:
        return b""
    return text_of(value).encode()
