"""
Gather the body of a request from the pieces that it comes in, never more than is allowed.
"""

import re
from typing import Protocol

from otelwasm.http.heads import UnfitRequestError

__all__ = ["Body", "ChunkedBody", "SizedBody", "too_large"]

_LINE_END = b"\r\n"
# A chunk's size, and what may follow it that nobody uses.
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_LONGEST_LINE_BYTES = 1 << 10
_LONGEST_TRAILERS_BYTES = 8 << 10
# Kept one by one, smaller pieces would cost much more than their bytes.
_SMALL_BYTES = 4 << 10


def too_large(limit_bytes: int) -> UnfitRequestError:
    """
    Make the refusal of a body that exceeds *limit_bytes*.
    """
    return UnfitRequestError(413, f"the body is larger than the limit of {limit_bytes} bytes")


class Body(Protocol):
    """
    A body on its way.
    """

    def feed(self, data: bytes) -> bytes | None:
        """
        Take a piece; once the body is whole, return what came after it.
        """

    def content(self) -> bytes:
        """
        Return the whole body.
        """


class SizedBody:
    """
    A body whose length was declared, and of which *begin* has come.
    """

    def __init__(self, length: int, begin: memoryview) -> None:
        self._missing = length - len(begin)
        self._parts: list[bytes | bytearray | memoryview] = [begin]

    def feed(self, data: bytes) -> bytes | None:
        """
        Take a piece; once the body is whole, return what came after it.
        """
        if len(data) < self._missing:
            last = self._parts[-1]
            if len(data) >= _SMALL_BYTES:
                self._parts.append(data)
            elif isinstance(last, bytearray):
                last += data
            else:
                self._parts.append(bytearray(data))
            self._missing -= len(data)
            return None
        self._parts.append(data[: self._missing])
        return data[self._missing :]

    def content(self) -> bytes:
        """
        Return the whole body.
        """
        return b"".join(self._parts)


class ChunkedBody:
    """
    A body that comes in chunks, each with its size; extensions and trailers are passed over.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._content = bytearray()
        self._held = b""
        self._missing = 0  # of the chunk, and of the line end after it
        self._trailer_bytes: int | None = None

    def feed(self, data: bytes) -> bytes | None:
        """
        Take a piece; once the body is whole, return what came after it.
        """
        data = self._held + data
        at = 0
        while True:
            if self._missing > len(_LINE_END):
                piece = data[at : at + self._missing - len(_LINE_END)]
                self._content += piece
                self._missing -= len(piece)
                at += len(piece)
            if self._missing > len(_LINE_END):
                self._held = b""
                return None
            if self._missing:
                if len(data) - at < len(_LINE_END):
                    self._held = data[at:]
                    return None
                if not data.startswith(_LINE_END, at):
                    raise UnfitRequestError(400, "a chunk that is longer than its size")
                at += len(_LINE_END)
                self._missing = 0
            end = data.find(_LINE_END, at, at + _LONGEST_LINE_BYTES)
            if end < 0:
                if len(data) - at >= _LONGEST_LINE_BYTES:
                    raise UnfitRequestError(400, "a line that is too long among the chunks")
                self._held = data[at:]
                return None
            line = data[at:end]
            at = end + len(_LINE_END)
            if self._trailer_bytes is None:
                self._begin(line)
            elif not line:
                return data[at:]
            else:
                self._pass_over(line)

    def content(self) -> bytes:
        """
        Return the whole body.
        """
        return bytes(self._content)

    def _begin(self, line: bytes) -> None:
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise UnfitRequestError(400, "a chunk without its size")
        size = int(found[1], 16)
        if not size:
            self._trailer_bytes = 0
            return
        if len(self._content) + size > self._limit_bytes:
            raise too_large(self._limit_bytes)
        self._missing = size + len(_LINE_END)

    def _pass_over(self, line: bytes) -> None:
        assert self._trailer_bytes is not None
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _LONGEST_TRAILERS_BYTES:
            raise UnfitRequestError(400, "trailers that are too long")
