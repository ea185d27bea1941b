"""
Take batches over OTLP/HTTP: protobuf or JSON, plain or compressed.

A sender that has to mend its request (path, method, type, size) is told in plain text or in its own
encoding what was expected; `otlp/answers.py` says what the rest is answered.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial

import attrs

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import BatchError, PermanentError
from otelwasm.http.connection import HttpLimits
from otelwasm.http.messages import Answer, Request, told
from otelwasm.http.server import HttpServer
from otelwasm.otlp.answers import JSON, PROTOBUF, refusal, success_body
from otelwasm.otlp.checking import PayloadCheck
from otelwasm.otlp.compression import ENCODINGS, TooLargeError, decompress
from otelwasm.otlp.endpoints import Address
from otelwasm.otlp.json import from_json
from otelwasm.otlp.signals import SIGNAL_BY_PATH
from otelwasm.otlp.tls import ServerTls
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import Consumer, ConsumerFor
from otelwasm.receivers.cors import CorsConfig
from otelwasm.receivers.listening import GRACE_S, bind
from otelwasm.signals import Signal

__all__ = ["OtlpHttpConfig", "OtlpHttpReceiver"]

# Unpacking or reading JSON of more than this would keep the event loop from the other senders.
_INLINE_BYTES = 16 << 10
# What so little may unpack to: a thousand times as much is possible.
_INLINE_UNPACKED_BYTES = 256 << 10
_TAKEN = {
    content_type: Answer(200, success_body(content_type), (("content-type", content_type),))
    for content_type in (PROTOBUF, JSON)
}


def _is_address(_: object, __: object, endpoint: str) -> None:
    try:
        Address.parse(endpoint)
    except ValueError as error:
        raise ValueError(f"endpoint: {error}") from error


@attrs.frozen
class OtlpHttpConfig:
    """
    Where to listen for HTTP; a body may have *max_request_body_size*, packed or unpacked.

    A sender has *read_header_timeout* for the head of a request and *read_timeout* for its body.
    """

    endpoint: str = attrs.field(default="localhost:4318", validator=_is_address)
    """The address to listen at."""
    max_request_body_size: ByteSize = attrs.field(default=ByteSize(20 << 20))
    """What a body may have, packed or unpacked."""
    read_header_timeout: Duration = attrs.field(default=Duration(60))
    """Time that a sender has for the head of a request."""
    read_timeout: Duration = attrs.field(default=Duration(60))
    """Time that a sender has for the body of a request."""
    cors: CorsConfig | None = None
    """Let pages in browsers send."""
    tls: ServerTls | None = None
    """Listen with TLS."""


class OtlpHttpReceiver:
    """
    An HTTP server for the signals that a pipeline takes.
    """

    def __init__(
        self,
        config: OtlpHttpConfig,
        consumer_for: ConsumerFor,
        *,
        name: str = "otlp",
    ) -> None:
        self.port = 0
        self._config = config
        self._consumer_for = consumer_for
        self._name = name
        self._server: HttpServer | None = None

    async def start(self) -> None:
        """
        Listen; raises SetupError if the endpoint cannot be had.
        """
        config = self._config
        tls = None if config.tls is None else config.tls.ssl_context()
        desk = _Desk(config, {signal: self._consumer_for(signal) for signal in Signal})
        server = HttpServer(
            desk.answer,
            bind(Address.parse(config.endpoint), owner=f"receiver {self._name!r}"),
            tls=tls,
            limits=HttpLimits(
                body=config.max_request_body_size,
                head_timeout=config.read_header_timeout,
                body_timeout=config.read_timeout,
            ),
            refuse=desk.refusal,
        )
        self.port = server.port
        await server.start()
        self._server = server
        desk.check.load_soon()

    async def close(self, grace_s: float = GRACE_S) -> None:
        """
        Accept no more, finish the requests in flight for *grace_s*, close; twice is safe.
        """
        server, self._server = self._server, None
        if server is not None:
            await server.close(grace_s=grace_s)


class _UnfitError(Exception):
    """
    A request that cannot become a batch, with what its sender is answered.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class _Desk:
    """
    Answers requests: one request in, one batch consumed, one answer out.
    """

    def __init__(self, config: OtlpHttpConfig, consumers: Mapping[Signal, Consumer | None]) -> None:
        self.check = PayloadCheck()
        self._consumers = consumers
        self._cors = config.cors
        self._limit_bytes = int(config.max_request_body_size)

    async def answer(self, request: Request) -> Answer:
        """
        Consume what was sent and say how that went.
        """
        try:
            if request.method == "POST":
                answer = await self._consume(request)
            else:
                answer = self._not_posted(request)
        except BatchError as error:
            answer = _refused(error, _content_type(request.headers))
        except _UnfitError as unfit:
            answer = unfit.answer
        return answer if self._cors is None else self._shown(request, answer)

    def refusal(self, request: Request, status: int, reason: str) -> Answer:
        """
        Word the answer to a request whose body is too large or too late.
        """
        try:
            answer = _refused(PermanentError(reason), _content_type(request.headers), status)
        except _UnfitError as unfit:
            answer = unfit.answer
        return answer if self._cors is None else self._shown(request, answer)

    def _shown(self, request: Request, answer: Answer) -> Answer:
        """
        Let a page of an allowed origin see *answer*.
        """
        origin = request.headers.get("origin")
        if origin is None or self._cors is None:
            return answer
        headers = (*answer.headers, *self._cors.headers(origin).items())
        return attrs.evolve(answer, headers=headers)

    async def _consume(self, request: Request) -> Answer:
        signal = _signal(request)
        consumer = self._consumers[signal]
        if consumer is None:
            raise _UnfitError(told(404, f"no pipeline here takes {signal.label}"))
        headers, payload = request.headers, request.body
        content_type, encoding = _content_type(headers), _encoding(headers)
        if encoding or content_type == JSON:
            read = partial(
                self._read, signal, payload, content_type=content_type, encoding=encoding
            )
            try:
                batch = await self._made(read, len(payload))
            except TooLargeError as error:
                answer = _refused(PermanentError(str(error)), content_type, 413)
                raise _UnfitError(answer) from error
        else:
            batch = Batch(signal, payload, self.check(signal, payload))
        await consumer.consume(batch)
        return _TAKEN[content_type]

    def _not_posted(self, request: Request) -> Answer:
        _signal(request)
        if request.method == "OPTIONS" and self._cors is not None:
            return Answer(204, headers=tuple(self._cors.preflight_headers().items()))
        return told(405, "only POST is taken here", ("allow", "POST"))

    async def _made(self, read: Callable[[int], Batch], size: int) -> Batch:
        """
        Read at once what is small, also when it is unpacked, and all else on another thread.
        """
        if size <= _INLINE_BYTES:
            with contextlib.suppress(TooLargeError):
                return read(min(_INLINE_UNPACKED_BYTES, self._limit_bytes))
        return await asyncio.to_thread(read, self._limit_bytes)

    def _read(
        self, signal: Signal, body: bytes, limit_bytes: int, *, content_type: str, encoding: str
    ) -> Batch:
        """
        Make a batch of a body that is packed, or in JSON; raises TooLargeError.
        """
        try:
            if encoding:
                body = decompress(encoding, body, limit_bytes=limit_bytes)
            if content_type == JSON:
                return Batch(signal, from_json(signal, body))
        except TooLargeError:
            raise
        except ValueError as error:
            raise PermanentError(str(error)) from error
        return Batch(signal, body, self.check(signal, body))


def _signal(request: Request) -> Signal:
    signal = SIGNAL_BY_PATH.get(request.path)
    if signal is None:
        raise _UnfitError(told(404, f"unknown path; known are {', '.join(SIGNAL_BY_PATH)}"))
    return signal


def _content_type(headers: Mapping[str, str]) -> str:
    content_type = headers.get("content-type", "")
    if content_type not in _TAKEN:
        content_type = content_type.partition(";")[0].strip().lower()
        if content_type not in _TAKEN:
            raise _UnfitError(told(415, f"expected content-type {PROTOBUF} or {JSON}"))
    return content_type


def _encoding(headers: Mapping[str, str]) -> str:
    encoding = headers.get("content-encoding", "").lower()
    if encoding in ("", "identity"):
        return ""
    if encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise _UnfitError(
            told(415, f"expected content-encoding {known}", ("accept-encoding", known))
        )
    return encoding


def _refused(error: BatchError, content_type: str, status: int | None = None) -> Answer:
    """
    Say in the sender's encoding why a batch was not taken.
    """
    refused = refusal(error)
    return Answer(
        status or refused.http_status,
        refused.body(content_type),
        (("content-type", content_type), *refused.http_headers().items()),
    )
