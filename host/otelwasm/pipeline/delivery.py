"""
Deliver the batches of one exporter: queue, send, back off, try again, or keep for later.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import Any

import attrs
import structlog

from otelwasm.config.places import folder
from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.patience import Patience
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.queue import BatchQueue
from otelwasm.pipeline.step import Admission
from otelwasm.pipeline.storage import Storage, Storages, StoredBatch
from otelwasm.telemetry import Telemetry

__all__ = ["Delivery", "DeliveryConfig", "RetryConfig", "SendingQueueConfig"]

_log = structlog.get_logger(__name__)

# Nobody comes after the shutdown timeout, so until then a batch is tried this often at least.
_LAST_ATTEMPTS_S = 1.0
# Whoever stops the program hears what it waits for: soon, and then now and again.
_FIRST_LINE_S = 1.0
_LINE_EVERY_S = 5.0
_TOO_LATE = "not delivered before the shutdown timeout"


def _needs_a_queue(config: Any, _: object, storage: Path | None) -> None:
    if storage is None:
        return
    if not config.enabled:
        raise ValueError("there is nothing to keep on disk without a queue; leave `enabled` out")
    folder(storage)


@attrs.frozen
class SendingQueueConfig:
    """
    The Collector's `sending_queue`; its size is in bytes.
    """

    enabled: bool = True
    """Without a queue a sender waits until its batch is delivered, or hears that it was not."""
    num_consumers: int = attrs.field(default=10, validator=at_least(1))
    """Batches that are sent at the same time."""
    queue_size: ByteSize = attrs.field(default=ByteSize(64 << 20))
    """The queue's limit, in bytes and not in requests; a batch that does not fit is refused as
    retryable."""
    storage: Path | None = attrs.field(default=None, validator=_needs_a_queue)
    """A folder that keeps the queue over a restart or a crash; the queue is in memory only, if not
    given. (The Collector has the id of an extension here.)"""


@attrs.frozen
class RetryConfig:
    """
    The Collector's `retry_on_failure`; a `max_elapsed_time` of 0 never gives up.
    """

    enabled: bool = True
    """Whether to try again at all."""
    initial_interval: Duration = attrs.field(
        default=Duration(5), validator=at_least(Duration(0.001))
    )
    """The wait after the first failure."""
    max_interval: Duration = attrs.field(default=Duration(30), validator=at_least(Duration(0.001)))
    """The longest wait, unless the other side asks for a longer one."""
    max_elapsed_time: Duration = attrs.field(default=Duration(300))
    """When to give up and quarantine; 0 never does."""
    multiplier: float = attrs.field(default=1.5, validator=at_least(1))
    """How each wait grows from the one before."""
    randomization_factor: float = attrs.field(default=0.5, validator=at_least(0))
    """Part of a wait that is left to chance, so that not all come at once."""

    def backoff(self, attempt: int, *, after_s: float | None, elapsed_s: float) -> float | None:
        """
        Seconds to wait after the failed attempt number *attempt* (from 0); None to give up.
        """
        if not self.enabled:
            return None
        # No power beyond the largest interval is of use, and large ones overflow.
        growth = self.multiplier ** min(attempt, 64)
        interval = min(self.initial_interval * growth, self.max_interval)
        interval *= 1 + self.randomization_factor * random.uniform(-1, 1)
        delay = max(interval, after_s or 0)
        if self.max_elapsed_time and elapsed_s + delay > self.max_elapsed_time:
            return None
        return delay


@attrs.frozen
class DeliveryConfig:
    """
    The keys that every exporter has.
    """

    sending_queue: SendingQueueConfig = SendingQueueConfig()
    """The exporter's own queue."""
    retry_on_failure: RetryConfig = RetryConfig()
    """How a batch is tried again."""
    timeout: Duration = attrs.field(default=Duration(5), validator=at_least(Duration(0.001)))
    """Time to deliver one batch; for plugins `60s`."""


