"""
Put a Wasm plugin into its pipelines: what it answers goes on, what it emits finds its way.

Whatever a plugin emits continues right behind it in every pipeline of the emitted signal that
lists the plugin: metrics made from traces, say, go on in the metrics pipelines that name it too.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any, Literal, Protocol, TypeVar

import attrs
import structlog

from otelwasm.config.plugin import PluginConfig
from otelwasm.config.values import ByteSize
from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.otlp import wire
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.emitting import Emitting
from otelwasm.pipeline.fanout import fan_out
from otelwasm.pipeline.lines import Lines
from otelwasm.pipeline.plugin import HostedPlugin, LoadedPlugin, LoadPlugin
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.pipeline.step import Admission, Consumer, Step, consumer_of
from otelwasm.processors.joining import Line, Turns
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["PluginProcessor", "ProcessingPlugin", "ProcessorConfig"]

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class ProcessingPlugin(LoadedPlugin, Protocol):
    """
    What the pipeline needs of a loaded processor.
    """

    def process_soon(
        self, signal: Signal, payload: bytes, *, instance: int | None = None
    ) -> "asyncio.Future[bytes | None]":
        """
        Process one batch on a worker's thread: the same bytes, others, or None to drop.

        *instance* says which of them has to do it, if it is not all the same.
        """


@attrs.frozen
class ProcessorConfig(PluginConfig):
    """
    One `wasm/<name>` of the processors.

    Batches that wait for it are joined, up to so many bytes, into one call; `join: 0` gives each a
    call of its own. Of several instances any may get a batch, unless they *partition_by* trace:
    then each batch is cut, and all spans and log records of one trace go to the same instance.
    """

    join: ByteSize = attrs.field(default=ByteSize(256 << 10))
    """Batches that wait go together in one call, up to so many bytes; 0 gives each its own."""
    partition_by: Literal["trace_id"] | None = None
    """`trace_id`: with several instances, all of a trace go to the same one."""


class PluginProcessor:
    """
    One plugin with its instances, shared by all pipelines that list it.
    """

    def __init__(
        self,
        component: str,
        config: ProcessorConfig,
        *,
        load: LoadPlugin[ProcessingPlugin],
        quarantine: Quarantine,
        telemetry: Telemetry,
    ) -> None:
        self.plugin = HostedPlugin(
            component, config, world="processor", load=load, telemetry=telemetry
        )
        self._component = component
        self._name = self.plugin.name
        self._telemetry = telemetry
        self._budget = ByteBudget(f"plugin '{self._name}'", limit_bytes=config.limits.waiting)
        self._instances: Sequence[int | None] = (None,)
        if config.partition_by is not None:
            self._instances = range(config.instances)
        self._turns = [
            Turns(
                partial(self._call, instance=instance),
                at_once=config.instances // len(self._instances),
                limit_bytes=config.join,
                patience_s=self.plugin.patience_s,
                budget=self._budget,
            )
            for instance in self._instances
        ]
        self._refused = Lines(_log.warning, "plugin does not take batches now; senders come again")
        self._routes: dict[Signal, list[Step]] = {}
        self._emitting = Emitting(
            component, self._name, consumer_for=self._behind, quarantine=quarantine
        )
        telemetry.watch_queue(component, self._budget)

    def step(self, signal: Signal, then: Step) -> Step:
        """
        Return the way in to one pipeline's place, and remember where batches go on from it.
        """
        self._routes.setdefault(signal, []).append(then)
        return _PluginStep(self, then, [Line(turns, then) for turns in self._turns])

    async def start(self) -> None:
        """
        Load the plugin and start its instances; raises SetupError.
        """
        self._emitting.open()
        await self.plugin.start(self._emitting.emit, offered=frozenset(self._routes))

    async def stop(self, deadline: float) -> None:
        """
        Have the plugin emit what it holds back, and end it.

        What is not accepted until *deadline* goes to the quarantine; the plugin's own deadlines
        bound the rest.
        """
        self._emitting.finish_by(deadline)
        await self.plugin.stop(deadline)
        self._refused.close()

    def part_with_all(self, reason: str) -> None:
        """
        Nothing: what the plugin holds back only its `stop` gives out.
        """

    def handles(self, signal: Signal) -> bool:
        """
        Whether the plugin takes batches of *signal*; others pass it by.
        """
        return self.plugin.handles(signal)

    def partition(self, batch: Batch) -> Mapping[int, Batch]:
        """
        Return the parts of *batch* by the numbers of the instances, or of lines, that they are for.
        """
        count = len(self._instances)
        if count == 1:
            return {0: batch}
        try:
            parts = wire.partition_by_trace(batch.signal, batch.payload, count=count)
        except ValueError as error:
            raise PermanentError(f"plugin '{self._name}': {error}") from error
        return {number: Batch(batch.signal, payload) for number, payload in parts.items()}

    async def process(self, batch: Batch) -> Batch | None:
        """
        Return what the plugin makes of *batch* alone; None if that is nothing.
        """
        self._budget.take(batch.size)
        try:
            parts = self.partition(batch).items()
            calls = [self._call(part, instance=self._instances[each]) for each, part in parts]
            made = [result for result in await _all(calls) if result is not None]
        finally:
            self._budget.give_back(batch.size)
        if len(made) < 2:
            return made[0] if made else None
        return Batch(batch.signal, wire.merge(batch.signal, [part.payload for part in made]))

    async def _call(self, batch: Batch, *, instance: int | None) -> Batch | None:
        began = monotonic()
        try:
            payload = await self.plugin.answer(
                lambda plugin: plugin.process_soon(batch.signal, batch.payload, instance=instance)
            )
        except PermanentError as error:
            self._note_failure(batch, error)
            raise
        except RetryableError as error:
            self._refused.add(plugin=self._name, signal=batch.signal.label, error=str(error))
            raise
        finally:
            self._telemetry.time(self._component, monotonic() - began)
        if payload is batch.payload:
            return batch
        # An empty request is a valid one, with nothing in it to send on.
        if not payload:
            self._telemetry.count("dropped", self._component, batch)
            return None
        return Batch(batch.signal, payload)

    def _note_failure(self, batch: Batch, error: PermanentError) -> None:
        self._telemetry.count("failed", self._component, batch)
        _log.error(
            "plugin failed",
            plugin=self._name,
            kind=error.kind if isinstance(error, PluginFaultError) else "permanent",
            signal=batch.signal.label,
            items=batch.items,
            error=str(error),
        )

    def _behind(self, signal: Signal) -> Consumer | None:
        routes = self._routes.get(signal)
        return _Emitted(self._component, fan_out(routes), self._telemetry) if routes else None


@attrs.frozen
class _Emitted:
    """
    All that lies behind a plugin for one signal; it counts what was accepted there.
    """

    component: str
    step: Step
    telemetry: Telemetry

    async def consume(self, batch: Batch) -> None:
        """
        Return once every next step accepted *batch*; raise BatchError if one did not.
        """
        await consumer_of(self.step).consume(batch)
        self.telemetry.count("emitted", self.component, batch)


@attrs.frozen
class _PluginStep:
    """
    A plugin's place in one pipeline.
    """

    processor: PluginProcessor
    then: Step
    lines: Sequence[Line]

    async def admit(self, batch: Batch) -> Admission:
        """
        Process *batch* and admit what becomes of it to the next step.
        """
        if not self.processor.handles(batch.signal):
            return await self.then.admit(batch)
        result = await self.processor.process(batch)
        return Admission() if result is None else await self.then.admit(result)

    async def consume(self, batch: Batch) -> None:
        """
        Process *batch*, perhaps together with others that wait, and hand on what becomes of it.
        """
        if not self.processor.handles(batch.signal):
            await consumer_of(self.then).consume(batch)
        elif len(self.lines) == 1:
            await self.lines[0].consume(batch)
        else:
            parts = self.processor.partition(batch).items()
            await _all([self.lines[number].consume(part) for number, part in parts])


async def _all(doings: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """
    Do all of *doings*, to their ends; raise what went wrong with one, rather a RetryableError.
    """
    if len(doings) == 1:
        return [await doings[0]]
    done = await asyncio.gather(*doings, return_exceptions=True)
    errors = [each for each in done if isinstance(each, BaseException)]
    for error in sorted(errors, key=lambda error: not isinstance(error, RetryableError)):
        raise error
    return [each for each in done if not isinstance(each, BaseException)]
