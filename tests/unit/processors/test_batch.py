"""
The batch processor joins small batches, cuts large ones, and answers for what it holds.
"""

import asyncio
from pathlib import Path

import pytest

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.step import Admission, StepConsumer
from otelwasm.processors.batch import BatchConfig, BatchProcessor
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry
from pipeline.fakes import a_batch, in_a_loop, names_in

HOUR = Duration(3600)


class Next:
    """
    The next step: takes batches, or raises what is in *refusals* first.
    """

    def __init__(self, *refusals: Exception) -> None:
        self.names: list[list[str]] = []
        self.refusals = list(refusals)
        self._arrival = asyncio.Condition()

    async def admit(self, batch: Batch) -> Admission:
        """
        Take *batch* or refuse it.
        """
        if self.refusals:
            raise self.refusals.pop(0)
        self.names.append(names_in(batch))
        async with self._arrival:
            self._arrival.notify_all()
        return Admission()

    async def received(self, count: int) -> list[list[str]]:
        """
        Wait for *count* batches.
        """
        async with asyncio.timeout(5), self._arrival:
            await self._arrival.wait_for(lambda: len(self.names) >= count)
        return self.names


class Running:
    """
    A batch processor at work, with what is around it.
    """

    def __init__(self, folder: Path, then: Next, config: BatchConfig) -> None:
        self.telemetry = Telemetry()
        self.then = then
        self.processor = BatchProcessor(
            "processor/batch@traces",
            config,
            quarantine=Quarantine(folder, max_bytes=1 << 20, telemetry=self.telemetry),
            telemetry=self.telemetry,
        )
        self._entry = StepConsumer(self.processor.step(Signal.TRACES, then))

    async def give(self, *batches: Batch) -> None:
        """
        Have *batches* accepted.
        """
        for batch in batches:
            await self._entry.consume(batch)

    async def __aenter__(self) -> "Running":
        await self.processor.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.processor.stop(asyncio.get_running_loop().time() + 5)


@in_a_loop
async def test_enough_items_are_sent_together(tmp_path: Path) -> None:
    """
    `send_batch_size` items make a batch; what came first comes first.
    """
    config = BatchConfig(send_batch_size=3, timeout=HOUR)
    async with Running(tmp_path, Next(), config) as running:
        await running.give(a_batch("a"), a_batch("b"), a_batch("c"))

        assert await running.then.received(1) == [["a", "b", "c"]]


@in_a_loop
async def test_the_first_does_not_wait_longer_than_the_timeout(tmp_path: Path) -> None:
    """
    A batch that is not full is sent when its first part has waited for `timeout`.
    """
    async with Running(tmp_path, Next(), BatchConfig(timeout=Duration(0.01))) as running:
        await running.give(a_batch("a"), a_batch("b"))

        assert await running.then.received(1) == [["a", "b"]]


@in_a_loop
async def test_without_a_timeout_nothing_waits(tmp_path: Path) -> None:
    """
    `timeout: 0` sends each batch as it comes, as in the Collector.
    """
    async with Running(tmp_path, Next(), BatchConfig(timeout=Duration(0))) as running:
        await running.give(a_batch("a"))
        await running.then.received(1)
        await running.give(a_batch("b"))

        assert await running.then.received(2) == [["a"], ["b"]]


@in_a_loop
async def test_large_batches_are_cut(tmp_path: Path) -> None:
    """
    `send_batch_max_size` is never exceeded; what is left waits for more.
    """
    config = BatchConfig(send_batch_size=2, send_batch_max_size=2, timeout=HOUR)
    async with Running(tmp_path, Next(), config) as running:
        await running.give(a_batch("a", "b", "c", "d", "e"))
        assert await running.then.received(2) == [["a", "b"], ["c", "d"]]
        await running.give(a_batch("f"))

        assert await running.then.received(3) == [["a", "b"], ["c", "d"], ["e", "f"]]


@in_a_loop
async def test_what_is_left_of_a_cut_batch_does_not_wait_forever(tmp_path: Path) -> None:
    """
    The rest of a cut batch has a timeout of its own.
    """
    config = BatchConfig(send_batch_size=2, send_batch_max_size=2, timeout=Duration(0.01))
    async with Running(tmp_path, Next(), config) as running:
        await running.give(a_batch("a", "b", "c"))

        assert await running.then.received(2) == [["a", "b"], ["c"]]


