"""
Whatever was accepted is delivered or kept, however badly the exporters behave.
"""

import asyncio
import contextlib
import random
import threading
from collections import Counter
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import attrs
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.config.plugin import PluginConfig
from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.registry import ReceiverKind
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import (
    FakePlugin,
    MemoryExporter,
    MemoryReceiver,
    MemoryReceiverConfig,
    a_batch,
    a_plugin_file,
    in_a_loop,
    names_in,
    registry,
)

SENDERS = 8
BATCHES = 25


def unreliable(luck: random.Random) -> FakePlugin:
    """
    A plugin that holds some batches back until a tick or its stop, and refuses others.
    """
    held: list[bytes] = []

    def process(plugin: FakePlugin, signal: Signal, payload: bytes) -> bytes | None:
        chance = luck.random()
        if chance < 0.1:
            raise PermanentError("never")
        if chance < 0.2:
            raise RetryableError("not now")
        if chance < 0.4:
            held.append(payload)
            return None
        return payload

    def release(plugin: FakePlugin) -> None:
        while held:
            plugin.emit(Signal.TRACES, held[0])
            held.pop(0)

    return FakePlugin(process, tick=release, stop=release)


def unreliably(luck: random.Random, exporter: MemoryExporter) -> None:
    """
    Have *exporter* fail, hang or work, by chance.
    """

    def answer(_: Batch) -> object:
        chance = luck.random()
        if chance < 0.3:
            raise RetryableError("busy")
        if chance < 0.4:
            raise PermanentError("no")
        if chance < 0.45:
            raise ZeroDivisionError("defect")
        return asyncio.sleep(0.2 if chance < 0.5 else luck.random() / 500)

    exporter.answer = answer


def a_config(
    folder: Path, *, processors: list[str], shutdown_timeout: str = "5s"
) -> dict[str, object]:
    """
    A pipeline with two exporters, small queues and quick retries.
    """
    exporter = {
        "timeout": "50ms",
        "sending_queue": {"queue_size": "8KiB", "num_consumers": 3},
        "retry_on_failure": {
            "initial_interval": "1ms",
            "max_interval": "5ms",
            "max_elapsed_time": "20ms",
        },
    }
    return {
        "receivers": {"memory": {}},
        "processors": {
            "wasm/plugin": {"plugin": a_plugin_file(folder), "tick_interval": "2ms"},
            "batch": {"timeout": "3ms", "send_batch_size": 7, "queue_size": "8KiB"},
        },
        "exporters": {"memory/one": exporter, "memory/two": exporter},
        "service": {
            "pipelines": {
                "traces": {
                    "receivers": ["memory"],
                    "processors": processors,
                    "exporters": ["memory/one", "memory/two"],
                }
            },
            "quarantine": {"directory": str(folder / "quarantine")},
            "shutdown_timeout": shutdown_timeout,
        },
    }


async def send(receiver: MemoryReceiver, sender: int, accepted: set[str]) -> None:
    """
    Send batches as a client does: note what was accepted, try again what may be accepted later.
    """
    for number in range(BATCHES):
        name = f"{sender}/{number}"
        for _ in range(20):
            try:
                await receiver.receive(a_batch(name))
            except RetryableError:
                if not receiver.is_open:
                    return
                await asyncio.sleep(0.001)
                continue
            except PermanentError:
                break
            accepted.add(name)
            break


