"""
Send batches over OTLP/HTTP, as protobuf or JSON, plain or compressed.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.http.client import Destination, HttpClient
from otelwasm.http.line import Reply
from otelwasm.http.messages import header_line
from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.compression import compress
from otelwasm.otlp.endpoints import Address, http_url
from otelwasm.otlp.json import to_json
from otelwasm.otlp.rejected import Rejected
from otelwasm.otlp.replies import http_error, rejected_in
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ClientTls
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["OtlpHttpConfig", "OtlpHttpExporter"]

# Packing, or writing JSON of, more than this would hold up the event loop.
_INLINE_BYTES = 16 << 10
# What the exporter has to say itself.
_OWN_HEADERS = {"connection", "content-length", "transfer-encoding"}


def _is_url(_: object, key: "attrs.Attribute[str | None]", url: str | None) -> None:
    try:
        if url is not None:
            http_url(url)
    except ValueError as error:
        raise ValueError(f"{key.name}: {error}") from error


def _url_field() -> Any:
    return attrs.field(default=None, validator=_is_url)


def _can_be_sent(_: object, __: object, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if name.lower() in _OWN_HEADERS:
            raise ValueError(f"headers: {name} is not yours to set; leave it out")
        try:
            header_line(name, value)
        except ValueError as error:
            raise ValueError(f"headers: {error}") from error


@attrs.frozen
class OtlpHttpConfig:
    """
    Whom to send to, and how; `…/v1/traces` and so on is added to *endpoint*, but not to the others.
    """

    endpoint: str | None = _url_field()
    """Whom to send to; `/v1/traces` and so on is added."""
    traces_endpoint: str | None = _url_field()
    """Where traces go instead, as it stands."""
    metrics_endpoint: str | None = _url_field()
    """Where metrics go instead, as it stands."""
    logs_endpoint: str | None = _url_field()
    """Where logs go instead, as it stands."""
    profiles_endpoint: str | None = _url_field()
    """Where profiles go instead, as it stands."""
    encoding: Literal["proto", "json"] = "proto"
    """Protobuf or JSON."""
    compression: Literal["none", "gzip", "zstd"] = "none"
    """How requests are compressed."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False, validator=_can_be_sent)
    """Headers of each request."""
    tls: ClientTls | None = None
    """Which server to trust, and the certificate to show it."""

    def __attrs_post_init__(self) -> None:
        if not any(self.url(signal) for signal in Signal):
            raise ValueError("endpoint: missing; such as http://localhost:4318")

    def url(self, signal: Signal) -> str | None:
        """
        Return where batches of *signal* go; None if the configuration does not say.
        """
        own: str | None = getattr(self, f"{signal.label}_endpoint")
        if own is not None or self.endpoint is None:
            return own
        return http_url(self.endpoint) + SERVICES[signal].path

    def addresses(self, signal: Signal) -> list[Address]:
        """
        Whom it sends *signal* to.
        """
        url = self.url(signal)
        return [] if url is None else [Address.of_url(url)]


class OtlpHttpExporter:
    """
    A pool of connections to an OTLP server.
    """

    def __init__(self, config: OtlpHttpConfig) -> None:
        self._config = config
        self._content_type = JSON if config.encoding == "json" else PROTOBUF
        self._destinations: dict[Signal, Destination] = {}
        self._client: HttpClient | None = None

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Nothing is loaded.
        """

    async def start(self) -> None:
        """
        Make the pool; it connects when the first batch is sent.
        """
        config = self._config
        headers = {"user-agent": "otelwasm", "content-type": self._content_type}
        if config.compression != "none":
            headers["content-encoding"] = config.compression
        headers |= {name.lower(): value for name, value in config.headers.items()}
        for signal in Signal:
            url = config.url(signal)
            if url is not None:
                self._destinations[signal] = Destination.of(url, headers)
        self._client = HttpClient(tls=(config.tls or ClientTls()).ssl_context())

    async def send(self, batch: Batch) -> Rejected | None:
        """
        Send *batch*; return what of it the server rejected, if it took the rest.
        """
        destination = self._destinations.get(batch.signal)
        if self._client is None:
            raise RetryableError("the exporter is closed")
        if destination is None:
            raise PermanentError(
                f"no endpoint for {batch.signal.label}; "
                f"set endpoint or {batch.signal.label}_endpoint"
            )
        is_plain = self._content_type == PROTOBUF and self._config.compression == "none"
        if is_plain or len(batch.payload) <= _INLINE_BYTES:
            body = self._body(batch)
        else:
            body = await asyncio.to_thread(self._body, batch)
        try:
            reply = await self._client.send(destination, body)
        except OSError as error:
            reason = str(error) or type(error).__name__
            raise RetryableError(f"{destination.url}: {reason}") from error
        return self._read(batch.signal, destination.url, reply=reply)

    async def close(self) -> None:
        """
        Close the connections; twice is safe.
        """
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _body(self, batch: Batch) -> bytes:
        body = batch.payload
        if self._content_type == JSON:
            try:
                body = to_json(batch.signal, body)
            except ValueError as error:
                raise PermanentError(str(error)) from error
        return compress(self._config.compression, body)

    def _read(self, signal: Signal, url: str, *, reply: Reply) -> Rejected | None:
        """
        Return what was rejected; raise what the answer means otherwise.
        """
        if 200 <= reply.status < 300:
            return rejected_in(signal, reply.body, content_type=self._content_type)
        content_type = reply.header(b"content-type") or ""
        raise http_error(
            url,
            reply.status,
            body=reply.body,
            content_type=content_type.partition(";")[0].strip().lower(),
            retry_after=reply.header(b"retry-after"),
        )
