"""
Cut a tcp stream into messages, by RFC 6587's two ways.

- `newline`: each message ends with a line feed; a carriage return before it is no part of the
  message, and a NUL ends one, too. Empty lines are no messages.
- `octet_counted`: before each message stands its length in bytes, in decimal, and a space. Line
  feeds and NULs between messages are passed over: some senders add them.
- `auto`: octet counting where a message begins with digits and a space, else `newline`. It suits
  syslog, whose messages begin with `<`; text that may begin with a number needs one of the others.
"""

import re
import sys
from collections import deque
from typing import Literal

from otelwasm.config.values import ByteSize

__all__ = ["Framer", "Framing", "FramingError"]

Framing = Literal["newline", "octet_counted", "auto"]

_LINE_END = re.compile(rb"[\n\0]")
_BETWEEN = re.compile(rb"[\r\n\0]*")
_COUNT = re.compile(rb"([1-9][0-9]{0,9}) ")
# What may become a count, once more of it is there.
_BEGUN_COUNT = re.compile(rb"(?:[1-9][0-9]{0,9})?")


class FramingError(Exception):
    """
    A stream that cannot be read on: nobody knows where its next message begins.
    """


class Framer:
    """
    Takes the bytes of one stream as they come; *messages* are those that were cut.
    """

    def __init__(self, framing: Framing, *, limit_bytes: int) -> None:
        self.messages: deque[bytes] = deque()
        self._framing = framing
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._searched = 0

    @property
    def is_inside_a_message(self) -> bool:
        """
        Whether a message has begun whose end is not there yet.
        """
        return bool(self._buffer)

    def add(self, data: bytes) -> None:
        """
        Add what came, to be cut.
        """
        self._buffer += data

    def cut(self, most: int = sys.maxsize) -> None:
        """
        Add the next messages, until there are *most*; raises FramingError, after the messages
        before the mistake were added.
        """
        at = 0
        try:
            while len(self.messages) < most and (end := self._next(at)) is not None:
                at = end
        finally:
            del self._buffer[:at]
            self._searched = max(0, self._searched - at)

    def end(self) -> None:
        """
        Note that nothing will come any more: a line without its end is a message, too.

        Raises FramingError if the stream ends inside a message whose length is known.
        """
        self.cut()
        if self._framing == "auto" and _COUNT.match(self._buffer):
            is_line = False
        else:
            is_line = self._framing != "octet_counted"
        if self._buffer and not is_line:
            raise FramingError(
                f"the stream ended inside a message, of which {len(self._buffer)} bytes are there"
            )
        self._add_line(bytes(self._buffer))
        self._buffer.clear()

    def _next(self, at: int) -> int | None:
        """
        Add the message that begins at *at*; return where the next one does, None to wait for more.
        """
        if self._framing == "newline":
            return self._line(at)
        between = _BETWEEN.match(self._buffer, at)
        assert between is not None
        if between.end() > at:
            return between.end()
        count = _COUNT.match(self._buffer, at)
        if count is not None:
            return self._counted(count.end(), int(count[1]))
        if _BEGUN_COUNT.fullmatch(self._buffer, at):
            return None
        if self._framing == "auto":
            return self._line(at)
        found = bytes(self._buffer[at : at + 20])
        raise FramingError(
            f"expected a message's length and a space before it, as in '5 hello'; found {found!r}"
        )

    def _counted(self, begin: int, length: int) -> int | None:
        if length > self._limit_bytes:
            raise self._too_long(f"a message of {ByteSize(length)}")
        end = begin + length
        if len(self._buffer) < end:
            return None
        self.messages.append(bytes(self._buffer[begin:end]))
        return end

    def _line(self, at: int) -> int | None:
        found = _LINE_END.search(self._buffer, max(at, self._searched))
        end = len(self._buffer) if found is None else found.start()
        # One more for a carriage return.
        if end - at > self._limit_bytes + 1:
            raise self._too_long("a line")
        if found is None:
            self._searched = end
            return None
        self._add_line(bytes(self._buffer[at:end]))
        return end + 1

    def _add_line(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        if line:
            self.messages.append(line)

    def _too_long(self, what: str) -> FramingError:
        limit = ByteSize(self._limit_bytes)
        return FramingError(f"{what} is longer than max_message_size, which is {limit}")