def quarantined(folder: Path, component: str) -> set[str]:
    """
    The names in the quarantine that *component* was to deliver.
    """
    return {
        name
        for path in folder.glob(f"*Z-{component}*.otlp")
        for name in names_in(Batch(Signal.TRACES, path.read_bytes()))
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shutdown_timeout", ["20ms", "300ms"])
@pytest.mark.parametrize(
    "processors", [[], ["batch"], ["wasm/plugin"], ["wasm/plugin", "batch"]], ids=str
)
@in_a_loop
async def test_nothing_accepted_is_lost(
    tmp_path: Path, processors: list[str], shutdown_timeout: str, seed: int
) -> None:
    """
    Every accepted item is at each exporter or in the quarantine, though all parts fail by chance
    and the pipeline is stopped, with little time, while senders are at work.
    """
    luck = random.Random(seed)
    accepted: set[str] = set()
    kinds = registry(plugin=unreliable(luck))
    config = a_config(tmp_path, processors=processors, shutdown_timeout=shutdown_timeout)
    async with Pipeline(config, registry=kinds) as pipeline:
        exporters = {name: pipeline.exporter(f"memory/{name}") for name in ("one", "two")}
        for exporter in exporters.values():
            unreliably(luck, exporter)
        receiver = pipeline.receiver("memory")
        senders = [
            asyncio.create_task(send(receiver, number, accepted)) for number in range(SENDERS)
        ]
        await asyncio.sleep(0.1)
    await asyncio.gather(*senders)

    folder = tmp_path / "quarantine"
    upstream = quarantined(folder, "processor")
    for name, exporter in exporters.items():
        kept = set(exporter.names) | upstream | quarantined(folder, f"exporter-memory-{name}-")

        assert set() == accepted - kept
    assert accepted
    assert pipeline.telemetry.total_items("lost") == 0


@in_a_loop
async def test_a_retry_makes_no_duplicates_at_the_other_exporter(tmp_path: Path) -> None:
    """
    With two exporters, one of them slow and often full, nobody gets an item twice.
    """
    accepted: set[str] = set()
    config: Any = a_config(tmp_path, processors=[])
    for exporter in config["exporters"].values():
        exporter["timeout"] = "5s"
    async with Pipeline(config, registry=registry()) as pipeline:
        slow, fast = pipeline.exporter("memory/one"), pipeline.exporter("memory/two")
        slow.answer = lambda _: asyncio.sleep(0.002)
        senders = [send(pipeline.receiver("memory"), number, accepted) for number in range(SENDERS)]
        await asyncio.gather(*senders)

    assert pipeline.telemetry.total_items("refused") > 0
    for each in (slow, fast):
        assert Counter(accepted) == Counter(each.names)


@in_a_loop
async def test_requests_in_flight_are_finished(tmp_path: Path) -> None:
    """
    A batch that is inside a plugin when the stop comes is answered and delivered.
    """
    is_inside, loop = asyncio.Event(), asyncio.get_running_loop()

    def slowly(_: FakePlugin, __: Signal, payload: bytes) -> bytes:
        loop.call_soon_threadsafe(is_inside.set)
        return payload

    config = a_config(tmp_path, processors=["wasm/plugin"])
    async with Pipeline(config, registry=registry(plugin=FakePlugin(slowly))) as pipeline:
        exporter = pipeline.exporter("memory/one")
        request = asyncio.create_task(pipeline.receiver("memory").receive(a_batch("late")))
        await is_inside.wait()
    await request

    assert exporter.names == ["late"]


@in_a_loop
async def test_a_slow_sender_leaves_time_for_what_is_held(tmp_path: Path) -> None:
    """
    A request that does not end takes half of the time; what a batch held is delivered in the rest.
    """

    class Slow(MemoryReceiver):
        async def stop(self, deadline: float) -> None:
            """
            Wait for a request that does not end.
            """
            await super().stop(deadline)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await asyncio.Event().wait()

    kind = ReceiverKind(MemoryReceiverConfig, lambda _, __, consumer, ___: Slow(consumer))
    kinds = registry()
    kinds = attrs.evolve(kinds, receivers={**kinds.receivers, "memory": lambda: kind})
    config: Any = a_config(tmp_path, processors=["batch"], shutdown_timeout="1s")
    config["processors"]["batch"]["timeout"] = "1h"
    config["exporters"]["memory/one"]["timeout"] = "5s"
    async with Pipeline(config, registry=kinds) as pipeline:
        exporter = pipeline.exporter("memory/one")
        exporter.answer = lambda _: asyncio.sleep(0.02)  # longer than a turn of the loop
        await pipeline.receiver("memory").receive(a_batch("held"))

    assert exporter.names == ["held"]
    assert pipeline.telemetry.total_items("quarantined") == 0


@in_a_loop
async def test_a_plugin_that_is_asked_to_stop_is_given_nothing_more(tmp_path: Path) -> None:
    """
    A batch whose turn comes behind the plugin's `stop` is refused: held back, it would be lost.
    """
    held: list[bytes] = []
    is_inside, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(_: FakePlugin, __: Signal, payload: bytes) -> None:
        loop.call_soon_threadsafe(is_inside.set)
        go_on.wait(10)
        held.append(payload)

    def release(plugin: FakePlugin) -> None:
        while held:
            plugin.emit(Signal.TRACES, held.pop())

    class AskedInTheMiddle(FakePlugin):
        def submit_stop(self) -> "Future[None]":
            """
            Let the first batch go once the stop stands behind it.
            """
            stop = super().submit_stop()
            go_on.set()
            return stop

    config = a_config(tmp_path, processors=["wasm/plugin"], shutdown_timeout="10ms")
    plugin = AskedInTheMiddle(hold, stop=release)
    async with Pipeline(config, registry=registry(plugin=plugin)) as pipeline:
        receiver, exporter = pipeline.receiver("memory"), pipeline.exporter("memory/one")
        first = asyncio.create_task(receiver.receive(a_batch("first")))
        await is_inside.wait()
        second = asyncio.create_task(receiver.receive(a_batch("second")))
    await first

    with pytest.raises(RetryableError, match="not running"):
        await second
    assert exporter.names == ["first"]


@in_a_loop
async def test_a_stop_waits_for_the_version_before(tmp_path: Path) -> None:
    """
    What a plugin held back, that a new version has just replaced, is sent on before the end.
    """
    held: list[bytes] = []
    is_inside, is_replaced, go_on = asyncio.Event(), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(_: FakePlugin, __: Signal, payload: bytes) -> None:
        held.append(payload)
        loop.call_soon_threadsafe(is_inside.set)
        go_on.wait(10)

    def release(plugin: FakePlugin) -> None:
        while held:
            plugin.emit(Signal.TRACES, held.pop())

    newer = FakePlugin(lambda _, __, payload: payload)

    class Changing(FakePlugin):
        def load(self, name: str, config: PluginConfig, **hooks: Any) -> FakePlugin:
            """
            Be loaded first, and the newer one after that.
            """
            load = newer.load if self.name else super().load
            return load(name, config, **hooks)

        def submit_stop(self) -> "Future[None]":
            """
            Say that the newer one has taken over.
            """
            is_replaced.set()
            return super().submit_stop()

    config = a_config(tmp_path, processors=["wasm/plugin"])
    kinds = registry(plugin=Changing(hold, stop=release))
    async with Pipeline(config, registry=kinds) as pipeline:
        exporter = pipeline.exporter("memory/one")
        request = asyncio.create_task(pipeline.receiver("memory").receive(a_batch("held")))
        await is_inside.wait()
        [hosted] = pipeline.plugins()
        change = asyncio.create_task(hosted.reload(hosted.config))
        await is_replaced.wait()
        change.cancel()
        await asyncio.gather(change, return_exceptions=True)
        go_on.set()
    await request

    assert exporter.names == ["held"]


@in_a_loop
async def test_a_stopped_pipeline_accepts_nothing(tmp_path: Path) -> None:
    """
    After the stop a sender is refused, so that it keeps its data.
    """
    async with Pipeline(a_config(tmp_path, processors=[]), registry=registry()) as pipeline:
        receiver = pipeline.receiver("memory")

    with pytest.raises(BatchError):
        await receiver.receive(a_batch())


def test_names_survive_joining() -> None:
    """
    The check above reads joined batches as well: two requests in one payload give both names.
    """
    joined = Batch(Signal.TRACES, a_batch("a").payload + a_batch("b").payload)

    assert names_in(joined) == ["a", "b"]
    assert len(ExportTraceServiceRequest.FromString(joined.payload).resource_spans) == 2
