"""
A delivery that drains sends what it can in the time that it has, keeps the rest, and says so.
"""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.config.values import Duration
from otelwasm.errors import RetryableError
from otelwasm.pipeline import delivery as module
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import RetryConfig, SendingQueueConfig
from otelwasm.pipeline.step import StepConsumer
from pipeline.fakes import a_batch, in_a_loop
from unit.pipeline.delivering import a_delivery, finish, quarantined


@in_a_loop
async def test_draining_does_not_wait_for_a_backoff(tmp_path: Path) -> None:
    """
    A batch that waits an hour for its next attempt gets one at once when the program stops.
    """
    sent: list[Batch] = []
    failed = asyncio.Event()

    async def send(batch: Batch) -> None:
        if not failed.is_set():
            failed.set()
            raise RetryableError("busy")
        sent.append(batch)

    hour = Duration(3600)
    retry = RetryConfig(initial_interval=hour, max_interval=hour, max_elapsed_time=Duration(0))
    delivery = a_delivery(tmp_path, send, retry=retry)
    batch = a_batch()
    await StepConsumer(delivery).consume(batch)
    await failed.wait()
    await finish(delivery)

    assert [batch] == sent


@in_a_loop
async def test_draining_goes_on_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Who comes back while the program stops gets its batch, however long the waits had grown; one
    that asked for time is given it.
    """
    monkeypatch.setattr(module, "_LAST_ATTEMPTS_S", 0.01)
    waits: list[float] = []
    failures = [RetryableError("down"), RetryableError("down"), RetryableError("x", after_s=0.2)]
    loop = asyncio.get_running_loop()
    began = asyncio.Event()

    async def send(batch: Batch) -> None:
        began.set()
        waits.append(loop.time())
        if failures:
            raise failures.pop(0)

    hour = Duration(3600)
    retry = RetryConfig(initial_interval=hour, max_interval=hour, max_elapsed_time=Duration(0))
    delivery = a_delivery(tmp_path, send, retry=retry)
    await StepConsumer(delivery).consume(a_batch())
    await began.wait()
    await finish(delivery, within_s=20)

    assert [] == failures + quarantined(tmp_path)
    assert waits[3] - waits[2] >= 0.2


@in_a_loop
async def test_what_is_left_at_the_deadline_is_quarantined(tmp_path: Path) -> None:
    """
    Neither a batch in a sender's hand nor one in the queue is lost when time is up.
    """

    async def send(_: Batch) -> None:
        await asyncio.Event().wait()

    delivery = a_delivery(tmp_path, send, queue=SendingQueueConfig(num_consumers=1))
    batches = [a_batch(name) for name in ("in hand", "queued 1", "queued 2")]
    for batch in batches:
        await StepConsumer(delivery).consume(batch)
    with capture_logs() as log:
        await finish(delivery, within_s=0.05)
    [given_up] = [line for line in log if line["event"].startswith("not delivered before")]

    assert (3, 3, 0) == (given_up["batches"], given_up["quarantined"], given_up["lost"])
    assert "exporter/test" == given_up["component"]
    assert sorted(batch.payload for batch in batches) == sorted(quarantined(tmp_path))
    assert delivery.queue.budget.used_bytes == 0


@in_a_loop
async def test_a_stop_that_takes_long_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The log has a line now and then with what is left to deliver, until that is given up.
    """
    monkeypatch.setattr(module, "_FIRST_LINE_S", 0.01)
    monkeypatch.setattr(module, "_LINE_EVERY_S", 0.01)

    async def send(_: Batch) -> None:
        await asyncio.Event().wait()

    delivery = a_delivery(tmp_path, send)
    await StepConsumer(delivery).consume(a_batch("a", "b"))
    with capture_logs() as log:
        await finish(delivery, within_s=0.2)
    lines = [line for line in log if line["event"].startswith("stopping waits")]

    assert len(lines) > 1
    assert {("exporter/test", 1, 2)} == {
        (line["component"], line["batches"], line["items"]) for line in lines
    }
    assert 0.2 >= lines[0]["left_s"] >= 0.0


@in_a_loop
async def test_what_is_committed_after_the_end_is_kept(tmp_path: Path) -> None:
    """
    A batch that was admitted before the end and committed after it is quarantined; after the end
    none is admitted.
    """

    async def send(_: Batch) -> None:
        pass

    delivery, batch = a_delivery(tmp_path, send), a_batch()
    admission = await delivery.admit(batch)
    await finish(delivery, within_s=0.01)
    admission.commit()
    with pytest.raises(RetryableError, match="exporter/test is stopped"):
        await delivery.admit(a_batch())

    assert quarantined(tmp_path) == [batch.payload]
