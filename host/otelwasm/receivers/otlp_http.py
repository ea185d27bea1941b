"""
Take batches over OTLP/HTTP: protobuf or JSON, plain or compressed.

A sender that has to mend its request (path, method, type, size) is told in plain text or in its own
encoding what was expected; `otlp/answers.py` says what the rest is answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

import attrs

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import BatchError, PermanentError
from otelwasm.otlp.answers import JSON, PROTOBUF, Refusal, refusal, success_body
from otelwasm.otlp.checking import PayloadCheck
from otelwasm.otlp.compression import ENCODINGS, TooLargeError, decompress
from otelwasm.otlp.endpoints import Address
from otelwasm.otlp.json import from_json
from otelwasm.otlp.signals import SIGNAL_BY_PATH
from otelwasm.otlp.tls import ServerTls
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import Consumer
from otelwasm.receivers.cors import CorsConfig
from otelwasm.receivers.listening import HttpServer, bind
from otelwasm.signals import Signal

__all__ = ["OtlpHttpApp", "OtlpHttpConfig", "OtlpHttpReceiver"]

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Unpacking or reading JSON of more than this would keep the event loop from the other senders.
_INLINE_BYTES = 16 << 10


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
    max_request_body_size: ByteSize = attrs.field(default=ByteSize(20 << 20))
    read_header_timeout: Duration = attrs.field(default=Duration(60))
    read_timeout: Duration = attrs.field(default=Duration(60))
    cors: CorsConfig | None = None
    tls: ServerTls | None = None


class OtlpHttpReceiver:
    """
    An HTTP server for the signals that a pipeline takes.
    """

    def __init__(
        self,
        config: OtlpHttpConfig,
        consumer_for: Callable[[Signal], Consumer | None],
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
        app = OtlpHttpApp(config, {signal: self._consumer_for(signal) for signal in Signal})
        sockets = bind(Address.parse(config.endpoint), receiver=self._name)
        self._server = HttpServer(app, sockets, tls=tls, head_timeout_s=config.read_header_timeout)
        self.port = self._server.port
        await self._server.start()
        app.check.load_soon()

    async def close(self) -> None:
        """
        Accept no more, finish the requests in flight, close; twice is safe.
        """
        server, self._server = self._server, None
        if server is not None:
            await server.close()


@attrs.frozen
class _Answer:
    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = attrs.field(factory=dict)


class _UnfitError(Exception):
    """
    A request that cannot become a batch, with what its sender is answered.
    """

    def __init__(self, answer: _Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class OtlpHttpApp:
    """
    The ASGI application: one request in, one batch consumed, one answer out.
    """

    def __init__(self, config: OtlpHttpConfig, consumers: Mapping[Signal, Consumer | None]) -> None:
        self._consumers = consumers
        self._cors = config.cors
        self._limit_bytes = int(config.max_request_body_size)
        self._read_timeout = config.read_timeout
        self.check = PayloadCheck()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """
        Answer one request.
        """
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        try:
            answer = await self._answer(scope, headers, receive=receive)
        except _UnfitError as unfit:
            answer = unfit.answer
        if answer is None:
            return
        out = {"content-type": answer.content_type, "content-length": str(len(answer.body))}
        out.update(answer.headers)
        if self._cors is not None and "origin" in headers:
            out.update(self._cors.headers(headers["origin"]))
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode(), text.encode("latin-1")) for name, text in out.items()],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(
        self, scope: _Scope, headers: Mapping[str, str], *, receive: _Receive
    ) -> _Answer | None:
        """
        Consume what was sent and say how that went; None if the sender is gone.
        """
        signal = SIGNAL_BY_PATH.get(scope["path"])
        if signal is None:
            return _told(404, f"unknown path; known are {', '.join(SIGNAL_BY_PATH)}")
        if scope["method"] == "OPTIONS" and self._cors is not None:
            return _Answer(204, headers=self._cors.preflight_headers())
        if scope["method"] != "POST":
            return _told(405, "only POST is taken here", allow="POST")
        consumer = self._consumers[signal]
        if consumer is None:
            return _told(404, f"no pipeline here takes {signal.label}")
        content_type, encoding = _content_type(headers), _encoding(headers)
        body = await self._body(headers, receive, content_type=content_type)
        if body is None:
            return None
        read = partial(self._payload, signal, body, content_type=content_type, encoding=encoding)
        is_quick = len(body) <= _INLINE_BYTES or (content_type == PROTOBUF and encoding == "")
        try:
            payload = read() if is_quick else await asyncio.to_thread(read)
            await consumer.consume(Batch(signal, payload))
        except BatchError as error:
            return _refused(refusal(error), content_type)
        return _Answer(200, success_body(content_type), content_type)

    async def _body(
        self, headers: Mapping[str, str], receive: _Receive, *, content_type: str
    ) -> bytes | None:
        """
        Read the whole body; None if the sender went away before its end.
        """
        declared = headers.get("content-length", "0")
        size_bytes = int(declared) if declared.isdecimal() else 0
        parts: list[bytes] = []
        read_bytes = 0
        try:
            async with asyncio.timeout(self._read_timeout or None):
                while size_bytes <= self._limit_bytes:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    parts.append(message["body"])
                    read_bytes += len(parts[-1])
                    size_bytes = max(size_bytes, read_bytes)
                    if size_bytes <= self._limit_bytes and not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            reason = f"the body did not come within {self._read_timeout}"
            raise _unfit(408, reason, content_type=content_type) from None
        raise _unfit(413, str(TooLargeError(self._limit_bytes)), content_type=content_type)

    def _payload(self, signal: Signal, body: bytes, *, content_type: str, encoding: str) -> bytes:
        """
        Turn a body into the bytes of a well-formed request.
        """
        try:
            if encoding:
                body = decompress(encoding, body, limit_bytes=self._limit_bytes)
            if content_type == JSON:
                return from_json(signal, body)
        except TooLargeError as error:
            raise _unfit(413, str(error), content_type=content_type) from error
        except ValueError as error:
            raise PermanentError(str(error)) from error
        self.check(signal, body)
        return body


def _content_type(headers: Mapping[str, str]) -> str:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in (PROTOBUF, JSON):
        raise _UnfitError(_told(415, f"expected content-type {PROTOBUF} or {JSON}"))
    return content_type


def _encoding(headers: Mapping[str, str]) -> str:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return ""
    if encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise _UnfitError(
            _told(415, f"expected content-encoding {known}", **{"accept-encoding": known})
        )
    return encoding


def _told(status: int, reason: str, **headers: str) -> _Answer:
    """
    Answer in plain text: the sender's mistake leaves no encoding to answer in.
    """
    return _Answer(status, f"{reason}\n".encode(), headers=headers)


def _unfit(status: int, reason: str, *, content_type: str) -> _UnfitError:
    """
    Answer in the sender's encoding and close the connection: more of the body may be on its way.
    """
    answer = _refused(refusal(PermanentError(reason)), content_type)
    return _UnfitError(attrs.evolve(answer, status=status, headers={"connection": "close"}))


def _refused(refused: Refusal, content_type: str) -> _Answer:
    return _Answer(
        refused.http_status, refused.body(content_type), content_type, refused.http_headers()
    )
