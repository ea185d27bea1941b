"""
A delivery sends what is queued, tries again what may work later, and keeps the rest.
"""

import asyncio
from pathlib import Path

import pytest

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import RetryConfig, SendingQueueConfig
from otelwasm.pipeline.step import StepConsumer
from pipeline.fakes import a_batch, in_a_loop
from unit.pipeline.delivering import a_delivery, finish, quarantined


@in_a_loop
async def test_a_retryable_failure_is_tried_again(tmp_path: Path) -> None:
    """
    A batch that fails twice is delivered by the third attempt, and nothing is quarantined.
    """
    sent: list[Batch] = []
    failures = [RetryableError("busy"), RetryableError("busy")]

    async def send(batch: Batch) -> None:
        if failures:
            raise failures.pop()
        sent.append(batch)

    delivery = a_delivery(tmp_path, send)
    batch = a_batch()
    await StepConsumer(delivery).consume(batch)
    await finish(delivery)

    assert [batch] == sent
    assert quarantined(tmp_path) == []
    assert delivery.queue.budget.used_bytes == 0


@in_a_loop
async def test_a_permanent_failure_is_quarantined_at_once(tmp_path: Path) -> None:
    """
    What can never be delivered is kept after one attempt.
    """
    attempts: list[Batch] = []

    async def send(batch: Batch) -> None:
        attempts.append(batch)
        raise PermanentError("bad tenant")

    delivery = a_delivery(tmp_path, send)
    batch = a_batch()
    await StepConsumer(delivery).consume(batch)
    await finish(delivery)

    assert [batch] == attempts
    assert [batch.payload] == quarantined(tmp_path)
    assert delivery.queue.budget.used_bytes == 0


@in_a_loop
async def test_retries_end_in_the_quarantine(tmp_path: Path) -> None:
    """
    When `max_elapsed_time` is over, the batch is kept with the number of attempts.
    """

    async def send(_: Batch) -> None:
        raise RetryableError("busy")

    retry = RetryConfig(
        initial_interval=Duration(0.001),
        max_interval=Duration(0.001),
        max_elapsed_time=Duration(0.01),
    )
    delivery = a_delivery(tmp_path, send, retry=retry)
    batch = a_batch()
    await StepConsumer(delivery).consume(batch)
    async with asyncio.timeout(5):
        await delivery.queue.budget.unused()
    await finish(delivery)

    assert [batch.payload] == quarantined(tmp_path)
    assert "attempts: busy" in next(tmp_path.glob("*.json")).read_text()


@in_a_loop
async def test_a_defect_of_an_exporter_does_not_end_its_senders(tmp_path: Path) -> None:
    """
    An unexpected exception costs its own batch, which is quarantined; the next one is sent.
    """
    sent: list[Batch] = []
    first, second = a_batch("first"), a_batch("second")

    async def send(batch: Batch) -> None:
        if batch is first:
            raise ZeroDivisionError("oops")
        sent.append(batch)

    delivery = a_delivery(tmp_path, send, queue=SendingQueueConfig(num_consumers=1))
    for batch in (first, second):
        await StepConsumer(delivery).consume(batch)
    await finish(delivery)

    assert [second] == sent
    assert [first.payload] == quarantined(tmp_path)
    assert "ZeroDivisionError: oops" in next(tmp_path.glob("*.json")).read_text()


@in_a_loop
async def test_no_answer_in_time_is_retryable(tmp_path: Path) -> None:
    """
    A send that hangs is ended by `timeout` and tried again.
    """
    hangs = [True]
    sent: list[Batch] = []

    async def send(batch: Batch) -> None:
        if hangs.pop() if hangs else False:
            await asyncio.Event().wait()
        sent.append(batch)

    delivery = a_delivery(tmp_path, send, timeout_s=0.01)
    batch = a_batch()
    await StepConsumer(delivery).consume(batch)
    await finish(delivery)

    assert [batch] == sent


@in_a_loop
async def test_a_cancelled_admission_leaves_nothing_behind(tmp_path: Path) -> None:
    """
    Room that was kept and not used is free again, and nothing is sent.
    """
    sent: list[Batch] = []

    async def send(batch: Batch) -> None:
        sent.append(batch)

    delivery = a_delivery(tmp_path, send)
    (await delivery.admit(a_batch())).cancel()
    await finish(delivery)

    assert sent == []
    assert delivery.queue.budget.used_bytes == 0


@in_a_loop
async def test_without_a_queue_the_sender_hears_the_outcome(tmp_path: Path) -> None:
    """
    `sending_queue: {enabled: false}` sends while the sender waits, and tells it what failed.
    """
    outcomes = [RetryableError("busy"), PermanentError("never")]

    async def send(_: Batch) -> None:
        if outcomes:
            raise outcomes.pop(0)

    delivery = a_delivery(tmp_path, send, queue=SendingQueueConfig(enabled=False))
    with pytest.raises(RetryableError, match="busy"):
        await StepConsumer(delivery).consume(a_batch())
    with pytest.raises(PermanentError, match="never"):
        await StepConsumer(delivery).consume(a_batch())
    await StepConsumer(delivery).consume(a_batch())
    await finish(delivery)

    assert quarantined(tmp_path) == []


@in_a_loop
async def test_consumers_send_at_the_same_time(tmp_path: Path) -> None:
    """
    As many batches are on their way as there are consumers.
    """
    all_here = asyncio.Barrier(3)

    async def send(_: Batch) -> None:
        await all_here.wait()

    queue = SendingQueueConfig(num_consumers=3, queue_size=ByteSize(1 << 20))
    delivery = a_delivery(tmp_path, send, queue=queue)
    for _ in range(3):
        await StepConsumer(delivery).consume(a_batch())
    await finish(delivery)

    assert quarantined(tmp_path) == []


def test_backoff_grows_up_to_its_limit() -> None:
    """
    Intervals multiply, stay within the limit, and randomize as much as configured.
    """
    retry = RetryConfig(
        initial_interval=Duration(1),
        max_interval=Duration(10),
        multiplier=2,
        randomization_factor=0,
    )

    assert [retry.backoff(attempt, after_s=None, elapsed_s=0) for attempt in range(6)] == [
        1,
        2,
        4,
        8,
        10,
        10,
    ]
    assert retry.backoff(5000, after_s=None, elapsed_s=0) == 10


def test_the_other_sides_wish_is_honoured() -> None:
    """
    A delay that the other side asked for is not undercut.
    """
    assert RetryConfig().backoff(0, after_s=120, elapsed_s=0) == 120


def test_backoff_gives_up_when_time_is_over() -> None:
    """
    No attempt begins after `max_elapsed_time`; 0 never gives up; disabled always does.
    """
    assert RetryConfig().backoff(0, after_s=None, elapsed_s=299) is None
    assert RetryConfig(max_elapsed_time=Duration(0)).backoff(0, after_s=None, elapsed_s=1e9)
    assert RetryConfig(enabled=False).backoff(0, after_s=None, elapsed_s=0) is None


@pytest.mark.parametrize("attempt", range(4))
def test_randomization_stays_within_its_factor(attempt: int) -> None:
    """
    The default spreads each interval by half of it, so that senders do not come in step.
    """
    interval = 5 * 1.5**attempt
    for _ in range(200):
        delay = RetryConfig().backoff(attempt, after_s=None, elapsed_s=0)

        assert delay is not None
        assert interval * 0.5 <= delay <= interval * 1.5
