"""
Ask over one connection: a request out, its answer in, then the next.
"""

import asyncio
from collections.abc import Mapping
from typing import cast

import attrs
import httptools

__all__ = ["Line", "LineLostError", "Reply"]

# A body that is sent with its head in one piece, which costs a copy; a larger one is not copied.
_ONE_PIECE_BYTES = 64 << 10
_LONGEST_HEADERS_BYTES = 64 << 10


@attrs.frozen
class Reply:
    """
    What a server answered, its body out of its chunks and cut off where it was too long.
    """

    status: int
    body: bytes
    headers: Mapping[bytes, bytes]

    def header(self, name: bytes) -> str | None:
        """
        Return a header by its name in lower case.
        """
        for key, value in self.headers.items():
            if key.lower() == name:
                return value.decode("latin-1").strip()
        return None


class LineLostError(ConnectionError):
    """
    The connection ended before the answer did; *was_silent* if nothing of it had come.
    """

    def __init__(self, reason: str, *, was_silent: bool) -> None:
        super().__init__(reason)
        self.was_silent = was_silent


class Line(asyncio.Protocol):
    """
    A client's connection; *is_usable* tells whether it may be asked again.
    """

    def __init__(self, *, limit_bytes: int, loop: asyncio.AbstractEventLoop) -> None:
        self.is_usable = True
        self.idle_since = 0.0
        self._why_closed = "the connection is closed"
        self.closed: asyncio.Future[None] = loop.create_future()
        self._limit_bytes = limit_bytes
        self._loop = loop
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._waiter: asyncio.Future[Reply] | None = None
        self._is_silent = True
        self._headers: dict[bytes, bytes] = {}
        self.on_header = self._headers.__setitem__  # what httptools calls for each
        self._is_in_body = False
        self._parts: list[bytes] = []
        self._size = 0
        self._headers_bytes = 0  # what came since the last piece of a body
        self._parser = httptools.HttpResponseParser(self)

    async def ask(self, head: bytes, body: bytes) -> Reply:
        """
        Send a request and wait for its answer; raises OSError if that cannot be.

        A connection whose answer was not waited for is of no more use.
        """
        if not self.is_usable or self._waiter is not None:
            raise LineLostError(self._why_closed, was_silent=True)
        self._is_silent = True
        waiter: asyncio.Future[Reply] = self._loop.create_future()
        self._waiter = waiter
        if len(body) <= _ONE_PIECE_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        try:
            reply = await waiter
        except BaseException:
            self.abort()
            raise
        self._waiter = None
        return reply

    def close(self) -> None:
        """
        Close; a request of which a part is still to be sent has its answer, or gets none.
        """
        self.is_usable = False
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()

    def abort(self) -> None:
        """
        Close at once.
        """
        self.is_usable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Be ready.
        """
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """
        Read on.
        """
        if self._waiter is None or self._waiter.done():
            self._why_closed = f"the server spoke before it was asked{_hint(data)}"
            self.abort()
            return
        self._is_silent = False
        self._headers_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("the server switched to another protocol")
        except httptools.HttpParserError as error:
            self._fail(f"the server's answer is no HTTP/1.1: {error}{_hint(data)}")
        if self._headers_bytes > _LONGEST_HEADERS_BYTES:
            self._fail("the headers of the server's answer have no end")

    def eof_received(self) -> None:
        """
        Take the end of the connection for the end of an answer of unknown length.
        """
        names = {name.lower() for name in self._headers}
        if self._is_in_body and not names & {b"content-length", b"transfer-encoding"}:
            self.is_usable = False
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Tell who waits.
        """
        self._fail(f"the connection was lost: {exc}" if exc else "the server closed the connection")
        if not self.closed.done():
            self.closed.set_result(None)

    def on_headers_complete(self) -> None:
        """
        The rest is the body.
        """
        self._is_in_body = True

    def on_body(self, data: bytes) -> None:
        """
        Keep a part of the body; one that is too long ends here.
        """
        self._headers_bytes = 0
        self._parts.append(data)
        self._size += len(data)
        if self._size >= self._limit_bytes:
            self.is_usable = False
            self._finish()
            self._transport.abort()

    def on_message_complete(self) -> None:
        """
        Answer who asked, unless this only announced the answer (as 100 Continue does).
        """
        if self._parser.get_status_code() < 200:
            self._begin()
            return
        if not self._parser.should_keep_alive():
            self.is_usable = False
        self._finish()

    def _begin(self) -> None:
        self._headers.clear()
        self._parts = []
        self._size = 0
        self._headers_bytes = 0
        self._is_in_body = False

    def _finish(self) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            self.is_usable = False  # more than was asked for
        else:
            body = b"".join(self._parts)[: self._limit_bytes]
            waiter.set_result(Reply(self._parser.get_status_code(), body, dict(self._headers)))
        self._begin()

    def _fail(self, reason: str) -> None:
        self.is_usable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(LineLostError(reason, was_silent=self._is_silent))
        self._transport.abort()


def _hint(data: bytes) -> str:
    """
    What is there in place of HTTP/1.1, if *data* begins with the settings of HTTP/2.
    """
    if data[3:4] != b"\x04" or data[5:9] != bytes(4):
        return ""
    return "; it speaks HTTP/2, as OTLP/gRPC does, which has a port of its own (4317)"
