"""
Send batches over OTLP/HTTP, as protobuf or JSON, plain or compressed.
"""

import asyncio
import io
from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
import attrs

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.compression import compress
from otelwasm.otlp.endpoints import http_url
from otelwasm.otlp.json import to_json
from otelwasm.otlp.replies import Rejected, http_error, rejected_in
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ClientTls
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["OtlpHttpConfig", "OtlpHttpExporter"]

# Packing, or writing JSON of, more than this would hold up the event loop.
_INLINE_BYTES = 16 << 10
# aiohttp warns of larger bodies in one piece.
_PIECEMEAL_BYTES = 1 << 20
_LONGEST_REPLY_BYTES = 64 << 10


def _is_url(_: object, key: "attrs.Attribute[str | None]", url: str | None) -> None:
    try:
        if url is not None:
            http_url(url)
    except ValueError as error:
        raise ValueError(f"{key.name}: {error}") from error


def _url_field() -> Any:
    return attrs.field(default=None, validator=_is_url)


@attrs.frozen
class OtlpHttpConfig:
    """
    Whom to send to, and how; `…/v1/traces` and so on is added to *endpoint*, but not to the others.
    """

    endpoint: str | None = _url_field()
    traces_endpoint: str | None = _url_field()
    metrics_endpoint: str | None = _url_field()
    logs_endpoint: str | None = _url_field()
    profiles_endpoint: str | None = _url_field()
    encoding: Literal["proto", "json"] = "proto"
    compression: Literal["none", "gzip", "zstd"] = "none"
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    tls: ClientTls | None = None

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


class OtlpHttpExporter:
    """
    A pool of connections to an OTLP server.
    """

    def __init__(self, config: OtlpHttpConfig) -> None:
        self._config = config
        self._content_type = JSON if config.encoding == "json" else PROTOBUF
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """
        Make the pool; it connects when the first batch is sent.
        """
        config = self._config
        headers = {
            "user-agent": "otelwasm",
            "content-type": self._content_type,
        }
        if config.compression != "none":
            headers["content-encoding"] = config.compression
        tls = (config.tls or ClientTls()).ssl_context()
        self._session = aiohttp.ClientSession(
            headers=headers | dict(config.headers),
            connector=aiohttp.TCPConnector(ssl=tls),
            timeout=aiohttp.ClientTimeout(total=None),  # the delivery's own timeout is for all
        )

    async def send(self, batch: Batch) -> Rejected | None:
        """
        Send *batch*; return what of it the server rejected, if it took the rest.
        """
        url = self._config.url(batch.signal)
        if url is None:
            raise PermanentError(
                f"no endpoint for {batch.signal.label}; "
                f"set endpoint or {batch.signal.label}_endpoint"
            )
        if self._session is None:
            raise RetryableError(f"{url}: the exporter is closed")
        is_plain = self._content_type == PROTOBUF and self._config.compression == "none"
        if is_plain or len(batch.payload) <= _INLINE_BYTES:
            body = self._body(batch)
        else:
            body = await asyncio.to_thread(self._body, batch)
        data = io.BytesIO(body) if len(body) > _PIECEMEAL_BYTES else body
        try:
            async with self._session.post(url, data=data, allow_redirects=False) as response:
                return await self._read(batch.signal, url, response=response)
        except (aiohttp.ClientError, OSError) as error:
            raise RetryableError(f"{url}: {error or type(error).__name__}") from error

    async def close(self) -> None:
        """
        Close the connections; twice is safe.
        """
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _body(self, batch: Batch) -> bytes:
        body = batch.payload
        if self._content_type == JSON:
            try:
                body = to_json(batch.signal, body)
            except ValueError as error:
                raise PermanentError(str(error)) from error
        return compress(self._config.compression, body)

    async def _read(
        self, signal: Signal, url: str, *, response: aiohttp.ClientResponse
    ) -> Rejected | None:
        """
        Read the answer as far as it can matter; raise what it means.
        """
        body = b""
        async for chunk in response.content.iter_chunked(_LONGEST_REPLY_BYTES):
            body += chunk
            if len(body) >= _LONGEST_REPLY_BYTES:
                break
        if 200 <= response.status < 300:
            return rejected_in(signal, body, content_type=self._content_type)
        raise http_error(
            url,
            response.status,
            body=body,
            content_type=response.content_type,
            retry_after=response.headers.get("retry-after"),
        )
