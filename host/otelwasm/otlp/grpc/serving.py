"""
Serve one client: put its calls together, have them handled, answer.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import attrs
import ngh2
import structlog

from otelwasm.http.eager import EagerCall
from otelwasm.otlp.grpc.connection import Http2Connection
from otelwasm.otlp.grpc.messages import (
    EMPTY,
    PREFIX_BYTES,
    prefix,
    read_message,
    read_prefix,
    unpack,
)
from otelwasm.otlp.grpc.status import Code, RpcError, timeout_s

__all__ = ["Handler", "ServerConnection", "Serving"]

_log = structlog.get_logger(__name__)

# Takes the message of a call and returns the answer's; raises RpcError.
Handler = Callable[[bytes], Coroutine[Any, Any, bytes]]

_ENCODINGS = (b"gzip", b"deflate")
_HEAD = (
    (b":status", b"200"),
    (b"content-type", b"application/grpc"),
    (b"grpc-accept-encoding", b"identity,gzip,deflate"),
)
_OK = ((b"grpc-status", b"0"),)

_CONCURRENT_CALLS = 100
_LONGEST_HEAD_BYTES = 64 << 10
# Small messages may fill this much before their client has to wait for room.
_SMALLEST_WINDOW_BYTES = 8 << 20
_MOST_CHUNKS = 4096
_ROUND_TRIP_S = 1.0


@attrs.define(eq=False)
class Serving:
    """
    What all connections of a server share.
    """

    methods: Mapping[bytes, Handler]
    max_message_bytes: int
    read_timeout_s: float
    connections: "set[ServerConnection]" = attrs.field(factory=set)
    is_empty: asyncio.Event = attrs.field(factory=asyncio.Event)
    # What calls that are not complete may hold of a connection's window. The other half is room
    # that was given back but not yet announced (nghttp2 waits until it is half the window), so
    # that a client never waits for ever.
    half_window_bytes: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        largest_bytes = self.max_message_bytes + PREFIX_BYTES
        self.half_window_bytes = max(largest_bytes, _SMALLEST_WINDOW_BYTES)


class _Call:
    """
    One call on its way in, or being handled.
    """

    __slots__ = (
        "chunks",
        "deadline",
        "encoding",
        "handler",
        "held_bytes",
        "is_ended",
        "length",
        "read_deadline",
        "running",
        "stream_id",
    )

    def __init__(self, stream_id: int, read_deadline: float) -> None:
        self.stream_id = stream_id
        self.read_deadline = read_deadline
        self.deadline: float | None = None
        self.chunks: list[bytes] = []
        self.held_bytes = 0
        self.is_ended = False
        self.length = -1  # not known yet
        self.encoding = b""
        self.handler: Handler | None = None
        self.running: EagerCall[bytes] | None = None


class ServerConnection(Http2Connection):
    """
    The calls of one client.
    """

    def __init__(self, serving: Serving) -> None:
        super().__init__(
            ngh2.Role.SERVER,
            config=ngh2.Configuration(
                auto_window_update=False, max_inbound_header_list_size=_LONGEST_HEAD_BYTES
            ),
            settings={
                ngh2.Setting.MAX_CONCURRENT_STREAMS: _CONCURRENT_CALLS,
                ngh2.Setting.INITIAL_WINDOW_SIZE: serving.max_message_bytes + PREFIX_BYTES + 1,
                ngh2.Setting.MAX_HEADER_LIST_SIZE: _LONGEST_HEAD_BYTES,
            },
            window_bytes=2 * serving.half_window_bytes,
        )
        self._serving = serving
        self._calls: dict[int, _Call] = {}
        # Streams that are answered, but not sent to the end.
        self._unwanted: dict[int, float] = {}
        self._held_bytes = 0
        self._running_calls = 0
        self._is_draining = False
        self._has_begun = False
        self._began = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Count the connection in.
        """
        self._serving.connections.add(self)
        self._serving.is_empty.clear()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """
        End what is still handled: nobody waits for the answer.
        """
        super().connection_lost(error)
        for call in list(self._calls.values()):
            self._forget(call)
        self._serving.connections.discard(self)
        if not self._serving.connections:
            self._serving.is_empty.set()

    def drain(self) -> None:
        """
        Take the calls that are on their way, and no more; then close.
        """
        if self.is_lost or self._is_draining:
            return
        self._is_draining = True
        if not self.http2.want_read:  # the client has let go
            self.flush()
            self.transport.close()
            return
        self.http2.send_shutdown_notice()
        # What the client sent before it heard that is here once it answers this.
        self.http2.ping()
        self.flush()
        self.loop.call_later(_ROUND_TRIP_S, self._take_no_more)

    def cut_off(self) -> None:
        """
        Close now; calls that are still handled are told to come again.
        """
        if self.is_lost:
            return
        for call in list(self._calls.values()):
            self._refuse(call, RpcError(Code.UNAVAILABLE, "the server is closing"))
        self.flush()
        if self.http2.want_read:  # the client has not let go
            self.http2.terminate_connection()
            self.flush()
        self.transport.close()

    def look_at_time(self, now: float) -> None:
        """
        End calls whose time is up, and a connection on which nothing was ever said.
        """
        for call in list(self._calls.values()):
            if call.deadline is not None and call.deadline <= now:
                self._refuse(call, RpcError(Code.DEADLINE_EXCEEDED, "the call's time is up"))
            elif call.running is None and call.read_deadline <= now:
                limit_s = self._serving.read_timeout_s
                message = f"the request did not come within {limit_s:g} s"
                self._refuse(call, RpcError(Code.DEADLINE_EXCEEDED, message))
        for stream_id, deadline in list(self._unwanted.items()):
            if deadline <= now:
                del self._unwanted[stream_id]
                self.http2.reset_stream(stream_id, ngh2.ErrorCode.CANCEL)
                self.flush_soon()
        if not self._has_begun and now > self._began + self._serving.read_timeout_s:
            self.transport.abort()

    def handle(self, events: list[ngh2.Event]) -> None:
        """
        Act on what the client sent.
        """
        for event in events:
            if isinstance(event, ngh2.DataReceived):
                self._on_data(event.stream_id, event.data, event.end_stream)
            elif isinstance(event, ngh2.RequestReceived):
                self._on_request(event.stream_id, event.headers, event.end_stream)
            elif isinstance(event, ngh2.StreamClosed):
                self._on_closed(event.stream_id)
            elif isinstance(event, ngh2.TrailersReceived):
                self._on_data(event.stream_id, b"", True)
            elif isinstance(event, ngh2.SettingsReceived):
                self._has_begun = True
            elif isinstance(event, ngh2.PingAcknowledged):
                self._take_no_more()
            elif isinstance(event, ngh2.ConnectionClosed):
                self.transport.close()

    def _on_request(self, stream_id: int, headers: tuple[ngh2.Header, ...], is_ended: bool) -> None:
        now = self.loop.time()
        call = _Call(stream_id, now + self._serving.read_timeout_s)
        call.is_ended = is_ended
        self._calls[stream_id] = call
        fields = dict(headers)
        if not fields.get(b"content-type", b"").startswith(b"application/grpc"):
            self._turn_away(call, b"415")
            return
        if fields.get(b":method") != b"POST":
            self._turn_away(call, b"405")
            return
        timeout = fields.get(b"grpc-timeout")
        if timeout is not None:
            within_s = timeout_s(timeout)
            if within_s is not None:
                call.deadline = now + within_s
        path = fields.get(b":path", b"")
        call.handler = self._serving.methods.get(path)
        if call.handler is None:
            message = f"no method {path.decode(errors='replace')} here"
            self._refuse(call, RpcError(Code.UNIMPLEMENTED, message))
            return
        encoding = fields.get(b"grpc-encoding", b"identity")
        if encoding in _ENCODINGS:
            call.encoding = encoding
        elif encoding != b"identity":
            message = f"grpc-encoding {encoding.decode(errors='replace')!r} is not known here"
            self._refuse(call, RpcError(Code.UNIMPLEMENTED, message))
            return
        if is_ended:
            self._on_data(stream_id, b"", True)

    def _on_data(self, stream_id: int, data: bytes, is_ended: bool) -> None:
        call = self._calls.get(stream_id)
        if call is None:  # refused already
            self._give_back(stream_id, len(data))
            return
        try:
            if data:
                self._hold(call, data)
            if is_ended:
                call.is_ended = True
                self._run(call)
            elif self._held_bytes > self._serving.half_window_bytes:
                self._make_room()
        except RpcError as error:
            self._refuse(call, error)

    def _on_closed(self, stream_id: int) -> None:
        call = self._calls.get(stream_id)
        if call is not None:
            self._forget(call)
        if self._unwanted:
            self._unwanted.pop(stream_id, None)

    def _hold(self, call: _Call, data: bytes) -> None:
        call.chunks.append(data)
        if len(call.chunks) > _MOST_CHUNKS:  # tiny ones take more memory than they have bytes
            call.chunks = [b"".join(call.chunks)]
        call.held_bytes += len(data)
        self._held_bytes += len(data)
        if call.length < 0 and call.held_bytes >= PREFIX_BYTES:
            if len(call.chunks) > 1 and len(call.chunks[0]) < PREFIX_BYTES:
                call.chunks = [b"".join(call.chunks)]
            limit_bytes = self._serving.max_message_bytes
            call.length = read_prefix(call.chunks[0], limit_bytes=limit_bytes)
        if call.held_bytes > PREFIX_BYTES + call.length >= PREFIX_BYTES:
            read_message(call.chunks, length=call.length)  # says what is wrong

    def _run(self, call: _Call) -> None:
        """
        Hand the complete message of a call to its handler.
        """
        if call.length < 0:
            raise RpcError(Code.UNIMPLEMENTED, "the call has no message; there must be one")
        is_packed = call.chunks[0][0]
        message = read_message(call.chunks, length=call.length)
        call.chunks.clear()
        if is_packed and not call.encoding:
            raise RpcError(Code.INTERNAL, "a compressed message, but no grpc-encoding")
        assert call.handler is not None
        self._running_calls += 1
        call.running = EagerCall(
            self._handle_packed(call, message) if is_packed else call.handler(message),
            lambda reply, error: self._answer(call, reply, error),
            loop=self.loop,
        )
        call.running.start()

    async def _handle_packed(self, call: _Call, packed: bytes) -> bytes:
        assert call.handler is not None
        limit_bytes = self._serving.max_message_bytes
        return await call.handler(await unpack(call.encoding, packed, limit_bytes=limit_bytes))

    def _answer(self, call: _Call, reply: bytes | None, error: BaseException | None) -> None:
        self._running_calls -= 1
        if self._calls.get(call.stream_id) is not call:
            return  # given up meanwhile
        if error is None:
            self._reply(call, reply or b"")
        elif isinstance(error, RpcError):
            self._refuse(call, error)
        else:
            _log.error("a call's handler failed", exc_info=error)
            self._refuse(call, RpcError(Code.INTERNAL, "internal error"))

    def _reply(self, call: _Call, reply: bytes) -> None:
        stream_id, http2 = call.stream_id, self.http2
        del self._calls[stream_id]
        http2.send_response(stream_id, _HEAD)
        http2.send_data(stream_id, prefix(len(reply)) + reply if reply else EMPTY)
        http2.send_trailers(stream_id, _OK)
        self._let_go(call)
        self.flush_soon()

    def _refuse(self, call: _Call, error: RpcError) -> None:
        self._end(call, (*_HEAD, *error.fields()))

    def _turn_away(self, call: _Call, http_status: bytes) -> None:
        """
        Answer what is no gRPC at all.
        """
        self._end(call, ((b":status", http_status),))

    def _end(self, call: _Call, fields: tuple[tuple[bytes, bytes], ...]) -> None:
        """
        Answer with fields only, and take no more of the request.
        """
        self._forget(call)
        if self.is_lost:
            return
        self.http2.send_response(call.stream_id, fields, end_stream=True)
        if not call.is_ended:
            # The client stops by itself. A reset would come before the answer is written, and cost
            # us the window of a frame that is only half here (ngh2 0.3.0 does not give it back).
            self._unwanted[call.stream_id] = self.loop.time() + self._serving.read_timeout_s
        self.flush_soon()

    def _forget(self, call: _Call) -> None:
        """
        Give a call up; whatever still handles it is cancelled.
        """
        del self._calls[call.stream_id]
        self._let_go(call)
        if call.running is not None:
            call.running.cancel()

    def _let_go(self, call: _Call) -> None:
        """
        Let the client send as much as the call held.
        """
        self._held_bytes -= call.held_bytes
        self._give_back(call.stream_id, call.held_bytes)
        call.chunks.clear()
        call.held_bytes = 0
        if self._held_bytes > self._serving.half_window_bytes:
            self._make_room()

    def _give_back(self, stream_id: int, size: int) -> None:
        if size and not self.is_lost:
            self.http2.acknowledge_received_data(size, stream_id)

    def _make_room(self) -> None:
        """
        Refuse the youngest call if all that is held are parts: they might wait for each other.
        """
        if not self._running_calls:
            youngest = max(
                (call for call in self._calls.values() if call.held_bytes),
                key=lambda call: call.stream_id,
            )
            message = "too many large requests at once on one connection"
            self._refuse(youngest, RpcError(Code.UNAVAILABLE, message))

    def _take_no_more(self) -> None:
        """
        Say which calls were taken; once they are answered, the connection closes.
        """
        if self._is_draining and not self.is_lost and self.http2.want_read:
            self.http2.send_goaway()
            self.flush()
