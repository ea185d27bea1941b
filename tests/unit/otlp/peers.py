"""
Stand at the other end of a receiver or an exporter, on this machine, in bounded time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs

from otelwasm.pipeline.batch import Batch
from otelwasm.receivers.otlp import OtlpConfig, OtlpReceiver, Protocols
from otelwasm.receivers.otlp_grpc import OtlpGrpcConfig
from otelwasm.receivers.otlp_http import OtlpHttpConfig
from otelwasm.signals import Signal

__all__ = ["Inbox", "receiving", "refused", "run"]

T = TypeVar("T")


def run(scenario: Coroutine[Any, Any, T], *, limit_s: float = 30) -> T:
    """
    Run *scenario* in an event loop of its own; fail if it takes longer than *limit_s*.
    """
    return asyncio.run(asyncio.wait_for(scenario, limit_s))


@attrs.define
class Inbox:
    """
    A consumer that keeps what it is given, refuses it with *error*, or holds it until released.
    """

    batches: list[Batch] = attrs.field(factory=list)
    error: Exception | None = None
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)
    released: asyncio.Event | None = None

    async def consume(self, batch: Batch) -> None:
        """
        Take *batch*.
        """
        self.arrived.set()
        if self.released is not None:
            await self.released.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(batch)

    def payloads(self, signal: Signal) -> list[bytes]:
        """
        Return the payloads that came for *signal*.
        """
        return [batch.payload for batch in self.batches if batch.signal is signal]


@asynccontextmanager
async def receiving(
    inbox: Inbox,
    *,
    takes: Callable[[Signal], bool] = lambda signal: True,
    grpc: OtlpGrpcConfig | None = None,
    http: OtlpHttpConfig | None = None,
) -> AsyncIterator[OtlpReceiver]:
    """
    Run a receiver for both protocols, on ports of its own, that feeds *inbox*.
    """
    protocols = Protocols(
        grpc=grpc or OtlpGrpcConfig(endpoint="127.0.0.1:0"),
        http=http or OtlpHttpConfig(endpoint="127.0.0.1:0"),
    )
    receiver = OtlpReceiver(
        OtlpConfig(protocols=protocols), lambda signal: inbox if takes(signal) else None
    )
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()


async def refused(port: int | None) -> None:
    """
    Return once nobody takes connections on *port* any more.
    """
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        writer.close()
