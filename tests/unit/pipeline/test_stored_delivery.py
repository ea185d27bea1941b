"""
A delivery with a storage leaves on disk what it could not deliver, and nothing else.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import pytest

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import PermanentError, RetryableError, SetupError
from otelwasm.pipeline import storage as storage_module
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import Delivery, DeliveryConfig, RetryConfig, SendingQueueConfig
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.storage import Storages
from otelwasm.telemetry import Telemetry
from pipeline.fakes import a_batch, in_a_loop, names_in


@attrs.frozen
class Process:
    """
    What one process has: deliveries into the same folder, and what it sent.
    """

    folder: Path
    storages: Storages = attrs.field(factory=Storages)
    sent: list[str] = attrs.field(factory=list)

    def delivery(
        self, send: Callable[[Batch], Awaitable[None]] | None = None, *, size: int = 1 << 20
    ) -> Delivery:
        """
        A started delivery that calls *send*, or notes the names in what it sends.
        """

        async def note(batch: Batch) -> None:
            self.sent.extend(names_in(batch))

        telemetry = Telemetry()
        queue = SendingQueueConfig(
            storage=self.folder / "queue", num_consumers=1, queue_size=ByteSize(size)
        )
        retry = RetryConfig(initial_interval=Duration(0.001), max_interval=Duration(0.002))
        delivery = Delivery(
            "exporter/test",
            send or note,
            config=DeliveryConfig(sending_queue=queue, retry_on_failure=retry),
            quarantine=Quarantine(self.folder / "quarantine", max_bytes=9999, telemetry=telemetry),
            telemetry=telemetry,
            storages=self.storages,
        )
        delivery.start()
        return delivery

    @property
    def on_disk(self) -> list[Path]:
        """
        The files in its queue.
        """
        return sorted((self.folder / "queue" / "exporter%2Ftest").iterdir())


async def never(_: Batch) -> None:
    """
    The other side does not answer.
    """
    await asyncio.Event().wait()


async def stop(delivery: Delivery, within_s: float = 5.0) -> None:
    """
    Drain *delivery*.
    """
    await delivery.drain(asyncio.get_running_loop().time() + within_s)


@in_a_loop
async def test_what_is_delivered_is_not_on_disk(tmp_path: Path) -> None:
    """
    Each batch is in a file while it waits, and in none once it was sent.
    """
    process = Process(tmp_path)
    delivery = process.delivery()
    for name in ("a", "b", "c"):
        await delivery.consume(a_batch(name))
    waiting = process.on_disk
    await stop(delivery)

    assert (3, []) == (len(waiting), process.on_disk)
    assert ["a", "b", "c"] == process.sent


@in_a_loop
async def test_what_is_refused_is_in_quarantine_alone(tmp_path: Path) -> None:
    """
    A batch that nobody will ever take is not tried again by the next process.
    """

    async def refuse(_: Batch) -> None:
        raise PermanentError("no such tenant")

    process = Process(tmp_path)
    delivery = process.delivery(refuse)
    await delivery.consume(a_batch("a"))
    await stop(delivery)

    assert [] == process.on_disk
    assert 1 == len(list((tmp_path / "quarantine").glob("*.otlp")))


@in_a_loop
async def test_the_next_process_sends_what_is_left(tmp_path: Path) -> None:
    """
    What is not delivered at the deadline stays, in hand or in the queue, and goes first next time.
    """
    first, second = Process(tmp_path), Process(tmp_path)
    stuck = first.delivery(never)
    for name in ("a", "b", "c"):
        await stuck.consume(a_batch(name))
    await stop(stuck, within_s=0.01)
    delivery = second.delivery()
    taken_bytes = delivery.queue.budget.used_bytes
    await delivery.consume(a_batch("d"))
    await stop(delivery)

    assert not (tmp_path / "quarantine").exists()
    assert taken_bytes > 3 * a_batch("a").size
    assert (["a", "b", "c", "d"], []) == (second.sent, second.on_disk)


@in_a_loop
async def test_a_new_version_takes_up_what_the_old_one_left(tmp_path: Path) -> None:
    """
    While both run each has its own; what the old one could not deliver the new one is given.
    """
    process = Process(tmp_path)
    old = process.delivery(never)
    await old.consume(a_batch("old"))
    new = process.delivery()
    await new.consume(a_batch("new"))
    await stop(old, within_s=0.01)
    new.take_up()
    await stop(new)

    assert (["new", "old"], []) == (process.sent, process.on_disk)


@in_a_loop
async def test_a_cancelled_admission_leaves_no_file(tmp_path: Path) -> None:
    """
    Where another exporter has no room, the batch is in nobody's queue.
    """
    process = Process(tmp_path)
    delivery = process.delivery()
    admission = await delivery.admit(a_batch("a"))
    kept = process.on_disk
    admission.cancel()

    assert (1, [], 0) == (len(kept), process.on_disk, delivery.queue.budget.used_bytes)
    await stop(delivery)


@in_a_loop
async def test_what_is_committed_after_the_end_stays(tmp_path: Path) -> None:
    """
    A sender that has its answer as the process ends has its batch on disk.
    """
    process = Process(tmp_path)
    delivery = process.delivery()
    admission = await delivery.admit(a_batch("late"))
    await stop(delivery, within_s=0.01)
    admission.commit()
    after = Process(tmp_path)
    await stop(after.delivery())

    assert ([], ["late"]) == (process.sent, after.sent)


@in_a_loop
async def test_a_full_disk_is_said_to_the_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What cannot be written down is refused as retryable, and holds no room; later it is taken.
    """
    process = Process(tmp_path)
    delivery = process.delivery()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage_module, "write_atomically", full)
        with pytest.raises(RetryableError, match=r"queue on disk takes nothing: .*No space left"):
            await delivery.consume(a_batch("a"))
        used_bytes = delivery.queue.budget.used_bytes
    await delivery.consume(a_batch("a"))
    await stop(delivery)

    assert (0, ["a"]) == (used_bytes, process.sent)


@in_a_loop
async def test_a_full_queue_writes_nothing(tmp_path: Path) -> None:
    """
    The limit is the same with a storage.
    """
    process = Process(tmp_path)
    delivery = process.delivery(never, size=400)
    await delivery.consume(a_batch("a"))
    with pytest.raises(RetryableError, match="do not fit"):
        await delivery.consume(a_batch("b"))

    assert 1 == len(process.on_disk)
    await stop(delivery, within_s=0.01)


@in_a_loop
async def test_two_programs_do_not_share_a_queue(tmp_path: Path) -> None:
    """
    The second one does not start.
    """
    first = Process(tmp_path).delivery()
    with pytest.raises(SetupError, match="another program has its queue there"):
        Process(tmp_path).delivery()
    await stop(first)
