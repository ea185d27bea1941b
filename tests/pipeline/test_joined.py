"""
Batches that wait for a plugin go together, and each sender still has its own answer.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from otelwasm.config.values import ByteSize
from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import (
    FakePlugin,
    MemoryExporter,
    a_batch,
    a_plugin_file,
    in_a_loop,
    names_in,
    refuse,
    registry,
)


class Gate:
    """
    A plugin that holds its first call until told, and fails on what a test says.
    """

    def __init__(self, fails: Callable[[list[str]], Exception | None] = lambda names: None) -> None:
        self.calls: list[list[str]] = []
        self.is_held = threading.Event()
        self.opened = threading.Event()
        self.plugin = FakePlugin(self._process)
        self._fails = fails

    def _process(self, plugin: FakePlugin, signal: Signal, payload: bytes) -> bytes | None:
        names = names_in(Batch(signal, payload))
        self.calls.append(names)
        if len(self.calls) == 1:
            self.is_held.set()
            assert self.opened.wait(10)
        if (error := self._fails(names)) is not None:
            raise error
        return payload if names != ["nothing"] else None


@asynccontextmanager
async def behind(
    gate: Gate, folder: Path, *, queues: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Pipeline]:
    """
    Run a pipeline for traces and logs through the plugin of *gate* to exporters with *queues*.
    """
    queues = queues or {"memory": {}}
    of_each = {"receivers": ["memory"], "processors": ["wasm/gate"], "exporters": list(queues)}
    config = {
        "receivers": {"memory": {}},
        "processors": {"wasm/gate": {"plugin": a_plugin_file(folder), **settings}},
        "exporters": {
            name: {"sending_queue": {"num_consumers": 1, **queue}} for name, queue in queues.items()
        },
        "service": {
            "pipelines": {"traces": of_each, "logs": of_each},
            "quarantine": {"directory": str(folder / "quarantine")},
        },
    }
    async with Pipeline(config, registry=registry(gate=gate.plugin)) as pipeline:
        yield pipeline


async def answers_of(
    pipeline: Pipeline, gate: Gate, *batches: Batch, first: Batch | None = None
) -> list[BaseException | None]:
    """
    Send *batches* at once while the plugin is busy with another; return how each was answered.
    """
    receiver = pipeline.receiver("memory")
    busy = asyncio.create_task(receiver.receive(first or a_batch("first")))
    await asyncio.to_thread(gate.is_held.wait, 5)
    waiting = [asyncio.create_task(receiver.receive(batch)) for batch in batches]
    # All of them are in line after one round of the loop.
    await asyncio.wait([asyncio.create_task(asyncio.sleep(0))])
    gate.opened.set()
    await busy
    return await asyncio.gather(*waiting, return_exceptions=True)


@in_a_loop
async def test_what_waits_for_a_plugin_goes_together_in_order(tmp_path: Path) -> None:
    """
    While a call runs, further batches are joined in their order; all senders are answered.
    """
    gate = Gate()
    async with behind(gate, tmp_path) as pipeline:
        answers = await answers_of(pipeline, gate, *(a_batch(name) for name in "abcde"))
        exported = await pipeline.exporter("memory").received(2)

    assert [None] * 5 == answers
    assert [["first"], list("abcde")] == gate.calls
    assert [["first"], list("abcde")] == [names_in(batch) for batch in exported]


@in_a_loop
async def test_batch_of_an_idle_plugin_goes_at_once(tmp_path: Path) -> None:
    """
    Nobody waits for others to come: one sender after the other has calls of its own.
    """
    gate = Gate()
    gate.opened.set()
    async with behind(gate, tmp_path) as pipeline:
        for name in "abc":
            await pipeline.receiver("memory").receive(a_batch(name))

    assert [["a"], ["b"], ["c"]] == gate.calls


@in_a_loop
async def test_what_comes_at_once_goes_together(tmp_path: Path) -> None:
    """
    Batches that come in one turn of the loop are one call, though the plugin is idle.
    """
    gate = Gate(fails=lambda names: PermanentError("bad") if "b" in names else None)
    gate.opened.set()
    async with behind(gate, tmp_path) as pipeline:
        receive = pipeline.receiver("memory").receive
        answers = await asyncio.gather(
            *(receive(a_batch(name)) for name in "abc"), return_exceptions=True
        )

    assert [list("abc"), ["a"], ["b"], ["c"]] == gate.calls
    assert [None, "bad", None] == [answer and str(answer) for answer in answers]


@in_a_loop
async def test_first_of_those_that_come_at_once_may_leave(tmp_path: Path) -> None:
    """
    A sender that leaves takes nobody with it, not even when it came first.
    """
    gate = Gate()
    async with behind(gate, tmp_path) as pipeline:
        receive = pipeline.receiver("memory").receive
        first, *others = [asyncio.create_task(receive(a_batch(name))) for name in "abc"]
        await asyncio.to_thread(gate.is_held.wait, 5)
        first.cancel()
        gate.opened.set()
        answers = await asyncio.gather(*others)

    assert [None, None] == answers
    assert [list("abc")] == gate.calls


@in_a_loop
async def test_signals_are_not_mixed(tmp_path: Path) -> None:
    """
    Batches of different signals never share a call.
    """
    gate = Gate()
    logs = [a_batch(name, signal=Signal.LOGS) for name in "xy"]
    async with behind(gate, tmp_path) as pipeline:
        answers = await answers_of(pipeline, gate, a_batch("a"), logs[0], a_batch("b"), logs[1])

    assert [None] * 4 == answers
    assert [["first"], ["a", "b"], ["x", "y"]] == gate.calls


@in_a_loop
async def test_calls_are_joined_up_to_their_limit(tmp_path: Path) -> None:
    """
    No call is larger than `join`; a batch that is larger on its own goes alone.
    """
    small, large = a_batch("a"), a_batch(*["large"] * 20)
    gate = Gate()
    async with behind(gate, tmp_path, join=ByteSize(2 * small.size)) as pipeline:
        await answers_of(pipeline, gate, *[small] * 3, large, small)

    assert [["first"], ["a", "a"], ["a"], ["large"] * 20, ["a"]] == gate.calls


@in_a_loop
async def test_joining_can_be_switched_off(tmp_path: Path) -> None:
    """
    With `join: 0` each batch has a call of its own, in order.
    """
    gate = Gate()
    async with behind(gate, tmp_path, join=0) as pipeline:
        await answers_of(pipeline, gate, *(a_batch(name) for name in "abc"))

    assert [["first"], ["a"], ["b"], ["c"]] == gate.calls


@pytest.mark.parametrize(
    "error",
    [
        PermanentError("bad tenant"),
        RetryableError("not now", after_s=3),
        PluginFaultError("trapped", kind="trap"),
    ],
)
@in_a_loop
async def test_bad_batch_spoils_no_other(tmp_path: Path, error: Exception) -> None:
    """
    A joined call that fails is tried again one by one; only the bad batch's sender hears of it.
    """
    gate = Gate(lambda names: error if "bad" in names else None)
    async with behind(gate, tmp_path) as pipeline:
        answers = await answers_of(pipeline, gate, a_batch("a"), a_batch("bad"), a_batch("b"))
        exporter: MemoryExporter = pipeline.exporter("memory")
        await exporter.received(3)
        failed = pipeline.telemetry.total_items("failed")

    assert [None, error, None] == answers
    assert ["first", "a", "b"] == exporter.names
    assert [["a", "bad", "b"], ["a"], ["bad"], ["b"]] == gate.calls[1:]
    assert isinstance(error, RetryableError) or failed > 0


@in_a_loop
async def test_full_queue_refuses_all_that_were_joined(tmp_path: Path) -> None:
    """
    When the next step has no room for what was joined, every sender may come again.
    """
    gate = Gate()
    small = a_batch("a")
    async with behind(gate, tmp_path, queues={"memory": {"queue_size": "400B"}}) as pipeline:
        exporter: MemoryExporter = pipeline.exporter("memory")
        held = asyncio.Event()
        exporter.answer = lambda _: held.wait()
        answers = await answers_of(pipeline, gate, *[small] * 4)
        held.set()

    assert [RetryableError] * 4 == [type(answer) for answer in answers]
    assert [["first"], ["a"] * 4] == gate.calls


@in_a_loop
async def test_what_is_too_large_joined_is_handed_on_alone(tmp_path: Path) -> None:
    """
    What the next step could never take joined, it takes batch by batch; nobody gets it twice.
    """
    gate = Gate()
    small = a_batch("a")
    queues = {"memory/wide": {}, "memory/narrow": {"queue_size": f"{256 + 2 * small.size}B"}}
    async with behind(gate, tmp_path, queues=queues) as pipeline:
        answers = await answers_of(pipeline, gate, *[small] * 4, first=a_batch("nothing"))
        wide: MemoryExporter = pipeline.exporter("memory/wide")
        taken = answers.count(None)
        await wide.received(taken)

    assert [["a"] * 4, ["a"], ["a"], ["a"], ["a"]] == gate.calls[1:]
    assert taken >= 1
    assert [small] * taken == wide.batches


@in_a_loop
async def test_sender_that_left_is_not_waited_for(tmp_path: Path) -> None:
    """
    A batch whose sender gave up while it was in line is not processed; its room is free again.
    """
    gate = Gate()
    async with behind(gate, tmp_path) as pipeline:
        receiver = pipeline.receiver("memory")
        busy = asyncio.create_task(receiver.receive(a_batch("first")))
        await asyncio.to_thread(gate.is_held.wait, 5)
        leaving = asyncio.create_task(receiver.receive(a_batch("left")))
        staying = asyncio.create_task(receiver.receive(a_batch("stays")))
        await asyncio.wait([asyncio.create_task(asyncio.sleep(0))])
        leaving.cancel()
        await asyncio.wait([leaving])
        gate.opened.set()
        await asyncio.gather(busy, staying)
        processor = pipeline._running().processors["wasm/gate"]

    assert [["first"], ["stays"]] == gate.calls
    assert 0 == processor._budget.used_bytes  # type: ignore[attr-defined]


@in_a_loop
async def test_refusal_further_on_is_told_to_its_sender(tmp_path: Path) -> None:
    """
    An exporter without a queue that refuses what was joined is asked again for each batch.
    """
    gate = Gate()
    async with behind(gate, tmp_path, queues={"memory": {"enabled": False}}) as pipeline:
        exporter: MemoryExporter = pipeline.exporter("memory")
        no = refuse(PermanentError("no"))
        exporter.answer = lambda batch: no(batch) if "bad" in names_in(batch) else None
        answers = await answers_of(pipeline, gate, a_batch("a"), a_batch("bad"))

    assert [type(None), PermanentError] == [type(answer) for answer in answers]
    assert ["first", "a"] == exporter.names
