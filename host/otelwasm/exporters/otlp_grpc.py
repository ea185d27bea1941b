"""
Send batches over OTLP/gRPC; a batch's bytes go out as they are.
"""

from collections.abc import Mapping
from typing import Literal

import attrs

from otelwasm.errors import RetryableError
from otelwasm.otlp.answers import PROTOBUF
from otelwasm.otlp.endpoints import Address, GrpcTarget
from otelwasm.otlp.grpc.channel import GrpcChannel
from otelwasm.otlp.grpc.status import RpcError, field
from otelwasm.otlp.rejected import Rejected
from otelwasm.otlp.replies import grpc_error, rejected_in
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ClientTls
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["OtlpGrpcConfig", "OtlpGrpcExporter"]

_METHODS = {signal: service.method for signal, service in SERVICES.items()}


def _is_target(_: object, __: object, endpoint: str) -> None:
    try:
        GrpcTarget.parse(endpoint)
    except ValueError as error:
        raise ValueError(f"endpoint: {error}") from error


def _can_be_sent(_: object, __: object, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        try:
            field(name, value)
        except ValueError as error:
            raise ValueError(f"headers: {error}") from error


@attrs.frozen
class OtlpGrpcConfig:
    """
    Whom to send to, and how; plain text is for `http://`, this machine, or `tls: {insecure: true}`.
    """

    endpoint: str = attrs.field(validator=_is_target)
    """Whom to send to: `host:port`, or `http://…` for plain text, `https://…` for TLS."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False, validator=_can_be_sent)
    """Metadata of each request."""
    compression: Literal["none", "gzip"] = "none"
    """How requests are compressed."""
    tls: ClientTls | None = None
    """Which server to trust, and the certificate to show it."""

    def addresses(self, _: Signal) -> list[Address]:
        """
        Whom it sends to.
        """
        target = GrpcTarget.parse(self.endpoint)
        return [] if target.socket_path is not None else [target.address]

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
    A channel to one OTLP server.
    """

    def __init__(self, config: OtlpGrpcConfig) -> None:
        self._config = config
        self._channel: GrpcChannel | None = None

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Nothing is loaded.
        """

    async def start(self) -> None:
        """
        Open the channel; it connects when the first batch is sent.
        """
        config = self._config
        self._channel = GrpcChannel(
            GrpcTarget.parse(config.endpoint),
            tls=None if config.is_plain else (config.tls or ClientTls()).ssl_context(),
            fields=list(config.headers.items()),
            encoding=config.compression,
        )

    async def send(self, batch: Batch) -> Rejected | None:
        """
        Send *batch*; return what of it the server rejected, if it took the rest.
        """
        if self._channel is None:
            raise RetryableError(f"{self._config.endpoint}: the exporter is closed")
        try:
            response = await self._channel.call(_METHODS[batch.signal], batch.payload)
        except RpcError as error:
            raise grpc_error(
                self._config.endpoint, error.code.name, message=error.message
            ) from error
        outcome = response.outcome
        if outcome.code:
            raise grpc_error(
                self._config.endpoint,
                outcome.code.name,
                message=outcome.message,
                details=outcome.details,
            )
        if not response.message:
            return None
        return rejected_in(batch.signal, response.message, content_type=PROTOBUF)

    async def close(self) -> None:
        """
        Close the channel; twice is safe.
        """
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()