class Delivery:
    """
    An exporter's own queue and the tasks that empty it through *send*.

    A batch in it was accepted: it is sent, or it ends in the quarantine; with a *storage* it may
    stay there for the next process. With the queue disabled a batch is sent while its sender
    waits, once, and the sender hears how that went. There are never more than *at_once* senders:
    what they have in hand would only wait in another queue.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[Batch], Awaitable[None]],
        *,
        config: DeliveryConfig,
        quarantine: Quarantine,
        telemetry: Telemetry,
        at_once: int | None = None,
        storages: Storages | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self.queue = BatchQueue(name, limit_bytes=config.sending_queue.queue_size)
        self._send = send
        self._quarantine = quarantine
        self._telemetry = telemetry
        consumers = config.sending_queue.num_consumers
        self._sender_count = consumers if at_once is None else min(consumers, at_once)
        self._senders: list[asyncio.Task[None]] = []
        self._in_hand: dict[int, Batch] = {}
        self._is_draining = asyncio.Event()
        self._is_closed = False
        self._storages = storages
        self._storage: Storage | None = None
        self._patience = Patience(config.timeout)
        telemetry.watch_queue(name, self.queue.budget)

    def start(self) -> None:
        """
        Begin to send, first what another process left; raises SetupError or OSError.
        """
        directory = self.config.sending_queue.storage
        if directory is not None and self._storages is not None:
            self._storage = self._storages.lend(directory, self.name)
            self.take_up()
        self._start_senders()

    def take_up(self) -> None:
        """
        Queue what is in the storage and in nobody's hand; raises OSError.
        """
        if self._storage is None:
            return
        count = 0
        for batch in self._storage.take_up():
            self.put_held(batch)
            count += 1
        if count:
            _log.info("queue taken up", component=self.name, batches=count)

    def _start_senders(self) -> None:
        if self.config.sending_queue.enabled:
            self._senders = [
                asyncio.create_task(self._send_all(number), name=f"{self.name} sender {number}")
                for number in range(self._sender_count)
            ]

    def rehearse(self) -> None:
        """
        Begin, but let go of all that would be sent.
        """
        self._send = _let_go
        self._start_senders()

    async def admit(self, batch: Batch) -> Admission:
        """
        Keep room in the queue, or say at once that it is full.
        """
        if not self.config.sending_queue.enabled:
            await self._send_once(batch)
            return Admission()
        held = self._held(batch)
        return Admission(lambda: self._put(held), lambda: self._done(held))

    async def consume(self, batch: Batch) -> None:
        """
        Queue *batch* at once, or say that it is full.
        """
        if not self.config.sending_queue.enabled:
            await self._send_once(batch)
            return
        self._put(self._held(batch))

    def put_held(self, batch: Batch) -> None:
        """
        Queue a batch whose bytes were accepted before, as parts of others.
        """
        self.queue.budget.force(batch.size)
        self._put(batch)

    async def drain(self, deadline: float) -> None:
        """
        Send what is queued until *deadline* (the loop's time); quarantine the rest, or leave it in
        the storage.
        """
        self._is_draining.set()
        await self._wait_until_empty(deadline)
        for sender in self._senders:
            sender.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)
        self.part_with_all(_TOO_LATE)
        self._senders.clear()
        self._is_closed = True
        storage, self._storage = self._storage, None
        if storage is not None and self._storages is not None:
            self._storages.take_back(storage)

    def part_with_all(self, reason: str) -> None:
        """
        Quarantine all that is not delivered, or leave it in the storage.
        """
        rest = [*self._in_hand.values(), *self.queue.take_rest()]
        self._in_hand.clear()
        lost = [batch for batch in rest if not self._part_with(batch, reason)]
        if rest:
            left = "quarantined" if self._storage is None else "left_on_disk"
            _log.error(
                reason,
                component=self.name,
                batches=len(rest),
                **{left: _items(rest) - _items(lost), "lost": _items(lost)},
            )

    async def _wait_until_empty(self, deadline: float) -> None:
        """
        Wait for what is queued, until *deadline* at most, and say now and then what that is.
        """
        loop = asyncio.get_running_loop()
        next_line = loop.time() + _FIRST_LINE_S
        while True:
            try:
                async with asyncio.timeout_at(min(deadline, next_line)):
                    await self.queue.budget.unused()
                return
            except TimeoutError:
                if loop.time() >= deadline:
                    return
            rest = [*self._in_hand.values(), *self.queue.waiting()]
            _log.info(
                "stopping waits for what is not delivered yet",
                component=self.name,
                batches=len(rest),
                items=_items(rest),
                left_s=round(deadline - loop.time(), 1),
            )
            next_line += _LINE_EVERY_S

    def _held(self, batch: Batch) -> Batch:
        """
        Make room for *batch*, on disk too; raises BatchError.
        """
        if self._is_closed:
            raise RetryableError(f"{self.name} is stopped")
        self.queue.budget.take(batch.size)
        if self._storage is None:
            return batch
        try:
            return self._storage.keep(batch)
        except OSError as error:
            self.queue.budget.give_back(batch.size)
            raise RetryableError(f"{self.name}: its queue on disk takes nothing: {error}") from None

    def _put(self, batch: Batch) -> None:
        if self._is_closed:
            # Admitted before the end and committed after it: its sender takes it for accepted.
            self._part_with(batch, "accepted too late to be delivered")
        else:
            self.queue.put(batch)

    def _done(self, batch: Batch) -> None:
        """
        Forget *batch*, which is delivered, or kept elsewhere.
        """
        self.queue.done(batch)
        if isinstance(batch, StoredBatch):
            batch.storage.drop(batch)

    async def _send_all(self, number: int) -> None:
        while True:
            batch = await self.queue.get()
            self._in_hand[number] = batch
            await self._deliver(batch)
            del self._in_hand[number]

    async def _deliver(self, batch: Batch) -> None:
        started = monotonic()
        attempt = 0
        while True:
            try:
                await self._send_once(batch)
            except PermanentError as error:
                self._give_up(batch, str(error))
                return
            except RetryableError as error:
                delay = self.config.retry_on_failure.backoff(
                    attempt, after_s=error.after_s, elapsed_s=monotonic() - started
                )
                if delay is None:
                    self._give_up(batch, f"gave up after {attempt + 1} attempts: {error}")
                    return
                if self._is_draining.is_set():
                    delay = max(error.after_s or 0, min(delay, _LAST_ATTEMPTS_S))
                self._telemetry.count("retried", self.name, batch)
                _log.warning(
                    "delivery failed, will be tried again",
                    component=self.name,
                    signal=batch.signal.label,
                    items=batch.items,
                    after_s=round(delay, 3),
                    error=str(error),
                )
                await self._pause(delay)
                attempt += 1
            else:
                self._done(batch)
                return

    async def _send_once(self, batch: Batch) -> None:
        started = monotonic()
        try:
            with self._patience.wait():
                await self._send(batch)
        except BatchError:
            raise
        except TimeoutError as error:
            raise RetryableError(f"{self.name}: no answer within {self.config.timeout}") from error
        except Exception as error:
            # A defect of the exporter; the batch must not take the sender task down with it.
            _log.exception("exporter failed unexpectedly", component=self.name)
            raise PermanentError(f"{self.name}: {type(error).__name__}: {error}") from error
        finally:
            self._telemetry.time(self.name, monotonic() - started)

    async def _pause(self, delay_s: float) -> None:
        """
        Wait before the next attempt; the first one during shutdown comes at once.
        """
        if self._is_draining.is_set():
            await asyncio.sleep(delay_s)
            return
        try:
            async with asyncio.timeout(delay_s):
                await self._is_draining.wait()
        except TimeoutError:
            pass

    def _part_with(self, batch: Batch, reason: str) -> bool:
        """
        Let whoever comes next deliver *batch*, where it is on disk; else give it up.
        """
        if not isinstance(batch, StoredBatch):
            return self._give_up(batch, reason)
        batch.storage.leave(batch)
        self.queue.done(batch)
        return True

    def _give_up(self, batch: Batch, reason: str) -> bool:
        is_kept = self._quarantine.keep(batch, self.name, reason=reason)
        self._done(batch)
        return is_kept


def _items(batches: Iterable[Batch]) -> int:
    return sum(batch.items for batch in batches)


async def _let_go(batch: Batch) -> None:
    pass
