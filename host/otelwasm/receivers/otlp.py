"""
Take batches over OTLP, by the protocols that the configuration asks for.
"""

import asyncio

import attrs

from otelwasm.otlp.endpoints import Address
from otelwasm.pipeline.step import ConsumerFor
from otelwasm.receivers.listening import GRACE_S
from otelwasm.receivers.otlp_grpc import OtlpGrpcConfig, OtlpGrpcReceiver
from otelwasm.receivers.otlp_http import OtlpHttpConfig, OtlpHttpReceiver

__all__ = ["OtlpConfig", "OtlpReceiver", "Protocols"]


def _not_empty(_: object, __: object, protocols: "Protocols") -> None:
    if protocols.grpc is None and protocols.http is None:
        raise ValueError("protocols: name grpc, http or both, such as `protocols: {grpc: {}}`")


@attrs.frozen
class Protocols:
    """
    The protocols to listen for; one that is not named is off.
    """

    grpc: OtlpGrpcConfig | None = None
    """OTLP/gRPC; without a value, with its defaults."""
    http: OtlpHttpConfig | None = None
    """OTLP/HTTP, protobuf and JSON; without a value, with its defaults."""


@attrs.frozen
class OtlpConfig:
    """
    The Collector's keys of its `otlp` receiver.
    """

    protocols: Protocols = attrs.field(validator=_not_empty)
    """Which of them to listen for, at least one."""

    def addresses(self) -> list[Address]:
        """
        Where it listens.
        """
        both = (self.protocols.grpc, self.protocols.http)
        return [Address.parse(each.endpoint) for each in both if each is not None]


class OtlpReceiver:
    """
    A server for each of the protocols.
    """

    def __init__(
        self,
        config: OtlpConfig,
        consumer_for: ConsumerFor,
        *,
        name: str = "otlp",
    ) -> None:
        grpc, http = config.protocols.grpc, config.protocols.http
        self._grpc = None if grpc is None else OtlpGrpcReceiver(grpc, consumer_for, name=name)
        self._http = None if http is None else OtlpHttpReceiver(http, consumer_for, name=name)

    @property
    def grpc_port(self) -> int | None:
        """
        The port bound for gRPC, once started.
        """
        return None if self._grpc is None else self._grpc.port

    @property
    def http_port(self) -> int | None:
        """
        The port bound for HTTP, once started.
        """
        return None if self._http is None else self._http.port

    async def load(self) -> None:
        """
        Nothing is loaded.
        """

    async def start(self) -> None:
        """
        Listen by all protocols, or by none: raises SetupError if an endpoint cannot be had.
        """
        try:
            for receiver in (self._grpc, self._http):
                if receiver is not None:
                    await receiver.start()
        except BaseException:
            await self.close()
            raise

    async def close(self, grace_s: float = GRACE_S) -> None:
        """
        Accept no more, finish the requests in flight for *grace_s*, close; twice is safe.
        """
        receivers = [receiver for receiver in (self._grpc, self._http) if receiver is not None]
        await asyncio.gather(*(receiver.close(grace_s) for receiver in receivers))

    async def stop(self, deadline: float) -> None:
        """
        Close; tell the senders of requests that are not done at *deadline* to come again.
        """
        left_s = deadline - asyncio.get_running_loop().time()
        await self.close(min(max(0.0, left_s), GRACE_S))
