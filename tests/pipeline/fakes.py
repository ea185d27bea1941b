"""
Parts for whole pipelines in memory: a plugin on a thread, a receiver and an exporter.
"""

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec

import attrs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.config.plugin import PluginConfig
from otelwasm.errors import PermanentError, PluginStartError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.plugin import Attributes
from otelwasm.pipeline.step import ConsumerFor
from otelwasm.processors.plugin import PluginProcessor, ProcessorConfig
from otelwasm.registry import ExporterKind, ProcessorKind, ReceiverKind, Registry
from otelwasm.signals import Signal

__all__ = [
    "FakePlugin",
    "MemoryExporter",
    "MemoryReceiver",
    "MemoryReceiverConfig",
    "a_batch",
    "a_plugin_file",
    "in_a_loop",
    "names_in",
    "refuse",
    "registry",
    "registry_for_wasm",
]

P = ParamSpec("P")

# What a fake plugin does with a batch; it may emit before it answers.
Behaviour = Callable[["FakePlugin", Signal, bytes], bytes | None]


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """
    Run an asynchronous test in a loop of its own, for half a minute at most.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), 30))

    return run


def a_batch(*names: str, signal: Signal = Signal.TRACES) -> Batch:
    """
    Make a batch with one span, data point or log record for each of *names*.
    """
    request: Any
    if signal is Signal.TRACES:
        request = ExportTraceServiceRequest()
        spans = request.resource_spans.add().scope_spans.add().spans
        for name in names or ("span",):
            spans.add(name=name)
    elif signal is Signal.METRICS:
        request = ExportMetricsServiceRequest()
        metrics = request.resource_metrics.add().scope_metrics.add().metrics
        for name in names or ("metric",):
            metrics.add(name=name).sum.data_points.add(as_int=1)
    else:
        request = ExportLogsServiceRequest()
        records = request.resource_logs.add().scope_logs.add().log_records
        for name in names or ("record",):
            records.add().body.string_value = name
    return Batch(signal, request.SerializeToString())


def names_in(batch: Batch) -> list[str]:
    """
    Read back the names that `a_batch` was given.
    """
    request: Any
    if batch.signal is Signal.TRACES:
        request = ExportTraceServiceRequest.FromString(batch.payload)
        scopes = [scope for group in request.resource_spans for scope in group.scope_spans]
        return [span.name for scope in scopes for span in scope.spans]
    if batch.signal is Signal.METRICS:
        request = ExportMetricsServiceRequest.FromString(batch.payload)
        scopes = [scope for group in request.resource_metrics for scope in group.scope_metrics]
        return [metric.name for scope in scopes for metric in scope.metrics]
    request = ExportLogsServiceRequest.FromString(batch.payload)
    scopes = [scope for group in request.resource_logs for scope in group.scope_logs]
    return [record.body.string_value for scope in scopes for record in scope.log_records]


@attrs.frozen
class FakeStats:
    """
    The numbers of a fake plugin.
    """

    calls: int = 0
    faults: Mapping[str, int] = attrs.field(factory=dict)
    restarts: int = 0
    busy_s: float = 0.0
    memory_bytes: int = 0


class FakePlugin:
    """
    Stands in for `otelwasm.Plugin`: the same calls, on a thread, with Python instead of Wasm.
    """

    def __init__(
        self,
        process: Behaviour,
        *,
        signals: frozenset[Signal] = frozenset(Signal),
        world: str = "processor",
        tick: Callable[["FakePlugin"], None] | None = None,
        stop: Callable[["FakePlugin"], None] | None = None,
        calls: frozenset[str] = frozenset({"tick", "receive", "poll"}),
        refuses: str | None = None,
    ) -> None:
        self.signals = signals
        self.world = world
        self.name = ""
        self.config: Mapping[str, object] = {}
        self.calls = calls
        self.is_closed = False
        self.count = 0
        self.asked: list[int | None] = []
        self.started = threading.Event()
        self._process = process
        self._tick = tick
        self._stop = stop
        self._refuses = refuses
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fake plugin")

    def load(
        self,
        name: str,
        config: PluginConfig,
        *,
        emit: Callable[[Signal, bytes], None] | None,
        log: Callable[[str, str, Attributes], None],
        meter: Callable[[str, str, float, Attributes], None],
    ) -> "FakePlugin":
        """
        Be loaded, as the pipeline loads a plugin.
        """
        if self._refuses is not None:
            raise PluginStartError(f"plugin '{name}' did not start: {self._refuses}")
        self.name, self.config = name, config.config
        self.emit, self.log, self.meter = emit, log, meter
        return self

    @property
    def stats(self) -> FakeStats:
        """
        Its numbers.
        """
        return FakeStats(calls=self.count)

    def submit(self, signal: Signal, payload: bytes) -> "Future[bytes | None]":
        """
        Process on the thread.
        """
        self.count += 1
        return self._thread.submit(self._process, self, signal, payload)

    def process_soon(
        self, signal: Signal, payload: bytes, *, instance: int | None = None
    ) -> "asyncio.Future[bytes | None]":
        """
        Process on the thread; note which instance was asked for.
        """
        self.asked.append(instance)
        return asyncio.wrap_future(self.submit(signal, payload))

    def submit_tick(self) -> "Future[None]":
        """
        Tick on the thread.
        """
        return self._thread.submit(lambda: self._tick(self) if self._tick else None)

    def submit_stop(self) -> "Future[None]":
        """
        Stop on the thread.
        """
        return self._thread.submit(lambda: self._stop(self) if self._stop else None)

    def close(self) -> None:
        """
        End the thread.
        """
        self.is_closed = True
        self._thread.shutdown()


@attrs.frozen
class MemoryReceiverConfig:
    """
    Nothing to say.
    """


class MemoryReceiver:
    """
    A receiver that a test calls.
    """

    def __init__(self, consumer_for: ConsumerFor) -> None:
        self.consumer_for = consumer_for
        self.is_open = False
        self._idle = asyncio.Condition()
        self._in_flight = 0

    async def load(self) -> None:
        """
        Nothing to load.
        """

    async def start(self) -> None:
        """
        Accept from now on.
        """
        self.is_open = True

    async def receive(self, batch: Batch) -> None:
        """
        Do what a sender's request does; returns when it is answered with success.
        """
        consumer = self.consumer_for(batch.signal)
        if not self.is_open or consumer is None:
            raise RetryableError("closed")
        self._in_flight += 1
        try:
            await consumer.consume(batch)
        finally:
            self._in_flight -= 1
            async with self._idle:
                self._idle.notify_all()

    async def stop(self, deadline: float) -> None:
        """
        Accept no more; finish what is in flight until *deadline*.
        """
        self.is_open = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline), self._idle:
                await self._idle.wait_for(lambda: not self._in_flight)


@attrs.frozen
class MemoryExporterConfig:
    """
    Nothing to say.
    """


class MemoryExporter:
    """
    An exporter that keeps what it gets; *answer* may raise instead, or wait.
    """

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.attempts = 0
        self.is_open = False
        self.answer: Callable[[Batch], Any] | None = None
        self._arrival = asyncio.Condition()

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Nothing is loaded.
        """

    async def start(self) -> None:
        """
        Open.
        """
        self.is_open = True

    async def send(self, batch: Batch) -> None:
        """
        Keep *batch*, unless the answer is another.
        """
        self.attempts += 1
        if self.answer is not None:
            outcome = self.answer(batch)
            if outcome is not None:
                await outcome
        self.batches.append(batch)
        async with self._arrival:
            self._arrival.notify_all()

    async def close(self) -> None:
        """
        Close.
        """
        self.is_open = False

    async def received(self, count: int) -> list[Batch]:
        """
        Wait until there are *count* batches.
        """
        async with asyncio.timeout(5), self._arrival:
            await self._arrival.wait_for(lambda: len(self.batches) >= count)
        return self.batches

    @property
    def names(self) -> list[str]:
        """
        The names in all batches, in order.
        """
        return [name for batch in self.batches for name in names_in(batch)]


