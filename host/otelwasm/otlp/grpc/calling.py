"""
Call the methods of one server over one connection.
"""

import asyncio
from collections.abc import Mapping, Sequence

import attrs
import ngh2

from otelwasm.otlp.grpc.connection import Http2Connection
from otelwasm.otlp.grpc.messages import PREFIX_BYTES, read_message, read_prefix, unpacked
from otelwasm.otlp.grpc.status import Code, Outcome, RpcError, code_of_http, code_of_reset

__all__ = ["ClientConnection", "Response", "UnprocessedError"]

_MAX_MESSAGE_BYTES = 4 << 20
_STREAM_WINDOW_BYTES = 1 << 20
_WINDOW_BYTES = 16 << 20
_NO_HTTP2 = "the server does not speak HTTP/2 as it should: {}"
# Until the server says how many calls it takes at once.
_USUAL_CONCURRENT_CALLS = 100


class UnprocessedError(RpcError):
    """
    A call that the server never looked at, so that it may be made again elsewhere at once.
    """


@attrs.frozen
class Response:
    """
    What a call came to: the message of the answer, if its outcome is OK.
    """

    outcome: Outcome
    message: bytes


class _Call:
    """
    One call that waits for its answer.
    """

    __slots__ = ("answer", "chunks", "fields", "received_bytes", "stream_id")

    def __init__(self, answer: "asyncio.Future[Response]") -> None:
        self.answer = answer
        self.stream_id = 0
        self.fields: Mapping[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.received_bytes = 0


class ClientConnection(Http2Connection):
    """
    Carries calls until it breaks, or the server asks to go.
    """

    def __init__(self) -> None:
        super().__init__(
            ngh2.Role.CLIENT,
            config=ngh2.Configuration(),
            settings={
                ngh2.Setting.ENABLE_PUSH: 0,
                ngh2.Setting.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES,
            },
            window_bytes=_WINDOW_BYTES,
        )
        # Done once the server has shown that it speaks HTTP/2.
        self.is_ready: asyncio.Future[None] = self.loop.create_future()
        self._limit = _USUAL_CONCURRENT_CALLS
        self._calls: dict[int, _Call] = {}
        self.was_used = False
        # Why it is not usable any more.
        self.failure = "the connection was closed"
        self._is_leaving = False

    @property
    def is_usable(self) -> bool:
        """
        Whether calls can be made at all.
        """
        return not (self._is_leaving or self.is_lost)

    @property
    def has_room(self) -> bool:
        """
        Whether the server takes one more call now.
        """
        return len(self._calls) < self._limit

    async def call(self, head: Sequence[ngh2.Header], prefix: bytes, message: bytes) -> Response:
        """
        Make one call; raises RpcError if no answer came.
        """
        self.was_used = True
        call = _Call(self.loop.create_future())
        http2 = self.http2
        try:
            call.stream_id = stream_id = http2.send_request(head)
            http2.send_data(stream_id, prefix)
            http2.send_data(stream_id, message, end_stream=True)
        except ngh2.NGH2Error as error:
            self._is_leaving = True
            raise UnprocessedError(Code.UNAVAILABLE, str(error)) from error
        self._calls[stream_id] = call
        self.flush_soon()
        reads = self.reads
        try:
            return await call.answer
        except asyncio.CancelledError:
            if reads == self.reads:
                # Not a word came meanwhile: the next calls had better go elsewhere.
                self._is_leaving = True
            self._cancel(call)
            raise

    def abandon(self) -> None:
        """
        Close now.
        """
        self._is_leaving = True
        self.is_ready.cancel()
        self._close()

    def handle(self, events: list[ngh2.Event]) -> None:
        """
        Act on what the server sent.
        """
        for event in events:
            if isinstance(event, ngh2.ResponseReceived):
                self._on_head(event.stream_id, event.headers, event.end_stream)
            elif isinstance(event, ngh2.DataReceived):
                self._on_data(event.stream_id, event.data, event.end_stream)
            elif isinstance(event, ngh2.TrailersReceived):
                self._on_end(event.stream_id, dict(event.headers))
            elif isinstance(event, ngh2.StreamClosed):
                self._on_closed(event.stream_id, event.error_code, event.local_error)
            elif isinstance(event, ngh2.SettingsReceived):
                self._on_settings(event.settings)
            elif isinstance(event, ngh2.GoAwayReceived):
                self._on_goaway(event.error_code, event.debug_data)
            elif isinstance(event, ngh2.ConnectionClosed):
                if event.error_code and not self._is_leaving:
                    self.failure = _NO_HTTP2.format(f"error {event.error_code}")
                    self._is_leaving = True
                self._close()

    def fail(self, error: Exception) -> None:
        """
        Give the connection up, and say why to those who wait.
        """
        self.failure = _NO_HTTP2.format(error)
        self._is_leaving = True
        super().fail(error)

    def connection_lost(self, error: Exception | None) -> None:
        """
        Tell all who wait.
        """
        if error is not None and self.is_usable:
            self.failure = f"the connection broke: {error}"
        super().connection_lost(error)
        calls, self._calls = self._calls, {}
        for call in calls.values():
            self._fail_call(call, RpcError(Code.UNAVAILABLE, self.failure))
        if not self.is_ready.done():
            self.is_ready.set_exception(ConnectionError(self.failure))

    def _on_settings(self, settings: Mapping[int, int]) -> None:
        limit = settings.get(ngh2.Setting.MAX_CONCURRENT_STREAMS)
        if limit is not None:
            self._limit = max(1, limit)  # for 0, nghttp2 waits until there may be more
        if not self.is_ready.done():
            self.is_ready.set_result(None)

    def _on_goaway(self, error_code: int, debug_data: bytes) -> None:
        self._is_leaving = True
        reason = debug_data[:200].decode(errors="replace")
        self.failure = f"the server said goodbye (HTTP/2 error {error_code}) {reason}".rstrip()

    def _on_head(self, stream_id: int, headers: tuple[ngh2.Header, ...], is_ended: bool) -> None:
        call = self._calls.get(stream_id)
        if call is None:
            return
        call.fields = dict(headers)
        if is_ended:
            self._on_end(stream_id, call.fields)

    def _on_data(self, stream_id: int, data: bytes, is_ended: bool) -> None:
        call = self._calls.get(stream_id)
        if call is None:
            return
        if data:
            call.chunks.append(data)
            call.received_bytes += len(data)
            if call.received_bytes > PREFIX_BYTES + _MAX_MESSAGE_BYTES:
                del self._calls[stream_id]
                self._reset(call)
                message = f"an answer of more than {_MAX_MESSAGE_BYTES} bytes"
                self._fail_call(call, RpcError(Code.RESOURCE_EXHAUSTED, message))
                return
        if is_ended:
            self._on_end(stream_id, {})

    def _on_end(self, stream_id: int, fields: Mapping[bytes, bytes]) -> None:
        call = self._calls.pop(stream_id, None)
        if call is None:
            return
        if self.http2.queued_body_size(stream_id):
            self._reset(call)  # it is answered: the rest need not be sent
        try:
            response = self._response(call, fields)
        except RpcError as error:
            self._fail_call(call, error)
        else:
            if not call.answer.done():
                call.answer.set_result(response)
        self._close_if_done()

    def _response(self, call: _Call, fields: Mapping[bytes, bytes]) -> Response:
        outcome = Outcome.of(fields)
        status = call.fields.get(b":status", b"")
        if outcome is None and status != b"200":
            body = b"".join(call.chunks)[:200].decode(errors="replace").strip()
            message = f"HTTP {status.decode(errors='replace')} {body}".rstrip()
            return Response(Outcome(code_of_http(status), message), b"")
        if outcome is None:
            raise RpcError(Code.UNKNOWN, "the answer has no grpc-status")
        if outcome.code:
            return Response(outcome, b"")
        if call.received_bytes < PREFIX_BYTES:
            raise RpcError(Code.INTERNAL, "the answer has no message")
        chunks = call.chunks
        if len(chunks) > 1 and len(chunks[0]) < PREFIX_BYTES:
            chunks = [b"".join(chunks)]
        length = read_prefix(chunks[0], limit_bytes=_MAX_MESSAGE_BYTES)
        message_ = read_message(chunks, length=length)
        if chunks[0][0]:
            encoding = call.fields.get(b"grpc-encoding", b"")
            if encoding not in (b"gzip", b"deflate"):
                raise RpcError(Code.INTERNAL, f"the answer's encoding {encoding!r} is not known")
            message_ = unpacked(encoding, message_, limit_bytes=_MAX_MESSAGE_BYTES)
        return Response(outcome, message_)

    def _on_closed(
        self, stream_id: int, error_code: int, local_error: ngh2.NGH2Error | None
    ) -> None:
        call = self._calls.pop(stream_id, None)
        if call is None:
            return
        if local_error is not None:
            self._fail_call(call, RpcError(Code.INTERNAL, str(local_error)))
        elif error_code == ngh2.ErrorCode.REFUSED_STREAM:
            message = "the server takes no more calls on this connection"
            self._fail_call(call, UnprocessedError(Code.UNAVAILABLE, message))
        else:
            message = f"the server reset the call (HTTP/2 error {error_code})"
            self._fail_call(call, RpcError(code_of_reset(error_code), message))
        self._close_if_done()

    def _cancel(self, call: _Call) -> None:
        if self._calls.pop(call.stream_id, None) is not None:
            self._reset(call)
            self._close_if_done()

    def _reset(self, call: _Call) -> None:
        if not self.is_lost:
            self.http2.reset_stream(call.stream_id, ngh2.ErrorCode.CANCEL)
            self.flush_soon()

    def _fail_call(self, call: _Call, error: RpcError) -> None:
        if not call.answer.done():
            call.answer.set_exception(error)

    def _close_if_done(self) -> None:
        if self._is_leaving and not self._calls:
            self._close()

    def _close(self) -> None:
        if self.is_lost or not self.is_open or self.transport.is_closing():
            return
        try:
            self.transport.write(self.http2.data_to_send())
            if self.http2.want_read:
                self.http2.terminate_connection()
                self.transport.write(self.http2.data_to_send())
        except ngh2.NGH2Error:
            pass  # it is closing as it is
        self.transport.close()
