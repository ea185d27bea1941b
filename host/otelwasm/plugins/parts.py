"""
Pass several byte strings as one, as wit/direct.wit says: how many, the length of each, then they.
"""

import struct
from collections.abc import Sequence

from otelwasm.plugins.abi import MalformedError, Memory

__all__ = ["Span", "header_parts", "header_texts", "joined", "read_parts"]

# Where a part lies in the plugin's memory: offset and length.
Span = tuple[int, int]

_WORD_BYTES = 4


def joined(parts: Sequence[bytes]) -> bytes:
    """
    Make one byte string of *parts*.
    """
    lengths = struct.pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts))
    return b"".join((lengths, *parts))


def read_parts(memory: Memory, at: int, length: int, *, least: int) -> list[Span]:
    """
    Find at least *least* parts in the *length* bytes at *at*, which they fill exactly.
    """
    if length < _WORD_BYTES:
        raise MalformedError(f"parts of {length} bytes")
    [count] = memory.numbers("I", at, count=1, size=_WORD_BYTES)
    left = length - _WORD_BYTES * (count + 1)
    if left < 0 or count < least:
        raise MalformedError(f"{count} parts in {length} bytes; at least {least} are needed")
    lengths = memory.numbers("I", at + _WORD_BYTES, count=count, size=_WORD_BYTES)
    if sum(lengths) != left:
        raise MalformedError(f"parts of {sum(lengths)} bytes together in {left}")
    spans = []
    start = at + length - left
    for each in lengths:
        spans.append((start, each))
        start += each
    return spans


def header_parts(headers: Sequence[tuple[str, str]]) -> list[bytes]:
    """
    Names and values in turn, as parts.
    """
    return [text.encode() for pair in headers for text in pair]


def header_texts(memory: Memory, spans: Sequence[Span]) -> tuple[tuple[str, str], ...]:
    """
    Copy names and values out, which the parts are in turn.
    """
    if len(spans) % 2:
        raise MalformedError("a header has no value")
    texts = [memory.text(*span) for span in spans]
    return tuple(zip(texts[::2], texts[1::2], strict=True))