def registry(**plugins: FakePlugin) -> Registry:
    """
    Kinds for tests: `memory` receivers and exporters, `batch`, and `wasm` with *plugins* by name.
    """

    def load(name: str, config: PluginConfig, **hooks: Any) -> FakePlugin:
        return plugins[name].load(name, config, **hooks)

    wasm = ProcessorKind(
        ProcessorConfig,
        lambda component, config, around: PluginProcessor(
            component,
            config,
            load=load,
            quarantine=around.quarantine,
            telemetry=around.telemetry,
        ),
        is_shared=True,
    )
    kinds = registry_for_wasm()
    return attrs.evolve(kinds, processors={**kinds.processors, "wasm": lambda: wasm})


def registry_for_wasm() -> Registry:
    """
    What is built in, and receivers and exporters in memory.
    """
    receiver = ReceiverKind(
        MemoryReceiverConfig, lambda _, __, consumer, ___: MemoryReceiver(consumer)
    )
    exporter = ExporterKind(MemoryExporterConfig, lambda _, __, ___: MemoryExporter())
    built_in = Registry.built_in()
    return attrs.evolve(
        built_in,
        receivers={**built_in.receivers, "memory": lambda: receiver},
        exporters={**built_in.exporters, "memory": lambda: exporter},
    )


def a_plugin_file(folder: Path) -> str:
    """
    A file for a configuration to name; fake plugins do not read it.
    """
    path = folder / "fake.wasm"
    path.touch()
    return str(path)


def refuse(error: PermanentError | RetryableError) -> Callable[[Batch], None]:
    """
    An exporter's answer that always raises *error*.
    """

    def answer(_: Batch) -> None:
        raise error

    return answer
