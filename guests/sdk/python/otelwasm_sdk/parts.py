"""
Put several byte strings into one, as the integers-only form passes them (wit/direct.wit).
"""

import struct
from collections.abc import Iterable

__all__ = ["headers_of", "pack", "parts_of", "unpack"]

_U32 = struct.Struct("<I")


def pack(*parts: bytes) -> bytes:
    """
    Join *parts*: their number, the length of each, then the parts.
    """
    lengths = struct.pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts))
    return b"".join((lengths, *parts))


def unpack(data: bytes) -> list[bytes]:
    """
    Take apart what `pack` made.
    """
    [count] = _U32.unpack_from(data)
    parts = []
    at = _U32.size * (count + 1)
    for length in struct.unpack_from(f"<{count}I", data, _U32.size):
        parts.append(data[at : at + length])
        at += length
    return parts


def parts_of(headers: Iterable[tuple[str, str]]) -> list[bytes]:
    """
    Names and values in turn, as parts.
    """
    return [text.encode() for pair in headers for text in pair]


def headers_of(parts: list[bytes]) -> list[tuple[str, str]]:
    """
    Take names and values from parts in turn.
    """
    texts = [part.decode() for part in parts]
    return list(zip(texts[::2], texts[1::2], strict=True))
