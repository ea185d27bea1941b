"""
Take batches over OTLP, by the protocols that the configuration asks for.
"""

import asyncio
from collections.abc import Callable

import attrs
import structlog

from otelwasm.pipeline.step import Consumer
from otelwasm.receivers.otlp_grpc import OtlpGrpcConfig, OtlpGrpcReceiver
from otelwasm.receivers.otlp_http import OtlpHttpConfig, OtlpHttpReceiver
from otelwasm.signals import Signal

__all__ = ["OtlpConfig", "OtlpReceiver", "Protocols"]

_log = structlog.get_logger(__name__)


def _not_empty(_: object, __: object, protocols: "Protocols") -> None:
    if protocols.grpc is None and protocols.http is None:
        raise ValueError("protocols: name grpc, http or both, such as `protocols: {grpc: {}}`")


@attrs.frozen
class Protocols:
    """
    The protocols to listen for; one that is not named is off.
    """

    grpc: OtlpGrpcConfig | None = None
    http: OtlpHttpConfig | None = None


@attrs.frozen
class OtlpConfig:
    """
    The Collector's keys of its `otlp` receiver.
    """

    protocols: Protocols = attrs.field(validator=_not_empty)


class OtlpReceiver:
    """
    A server for each of the protocols.
    """

    def __init__(
        self,
        config: OtlpConfig,
        consumer_for: Callable[[Signal], Consumer | None],
        *,
        name: str = "otlp",
    ) -> None:
        self._name = name
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

    async def close(self) -> None:
        """
        Accept no more, finish the requests in flight, close; twice is safe.
        """
        receivers = [receiver for receiver in (self._grpc, self._http) if receiver is not None]
        await asyncio.gather(*(receiver.close() for receiver in receivers))

    async def stop(self, deadline: float) -> None:
        """
        Close; leave the requests that are not done at *deadline*.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self.close()
        except TimeoutError:
            _log.warning("receiver's requests did not finish in time", receiver=self._name)
