"""
Serve one connection: read a request, have it handled, write its answer, and so on in order.

What comes meanwhile is held back; when that is much, no more is read. Nothing here takes a timer:
each connection has a deadline, and the server looks at all of them now and then.
"""

import asyncio
from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from math import inf
from typing import Any, cast

import attrs
import structlog

from otelwasm.config.values import ByteSize, Duration
from otelwasm.http.bodies import Body, ChunkedBody, SizedBody, too_large
from otelwasm.http.eager import EagerCall
from otelwasm.http.heads import HeadReader, UnfitRequestError
from otelwasm.http.messages import Answer, Head, Request, told

__all__ = ["Connection", "HttpLimits", "Serving"]

_log = structlog.get_logger(__name__)

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"connection: close\r\n"
_KEEP_ALIVE = b"connection: keep-alive\r\n"
_FAILED = told(500, "this request made the server fail; the server's log says how")
_STOPPED = told(503, "the server is closing", ("retry-after", "1"), ("connection", "close"))
# Of what comes while a request is handled, before reading pauses.
_HELD_BYTES = 64 << 10
# Closed at once, a connection loses an answer that its sender has not read while still sending.
_LINGER_S = 1.0
# What a new connection of a closing server has for its request.
_FIRST_REQUEST_S = 0.1


@attrs.frozen
class HttpLimits:
    """
    What a sender may take of bytes and time; a time of 0 is not limited.
    """

    head: ByteSize = attrs.field(default=ByteSize(64 << 10))
    body: ByteSize = attrs.field(default=ByteSize(20 << 20))
    head_timeout: Duration = attrs.field(default=Duration(60))
    body_timeout: Duration = attrs.field(default=Duration(60))
    idle_timeout: Duration = attrs.field(default=Duration(60))


@attrs.define
class Serving:
    """
    What the connections of a server share; the server sets the times anew now and then.

    *refuse* words the answer to a request whose body is too large (413) or too late (408).
    """

    handle: Callable[[Request], Coroutine[Any, Any, Answer]]
    refuse: Callable[[Request, int, str], Answer]
    limits: HttpLimits
    on_change: Callable[[], None]
    connections: "set[Connection]" = attrs.field(factory=set)
    is_closing: bool = False
    now: float = 0
    head_deadline: float = inf
    body_deadline: float = inf
    idle_deadline: float = inf
    date: bytes = b""
    """The last header and the end of the head."""


