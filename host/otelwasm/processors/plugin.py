"""
Put a Wasm plugin into its pipelines: what it answers goes on, what it emits finds its way.

Whatever a plugin emits continues right behind it in every pipeline of the emitted signal that
lists the plugin: metrics made from traces, say, go on in the metrics pipelines that name it too.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, Literal, Protocol

import attrs
import structlog

from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.errors import (
    BatchError,
    ComponentError,
    PermanentError,
    PluginFaultError,
    RetryableError,
)
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.fanout import fan_out
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.pipeline.step import Admission, Step, consumer_of
from otelwasm.processors.joining import Line, Turns
from otelwasm.processors.processing import ProcessingPlugin
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = [
    "Attributes",
    "LimitsConfig",
    "LoadPlugin",
    "PluginConfig",
    "PluginProcessor",
]

_log = structlog.get_logger(__name__)

Attributes = tuple[tuple[str, str], ...]

# Calls have deadlines of their own inside the plugin; these end waits that went wrong elsewhere.
_GRACE_S = 60.0
_EMIT_TIMEOUT_S = 120.0
_EMIT_RETRY_S = 0.1
_CLOSE_TIMEOUT_S = 5.0

_LOG_METHODS = {"debug": _log.debug, "info": _log.info, "warn": _log.warning, "error": _log.error}


class LoadPlugin(Protocol):
    """
    How a plugin is made from its configuration; it blocks, and raises SetupError.
    """

    def __call__(
        self,
        name: str,
        config: "PluginConfig",
        *,
        emit: Callable[[Signal, bytes], None],
        log: Callable[[str, str, Attributes], None],
        meter: Callable[[str, str, float, Attributes], None],
    ) -> ProcessingPlugin:
        """
        Build if necessary, load, start.
        """


def _exists(_: object, __: object, path: Path) -> None:
    if not path.exists():
        raise ValueError(f"no such file: {path}")


@attrs.frozen
class LimitsConfig:
    """
    What a plugin may use; `waiting` bounds the batches that wait for it.
    """

    memory: ByteSize = attrs.field(default=ByteSize(256 << 20), validator=at_least(1 << 16))
    deadline: Duration = attrs.field(default=Duration(5), validator=at_least(Duration(0.001)))
    waiting: ByteSize = attrs.field(default=ByteSize(64 << 20))


@attrs.frozen
class PluginConfig:
    """
    One `wasm/<name>` of the configuration.

    *plugin* is a component, or the Python file or folder that one is built from. Batches that wait
    for it are joined, up to so many bytes, into one call; `join: 0` gives each a call of its own.
    """

    plugin: Path = attrs.field(validator=_exists)
    config: Mapping[str, object] = attrs.field(factory=dict)
    instances: int = attrs.field(default=1, validator=at_least(1))
    join: ByteSize = attrs.field(default=ByteSize(256 << 10))
    limits: LimitsConfig = LimitsConfig()
    tick_interval: Duration | None = attrs.field(
        default=None, validator=attrs.validators.optional(at_least(Duration(0.001)))
    )
    lane: Literal["auto", "bridge", "direct"] = "auto"


class PluginProcessor:
    """
    One plugin with its instances, shared by all pipelines that list it.
    """

    def __init__(
        self,
        component: str,
        config: PluginConfig,
        *,
        load: LoadPlugin,
        quarantine: Quarantine,
        telemetry: Telemetry,
    ) -> None:
        self.component = component
        self.name = component.rpartition("/")[2]
        if self.name == "wasm":
            self.name = config.plugin.stem
        self._config = config
        self._load = load
        self._quarantine = quarantine
        self._telemetry = telemetry
        # A call may end two instances, and each is started before.
        self._calls_s = 4 * config.limits.deadline
        self._budget = ByteBudget(f"plugin '{self.name}'", limit_bytes=config.limits.waiting)
        self._turns = Turns(
            self._call,
            at_once=config.instances,
            limit_bytes=config.join,
            patience_s=self._calls_s + _GRACE_S,
            budget=self._budget,
        )
        self._routes: dict[Signal, list[Step]] = {}
        self._plugin: ProcessingPlugin | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # Set once the plugin is asked to stop: then nobody but the host can try again for it.
        self._stop_deadline: float | None = None
        telemetry.watch_queue(component, self._budget)

    def step(self, signal: Signal, then: Step) -> Step:
        """
        Return the way in to one pipeline's place, and remember where batches go on from it.
        """
        self._routes.setdefault(signal, []).append(then)
        return _PluginStep(self, then, Line(self._turns, then))

    async def start(self) -> None:
        """
        Load the plugin and start its instances; raises SetupError.
        """
        self._loop = asyncio.get_running_loop()
        began = monotonic()
        _log.info("loading plugin", plugin=self.name, source=str(self._config.plugin))
        plugin = await asyncio.to_thread(
            self._load, self.name, self._config, emit=self._emit, log=self._log, meter=self._meter
        )
        if plugin.world != "processor":
            await asyncio.to_thread(plugin.close)
            raise ComponentError(
                f"plugin '{self.name}': {self._config.plugin} is made for the world "
                f"'{plugin.world}'; expected 'processor'"
            )
        self._plugin = plugin
        self._telemetry.watch_plugin(self.component, plugin)
        _log.info(
            "plugin loaded",
            plugin=self.name,
            signals=" ".join(handled.label for handled in sorted(plugin.signals)),
            seconds=round(monotonic() - began, 3),
        )
        if self._config.tick_interval is not None:
            self._ticking = asyncio.create_task(
                self._tick(plugin, self._config.tick_interval), name=f"{self.component} tick"
            )

    async def stop(self, deadline: float) -> None:
        """
        Have the plugin emit what it holds back, and end it.

        What is not accepted until *deadline* goes to the quarantine; the plugin's own deadlines
        bound the rest.
        """
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        if self._plugin is None:
            return
        self._stop_deadline = deadline
        latest = max(deadline, asyncio.get_running_loop().time()) + self._calls_s
        try:
            async with asyncio.timeout_at(latest):
                await asyncio.wrap_future(self._plugin.submit_stop())
        except (BatchError, TimeoutError) as error:
            _log.error(
                "plugin did not stop well; what it held back may be lost",
                plugin=self.name,
                error=str(error) or "no answer in time",
            )
        plugin, self._plugin = self._plugin, None
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await asyncio.to_thread(plugin.close)
        except TimeoutError:
            _log.error("plugin's instances did not end in time", plugin=self.name)

    def handles(self, signal: Signal) -> bool:
        """
        Whether the plugin takes batches of *signal*; others pass it by.
        """
        return self._plugin is None or signal in self._plugin.signals

    async def process(self, batch: Batch) -> Batch | None:
        """
        Return what the plugin makes of *batch* alone; None if that is nothing.
        """
        self._budget.take(batch.size)
        try:
            return await self._call(batch)
        finally:
            self._budget.give_back(batch.size)

    async def _call(self, batch: Batch) -> Batch | None:
        plugin = self._plugin
        if plugin is None:
            raise RetryableError(f"plugin '{self.name}' is not running")
        began = monotonic()
        try:
            async with asyncio.timeout(self._calls_s + _GRACE_S):
                payload = await asyncio.wrap_future(plugin.submit(batch.signal, batch.payload))
        except TimeoutError as error:
            raise RetryableError(
                f"plugin '{self.name}': no answer within {self._calls_s + _GRACE_S:g}s, "
                f"{ByteSize(self._budget.used_bytes)} wait"
            ) from error
        except PermanentError as error:
            self._note_failure(batch, error)
            raise
        finally:
            self._telemetry.time(self.component, monotonic() - began)
        if payload is batch.payload:
            return batch
        # An empty request is a valid one, with nothing in it to send on.
        if not payload:
            self._telemetry.count("dropped", self.component, batch)
            return None
        return Batch(batch.signal, payload)

    def _note_failure(self, batch: Batch, error: PermanentError) -> None:
        self._telemetry.count("failed", self.component, batch)
        _log.error(
            "plugin failed",
            plugin=self.name,
            kind=error.kind if isinstance(error, PluginFaultError) else "permanent",
            signal=batch.signal.label,
            items=batch.items,
            error=str(error),
        )

    async def _tick(self, plugin: ProcessingPlugin, interval: Duration) -> None:
        while True:
            await asyncio.sleep(interval)
            try:
                async with asyncio.timeout(self._calls_s + _GRACE_S):
                    await asyncio.wrap_future(plugin.submit_tick())
            except (BatchError, TimeoutError) as error:
                _log.warning("plugin's tick failed", plugin=self.name, error=str(error))

    def _emit(self, signal: Signal, payload: bytes) -> None:
        """
        Hand a batch of the plugin's to the next step; runs on the plugin's thread and blocks it.
        """
        routes = self._routes.get(signal)
        if not routes:
            raise PermanentError(
                f"plugin '{self.name}' emitted {signal.label}, but no {signal.label} pipeline "
                f"lists it: add {self.component.partition('/')[2]} to the processors of one"
            )
        if not payload:
            return
        if self._loop is None:
            raise RetryableError(f"plugin '{self.name}' is not running")
        handing_on = asyncio.run_coroutine_threadsafe(
            self._hand_on(Batch(signal, payload), fan_out(routes)), self._loop
        )
        try:
            handing_on.result(_EMIT_TIMEOUT_S)
        except TimeoutError as error:
            handing_on.cancel()
            raise RetryableError(
                f"plugin '{self.name}' emitted {signal.label}: not accepted within "
                f"{_EMIT_TIMEOUT_S:g}s"
            ) from error

    async def _hand_on(self, batch: Batch, step: Step) -> None:
        consumer = consumer_of(step)
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(self._stop_deadline):
                    await consumer.consume(batch)
            except (BatchError, TimeoutError) as error:
                if self._stop_deadline is None:
                    raise
                is_late = loop.time() + _EMIT_RETRY_S > self._stop_deadline
                if isinstance(error, PermanentError) or is_late:
                    reason = str(error) or "not accepted before the shutdown timeout"
                    self._quarantine.keep(batch, self.component, reason=reason)
                    return
                await asyncio.sleep(_EMIT_RETRY_S)
            else:
                self._telemetry.count("emitted", self.component, batch)
                return

    def _log(self, level: str, message: str, attributes: Attributes) -> None:
        fields: dict[str, Any] = {f"guest.{key}": value for key, value in attributes}
        _LOG_METHODS.get(level, _log.info)(message, plugin=self.name, **fields)

    def _meter(self, kind: str, name: str, value: float, attributes: Attributes) -> None:
        self._telemetry.record(self.name, kind, name, value, attributes)


@attrs.frozen
class _PluginStep:
    """
    A plugin's place in one pipeline.
    """

    processor: PluginProcessor
    then: Step
    line: Line

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
        if self.processor.handles(batch.signal):
            await self.line.consume(batch)
        else:
            await consumer_of(self.then).consume(batch)
