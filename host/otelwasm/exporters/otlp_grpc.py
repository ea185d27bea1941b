"""
Send batches over OTLP/gRPC; a batch's bytes go out as they are.
"""

from collections.abc import Mapping
from typing import Literal

import attrs
import grpc

from otelwasm.errors import BatchError, RetryableError
from otelwasm.otlp.answers import PROTOBUF
from otelwasm.otlp.endpoints import GrpcTarget
from otelwasm.otlp.replies import Rejected, grpc_error, rejected_in
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ClientTls
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["OtlpGrpcConfig", "OtlpGrpcExporter"]

_COMPRESSION = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
_STATUS_DETAILS = "grpc-status-details-bin"
# gRPC's own default, 2 minutes, would let our retries fail long after the server came back.
_LONGEST_RECONNECT_MS = 5_000


def _is_target(_: object, __: object, endpoint: str) -> None:
    try:
        GrpcTarget.parse(endpoint)
    except ValueError as error:
        raise ValueError(f"endpoint: {error}") from error


@attrs.frozen
class OtlpGrpcConfig:
    """
    Whom to send to, and how; plain text is for `http://`, this machine, or `tls: {insecure: true}`.
    """

    endpoint: str = attrs.field(validator=_is_target)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    compression: Literal["none", "gzip"] = "none"
    tls: ClientTls | None = None

    @property
    def is_plain(self) -> bool:
        """
        Whether to speak plain text, without TLS.
        """
        target = GrpcTarget.parse(self.endpoint)
        if target.has_scheme or self.tls is None:
            return target.is_plain
        return self.tls.insecure


class OtlpGrpcExporter:
    """
    One channel to an OTLP server.
    """

    def __init__(self, config: OtlpGrpcConfig) -> None:
        self._config = config
        self._metadata = tuple((name.lower(), value) for name, value in config.headers.items())
        self._channel: grpc.aio.Channel | None = None
        self._calls: Mapping[Signal, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    async def start(self) -> None:
        """
        Open the channel; it connects when the first batch is sent.
        """
        config = self._config
        target = GrpcTarget.parse(config.endpoint).name
        options = (
            ("grpc.primary_user_agent", "otelwasm"),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
            ("grpc.use_local_subchannel_pool", 1),
        )
        compression = _COMPRESSION[config.compression]
        if config.is_plain:
            self._channel = grpc.aio.insecure_channel(target, options, compression)
        else:
            credentials = (config.tls or ClientTls()).grpc_credentials()
            self._channel = grpc.aio.secure_channel(target, credentials, options, compression)
        self._calls = {
            signal: self._channel.unary_unary(service.method)
            for signal, service in SERVICES.items()
        }

    async def send(self, batch: Batch) -> Rejected | None:
        """
        Send *batch*; return what of it the server rejected, if it took the rest.
        """
        if self._channel is None:
            raise RetryableError(f"{self._config.endpoint}: the exporter is closed")
        try:
            body = await self._calls[batch.signal](batch.payload, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise self._error(error) from error
        return rejected_in(batch.signal, body, content_type=PROTOBUF)

    async def close(self) -> None:
        """
        Close the channel; twice is safe.
        """
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _error(self, error: grpc.aio.AioRpcError) -> BatchError:
        message = error.details() or ""
        if not self._config.is_plain and "ssl" in message.lower():
            message += " (for a server without TLS, set `tls: {insecure: true}`)"
        trailers = error.trailing_metadata() or ()
        details = next((value for name, value in trailers if name == _STATUS_DETAILS), None)
        return grpc_error(
            self._config.endpoint,
            error.code().name,
            message=message,
            details=details if isinstance(details, bytes) else None,
        )