class Connection(asyncio.Protocol):
    """
    One sender's connection.
    """

    def __init__(self, serving: Serving, loop: asyncio.AbstractEventLoop) -> None:
        self._serving = serving
        self._loop = loop
        self._heads = HeadReader(limit_bytes=serving.limits.head)
        self._limit_bytes = int(serving.limits.body)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._peer = ""
        self._head: Head | None = None
        self._body: Body | None = None
        self._call: EagerCall[Answer] | None = None
        self._held = b""
        self._deadline = inf
        self._is_new = True
        self._is_idle = False
        self._is_clogged = False  # the sender does not read its answers
        self._is_paused = False
        self._has_ended = False  # the sender has sent all that it will
        self._is_done = False  # what comes is not looked at any more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Wait for the first request.
        """
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            host, port = peer[:2]
            self._peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._deadline = self._serving.head_deadline
        self._serving.connections.add(self)
        self._serving.on_change()
        if self._serving.is_closing:
            self.finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Forget the connection; what is handled is handled to its end.
        """
        self._is_done = True
        self._held = b""
        self._serving.connections.discard(self)
        self._serving.on_change()

    def data_received(self, data: bytes) -> None:
        """
        Read on, as far as requests may be handled.
        """
        if self._is_done:
            return
        if self._held:
            data = self._held + data
            self._held = b""
        try:
            while data:
                if self._call is not None or self._is_clogged:
                    self._hold(data)
                    return
                data = self._read(data)
                if self._is_done:
                    return
        except UnfitRequestError as unfit:
            self._refuse(unfit)

    def eof_received(self) -> bool:
        """
        Answer what was sent before the end; return whether there may be such.
        """
        self._has_ended = True
        if self._transport.get_extra_info("sslcontext"):
            return False  # TLS has no half of a connection
        if self._call is None and not self._is_clogged:
            if not self._held:
                return False
            self._loop.call_soon(self._go_on)
        return True

    def pause_writing(self) -> None:
        """
        Handle no more while the sender does not read its answers.
        """
        self._is_clogged = True

    def resume_writing(self) -> None:
        """
        Go on.
        """
        self._is_clogged = False
        self._loop.call_soon(self._go_on)

    def look_at_time(self, now: float) -> None:
        """
        End what takes too long.
        """
        if now < self._deadline:
            return
        if self._is_done or self._is_clogged:
            self._transport.abort()
        elif self._body is not None:
            timeout = self._serving.limits.body_timeout
            self._refuse(UnfitRequestError(408, f"the body did not come within {timeout}"))
        else:
            self._close()

    def finish(self) -> None:
        """
        Close, at once or after the answer to the request that is on its way.
        """
        if self._is_new:  # it may have been accepted a moment ago: its request comes next
            self._is_new = False
            self._loop.call_later(_FIRST_REQUEST_S, self.finish)
            return
        if self._call is None and self._body is None and not self._held and not self._is_done:
            self._close()

    def cut_off(self) -> None:
        """
        Close at once, whatever is on its way.
        """
        if self._call is None:
            self._transport.abort()
        else:
            self._call.cancel()

    def _read(self, data: bytes) -> bytes:
        """
        Take a head, or more of a body; have the request handled if it is whole. Return the rest.
        """
        body = self._body
        if body is None:
            found = self._heads.read(data)
            if found is None:
                if self._is_idle:
                    self._is_idle = False
                    self._deadline = self._serving.head_deadline
                self._held = data
                return b""
            head, begin = found
            self._head = head
            length = head.length
            if length is not None:
                if length > self._limit_bytes:
                    raise too_large(self._limit_bytes)
                end = begin + length
                if end <= len(data):
                    self._handle(head, data[begin:end])
                    return data[end:]
            body = self._begin_body(head, data, begin)
            if length is not None:
                return b""
            data = data[begin:]
        rest = body.feed(data)
        if rest is None:
            return b""
        self._body = None
        assert self._head is not None
        self._handle(self._head, body.content())
        return rest

    def _begin_body(self, head: Head, data: bytes, begin: int) -> Body:
        if head.length is None:
            self._body = ChunkedBody(limit_bytes=self._limit_bytes)
        else:
            self._body = SizedBody(head.length, memoryview(data)[begin:])
        self._deadline = self._serving.body_deadline
        if head.headers.get("expect", "").lower() == "100-continue" and not head.is_http_1_0:
            self._transport.write(_CONTINUE)
        return self._body

    def _handle(self, head: Head, body: bytes) -> None:
        self._is_new = False
        self._deadline = inf
        handling = self._serving.handle(Request(head, body, self._peer))
        self._call = EagerCall(handling, self._handled, loop=self._loop)
        self._call.start()

    def _handled(self, answer: Answer | None, error: BaseException | None) -> None:
        self._call = None
        if self._is_done:
            return
        if error is not None or answer is None:
            answer = _STOPPED if isinstance(error, CancelledError) else self._failed(error)
        self._write(answer)
        if self._held or self._has_ended:
            self._loop.call_soon(self._go_on)

    def _failed(self, error: BaseException | None) -> Answer:
        _log.error("a request could not be handled", peer=self._peer, exc_info=error)
        return _FAILED

    def _write(self, answer: Answer) -> None:
        head, serving = self._head, self._serving
        try:
            start = answer.start
        except ValueError as error:
            answer = self._failed(error)
            start = answer.start
        does_close = serving.is_closing or answer.does_close
        content = answer.content
        if head is not None:
            does_close = does_close or not head.keeps_alive
            if head.method == "HEAD":
                content = b""
            if head.is_http_1_0 and not does_close:
                start += _KEEP_ALIVE
        if does_close:
            self._transport.write(start + _CLOSE + serving.date + content)
            self._close(last_bytes=len(content))
        else:
            self._head = None
            self._is_idle = True
            self._deadline = serving.idle_deadline
            self._transport.write(start + serving.date + content)

    def _refuse(self, unfit: UnfitRequestError) -> None:
        """
        Answer what cannot be handled. More of it may come: that is read, and thrown away.
        """
        head = self._head
        if head is None or unfit.status not in (408, 413):
            answer = told(unfit.status, str(unfit))
        else:
            request = Request(head, b"", self._peer)
            answer = self._serving.refuse(request, unfit.status, str(unfit))
        self._transport.write(answer.start + _CLOSE + self._serving.date + answer.content)
        self._is_done = True
        self._held = b""
        self._body = None
        self._deadline = self._serving.now + _LINGER_S
        self._resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _close(self, *, last_bytes: int = 0) -> None:
        self._is_done = True
        # With TLS nobody knows what is still to be sent; what is long has the time of any answer.
        if last_bytes > _HELD_BYTES or self._transport.get_write_buffer_size():
            self._deadline = self._serving.idle_deadline
        else:
            self._deadline = self._serving.now + _LINGER_S
        self._transport.close()

    def _hold(self, data: bytes) -> None:
        self._held = data
        if len(data) > _HELD_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()

    def _go_on(self) -> None:
        """
        Read what was held back.
        """
        if self._is_done or self._call is not None or self._is_clogged:
            return
        self._resume_reading()
        self.data_received(b"")
        if self._has_ended and self._call is None and not self._is_clogged:
            self._close()