@in_a_loop
async def test_bytes_limit_what_is_joined(tmp_path: Path) -> None:
    """
    Batches are joined only as long as they fit into `send_batch_max_bytes`.
    """
    size = a_batch("a").size
    config = BatchConfig(send_batch_max_bytes=ByteSize(2 * size), timeout=HOUR)
    running = Running(tmp_path, Next(), config)
    async with running:
        await running.give(a_batch("a"), a_batch("b"), a_batch("c"))
        assert await running.then.received(1) == [["a", "b"]]

    assert running.then.names == [["a", "b"], ["c"]]


@in_a_loop
async def test_stopping_sends_what_is_held(tmp_path: Path) -> None:
    """
    What was accepted is handed on at shutdown, whatever the timeout.
    """
    running = Running(tmp_path, Next(), BatchConfig(timeout=HOUR))
    async with running:
        await running.give(a_batch("a"), a_batch("b"))

    assert running.then.names == [["a", "b"]]


@in_a_loop
async def test_a_next_step_that_is_full_is_tried_again(tmp_path: Path) -> None:
    """
    The sender has its answer, so the batch processor sees to it that the batch gets through.
    """
    then = Next(RetryableError("full"), RetryableError("full"))
    async with Running(tmp_path, then, BatchConfig(send_batch_size=1, timeout=HOUR)) as running:
        await running.give(a_batch("a"))

        assert await then.received(1) == [["a"]]


@in_a_loop
async def test_what_is_refused_for_good_is_quarantined(tmp_path: Path) -> None:
    """
    Nobody is left to hear a permanent refusal: the batch is kept with its reason.
    """
    then = Next(PermanentError("plugin 'x': no"))
    async with Running(tmp_path, then, BatchConfig(send_batch_size=1, timeout=HOUR)) as running:
        await running.give(a_batch("a"))

    (payload,) = tmp_path.glob("*-processor-batch-traces-traces.otlp")

    assert a_batch("a").payload == payload.read_bytes()
    assert then.names == []


@in_a_loop
async def test_a_full_processor_refuses_at_once(tmp_path: Path) -> None:
    """
    What is held is bounded; the message names the processor.
    """
    config = BatchConfig(timeout=HOUR, queue_size=ByteSize(600))
    async with Running(tmp_path, Next(), config) as running:
        await running.give(a_batch("a"), a_batch("b"))

        with pytest.raises(RetryableError, match=r"^processor/batch@traces: "):
            await running.give(a_batch("c"))


@in_a_loop
async def test_room_is_free_again_once_sent(tmp_path: Path) -> None:
    """
    Joining and cutting keep the account of what is held straight.
    """
    config = BatchConfig(
        send_batch_size=2, send_batch_max_size=2, timeout=HOUR, queue_size=ByteSize(1200)
    )
    running = Running(tmp_path, Next(), config)
    async with running:
        for number in range(20):
            while True:
                try:
                    await running.give(a_batch(f"{number} a", f"{number} b", f"{number} c"))
                    break
                except RetryableError:
                    await asyncio.sleep(0)

    held = running.telemetry.registry.get_sample_value(
        "otelwasm_queue_bytes", {"component": "processor/batch@traces"}
    )
    assert held == 0
    assert sum(map(len, running.then.names)) == 60
    assert list(tmp_path.glob("*.otlp")) == []


@in_a_loop
async def test_a_malformed_batch_does_not_spoil_the_others(tmp_path: Path) -> None:
    """
    Bytes that are no request are refused before they are joined with good ones.
    """
    running = Running(tmp_path, Next(), BatchConfig(timeout=HOUR))
    async with running:
        await running.give(a_batch("a"))
        with pytest.raises(PermanentError, match="processor/batch@traces: malformed traces"):
            await running.give(Batch(Signal.TRACES, b"\x0a\xff"))

    assert running.then.names == [["a"]]


@in_a_loop
async def test_what_is_held_can_be_kept_at_once(tmp_path: Path) -> None:
    """
    What waits for more, and what waits for the next step, is in quarantine without a wait.
    """
    then = Next(*[RetryableError("full")] * 1000)
    running = Running(tmp_path, then, BatchConfig(timeout=HOUR, send_batch_size=2))
    await running.processor.start()
    await running.give(a_batch("a", "b"), a_batch("c"))
    running.processor.part_with_all("the end")
    kept = [names_in(Batch(Signal.TRACES, path.read_bytes())) for path in tmp_path.glob("*.otlp")]

    assert [["a", "b"], ["c"]] == sorted(kept)
    assert 3 == running.telemetry.total_items("quarantined")
    await running.processor.stop(asyncio.get_running_loop().time())
