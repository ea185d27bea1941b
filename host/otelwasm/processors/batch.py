"""
Gather small batches into larger ones: by items, by bytes, or when the first has waited enough.

Joining OTLP requests is joining their bytes; only a batch that is too large is read, to cut it.
A batch is accepted as soon as it is held here. What the next step refuses for now is tried again,
what it refuses for good goes to the quarantine: its sender has its answer already.
"""

import asyncio

import attrs

from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.errors import PermanentError, RetryableError
from otelwasm.otlp import wire
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import Delivery, DeliveryConfig, RetryConfig, SendingQueueConfig
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.step import Admission, Consumer, Step, consumer_of
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["BatchConfig", "BatchProcessor"]

# Every next step bounds its own work; this only ends a wait that went wrong.
_NEXT_STEP_TIMEOUT = Duration(600)
_CONCURRENT_BATCHES = 4


@attrs.frozen
class BatchConfig:
    """
    The Collector's keys, and two limits in bytes.

    `send_batch_max_bytes` keeps what is joined below the 4 MiB that gRPC servers take by default;
    `queue_size` bounds what is held.
    """

    timeout: Duration = attrs.field(default=Duration(0.2))
    """What is held goes on after so long, however little it is."""
    send_batch_size: int = attrs.field(default=8192, validator=at_least(0))
    """Items that make a batch go on at once; 0 for none."""
    send_batch_max_size: int = attrs.field(default=0, validator=at_least(0))
    """Items that a batch may have; 0 for any number."""
    send_batch_max_bytes: ByteSize = attrs.field(default=ByteSize(3 << 20))
    """Bytes up to which batches are joined; gRPC servers take 4 MiB by default."""
    queue_size: ByteSize = attrs.field(default=ByteSize(64 << 20))
    """Bytes that may be held; what comes then is refused as retryable."""

    def __attrs_post_init__(self) -> None:
        if 0 < self.send_batch_max_size < self.send_batch_size:
            raise ValueError(
                f"send_batch_max_size ({self.send_batch_max_size}) must not be less than "
                f"send_batch_size ({self.send_batch_size})"
            )


class BatchProcessor:
    """
    Holds the batches of one pipeline until they are worth sending.
    """

    def __init__(
        self, component: str, config: BatchConfig, *, quarantine: Quarantine, telemetry: Telemetry
    ) -> None:
        self.component = component
        self._config = config
        self._then: Consumer | None = None
        self._pending: list[Batch] = []
        self._pending_items = 0
        self._pending_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopped = False
        self._delivery = Delivery(
            component,
            self._hand_on,
            config=DeliveryConfig(
                sending_queue=SendingQueueConfig(
                    num_consumers=_CONCURRENT_BATCHES, queue_size=config.queue_size
                ),
                retry_on_failure=RetryConfig(
                    initial_interval=Duration(0.1),
                    max_interval=Duration(5),
                    max_elapsed_time=Duration(0),
                ),
                timeout=_NEXT_STEP_TIMEOUT,
            ),
            quarantine=quarantine,
            telemetry=telemetry,
        )
        self._budget = self._delivery.queue.budget

    def step(self, signal: Signal, then: Step) -> Step:
        """
        Return the way in; what is gathered goes on to *then*.
        """
        self._then = consumer_of(then)
        return self

    async def start(self) -> None:
        """
        Begin to hand on.
        """
        self._delivery.start()

    async def admit(self, batch: Batch) -> Admission:
        """
        Keep room for *batch*; refuse what would spoil the batches that it is joined with.
        """
        self._make_room(batch)
        return Admission(lambda: self._hold(batch), lambda: self._budget.give_back(batch.size))

    async def consume(self, batch: Batch) -> None:
        """
        Take *batch* at once.
        """
        self._make_room(batch)
        self._hold(batch)

    def _make_room(self, batch: Batch) -> None:
        if self._is_stopped:
            raise RetryableError(f"{self.component} is stopped")
        if not batch.items:
            try:
                wire.count_items(batch.signal, batch.payload)
            except ValueError as error:
                raise PermanentError(f"{self.component}: {error}") from error
        self._budget.take(batch.size)

    async def stop(self, deadline: float) -> None:
        """
        Hand on everything, until *deadline*; the rest goes to the quarantine.
        """
        self._is_stopped = True
        self._flush()
        await self._delivery.drain(deadline)

    def part_with_all(self, reason: str) -> None:
        """
        Quarantine what is held.
        """
        self._is_stopped = True
        self._flush()
        self._delivery.part_with_all(reason)

    async def _hand_on(self, batch: Batch) -> None:
        if self._then is None:
            raise RetryableError(f"{self.component} has no next step yet")
        await self._then.consume(batch)

    def _hold(self, batch: Batch) -> None:
        most = self._config.send_batch_max_bytes
        does_fit = not most or self._pending_bytes + batch.size <= most
        if self._pending and not (does_fit and wire.is_mergeable(batch.signal)):
            self._flush()
        self._keep(batch)
        if self._is_stopped:
            self._flush()
        elif self._pending_items >= self._config.send_batch_size or not self._config.timeout:
            self._flush(is_full=True)
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._config.timeout, self._flush)

    def _keep(self, batch: Batch) -> None:
        self._pending.append(batch)
        self._pending_items += batch.items
        self._pending_bytes += batch.size

    def _flush(self, *, is_full: bool = False) -> None:
        """
        Queue what is pending; a last part that is not worth sending yet may stay when *is_full*.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        held, items = self._pending, self._pending_items
        self._pending = []
        self._pending_items = self._pending_bytes = 0
        parts = self._cut(held, items=items)
        if is_full and len(parts) > 1 and parts[-1].items < self._config.send_batch_size:
            self._budget.force(parts[-1].size)
            self._keep(parts.pop())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._config.timeout, self._flush)
        for part in parts:
            self._delivery.put_held(part)
        for batch in held:
            self._budget.give_back(batch.size)

    def _cut(self, held: list[Batch], *, items: int) -> list[Batch]:
        signal = held[0].signal
        payload = wire.merge(signal, [batch.payload for batch in held])
        parts = wire.split(
            signal,
            payload,
            max_items=self._config.send_batch_max_size or None,
            max_bytes=self._config.send_batch_max_bytes or None,
        )
        if len(parts) == 1:
            return [Batch(signal, payload, items)]
        return [Batch(signal, part) for part in parts]
