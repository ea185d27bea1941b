"""
Parts for tests of a delivery: one that has been started, and what became of its batches.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from otelwasm.config.values import Duration
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import Delivery, DeliveryConfig, RetryConfig, SendingQueueConfig
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.telemetry import Telemetry

__all__ = ["a_delivery", "finish", "quarantined"]

TWO_CONSUMERS = SendingQueueConfig(num_consumers=2)
QUICKLY = RetryConfig(initial_interval=Duration(0.001), max_interval=Duration(0.002))


def a_delivery(
    folder: Path,
    send: Callable[[Batch], Awaitable[None]],
    *,
    retry: RetryConfig = QUICKLY,
    queue: SendingQueueConfig = TWO_CONSUMERS,
    timeout_s: float = 5,
) -> Delivery:
    """
    A delivery that has been started.
    """
    telemetry = Telemetry()
    delivery = Delivery(
        "exporter/test",
        send,
        config=DeliveryConfig(
            sending_queue=queue, retry_on_failure=retry, timeout=Duration(timeout_s)
        ),
        quarantine=Quarantine(folder, max_bytes=1 << 20, telemetry=telemetry),
        telemetry=telemetry,
    )
    delivery.start()
    return delivery


async def finish(delivery: Delivery, within_s: float = 5) -> None:
    """
    Drain *delivery*.
    """
    await delivery.drain(asyncio.get_running_loop().time() + within_s)


def quarantined(folder: Path) -> list[bytes]:
    """
    The payloads in the quarantine.
    """
    return [path.read_bytes() for path in sorted(folder.glob("*.otlp"))]
