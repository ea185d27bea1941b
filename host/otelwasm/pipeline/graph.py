"""
Put the components of a configuration together, start them from the end, stop them from the front.

    receivers ──► intake ──► processors ──► fan-out ──► exporters' queues ──► exporters
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from graphlib import TopologicalSorter
from typing import Any

import structlog

from otelwasm.config.settings import Config, ExporterConfig, PipelineConfig
from otelwasm.errors import SetupError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import Delivery
from otelwasm.pipeline.fanout import fan_out
from otelwasm.pipeline.intake import Intake
from otelwasm.pipeline.plugin import HostedPlugin
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.states import States
from otelwasm.pipeline.step import Consumer, ConsumerFor, Step
from otelwasm.pipeline.storage import Storages
from otelwasm.registry import (
    Exporter,
    Processor,
    Receiver,
    Registry,
    Surroundings,
)
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["Graph"]

_log = structlog.get_logger(__name__)

# A component that has nothing left to do gets this long to close what it holds open.
_CLOSE_TIMEOUT_S = 5.0


class Graph:
    """
    All components of a configuration; only those that a pipeline lists are made.

    One that does not keep the plugins' state can be tried beside one that runs. One that is made
    with the one *before* it takes over its receivers (`take_over`); SetupError where it cannot.
    """

    def __init__(
        self,
        config: Config,
        registry: Registry,
        *,
        telemetry: Telemetry,
        keeps_state: bool = True,
        before: "Graph | None" = None,
    ) -> None:
        self._config = config
        self._registry = registry
        self._telemetry = telemetry
        self._quarantine = Quarantine(
            config.service.quarantine.directory,
            max_bytes=config.service.quarantine.max_bytes,
            telemetry=telemetry,
        )
        directory = config.service.state.directory if keeps_state else None
        self._around = Surroundings(self._quarantine, telemetry, States(directory), Storages())
        self._before = before
        if before is not None:
            self._quarantine, self._around = before._quarantine, before._around
        self._deadline = 0.0
        self._stack = AsyncExitStack()
        self.exporters: dict[str, Exporter] = {}
        self._deliveries: dict[str, Delivery] = {}
        self.processors: dict[str, Processor] = {}
        self._where: dict[str, str] = {}
        self._signals: dict[str, set[Signal]] = {}
        self._order: TopologicalSorter[str] = TopologicalSorter()
        self._entries: dict[tuple[str, Signal], list[Step]] = {}
        for pipeline in config.pipelines:
            self._add(pipeline)
        self._intakes: dict[tuple[str, Signal], Intake] = {}
        self.receivers = {name: self._receiver(name) for name in self._listed_receivers()}

    async def load(self) -> None:
        """
        Start the processors, and all plugins: they are built, loaded and started, those of the
        exporters first, and else at the same time. What a plugin emits goes nowhere.
        """
        await self._load_exporters()
        for delivery in self._deliveries.values():
            delivery.rehearse()
        await self._load_others()

    async def start(self) -> None:
        """
        Start everything; what was started is stopped again if something does not.
        """
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.stop)
            self._quarantine.check()
            await self._load_exporters()
            for name, exporter in self.exporters.items():
                where = self._config.exporters[name].where
                await _located(where, exporter.start)
                with _locating(where):
                    self._deliveries[name].start()
            await self._load_others()
            for name, receiver in self._new_receivers().items():
                await _located(self._config.receivers[name].where, receiver.start)
            undo.pop_all()

    async def take_over(self) -> Coroutine[Any, Any, None]:
        """
        Start beside the graph before this one, and take its receivers, which go on all the time.
        Raises SetupError, and that one goes on.

        What is returned stops that one, once what it had accepted is where it goes. It must run to
        its end: nobody else knows of what that one still holds.
        """
        before = self._before
        assert before is not None
        await self.start()
        taken = set(self.receivers) - set(self._new_receivers())
        left = [
            before._intakes[key].lead_to(fan_out(steps))
            for key, steps in self._entries.items()
            if key[0] in taken
        ]
        self._intakes |= {key: before._intakes[key] for key in self._entries if key[0] in taken}
        before.receivers = {n: each for n, each in before.receivers.items() if n not in taken}
        self._before = None
        return self._retire(before, left)

    async def _retire(self, before: "Graph", left: Iterable[asyncio.Event]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(before._config.service.shutdown_timeout):
                for each in left:
                    await each.wait()
        await before.stop()
        for name, delivery in self._deliveries.items():
            try:
                delivery.take_up()  # what the one before could not deliver
            except OSError as error:
                _log.error("queue not taken up", exporter=name, error=str(error))

    async def stop(self) -> None:
        """
        Stop in a batch's order: receivers, processors, exporters; what is left is quarantined.

        Twice is safe.
        """
        timeout = self._config.service.shutdown_timeout
        self._deadline = asyncio.get_running_loop().time() + timeout
        await self._stack.aclose()

    def part_with_all(self, reason: str) -> None:
        """
        Quarantine all that was accepted and is not delivered, at once; the program ends then.
        """
        for processor in self.processors.values():
            processor.part_with_all(reason)
        for delivery in self._deliveries.values():
            delivery.part_with_all(reason)

    def plugins(self) -> list[HostedPlugin[Any]]:
        """
        The Wasm plugins among the components.
        """
        components = (*self.receivers.values(), *self.processors.values(), *self.exporters.values())
        found = (getattr(component, "plugin", None) for component in components)
        return [plugin for plugin in found if isinstance(plugin, HostedPlugin)]

    async def _load_exporters(self) -> None:
        self._stack.push_async_callback(self._stop_exporters)
        await _all(
            _located(
                self._config.exporters[name].where,
                partial(exporter.load, frozenset(self._signals[name])),
            )
            for name, exporter in self.exporters.items()
        )

    async def _load_others(self) -> None:
        for name in reversed(list(self._order.static_order())):
            self._stack.push_async_callback(self._stop_processor, self.processors[name])
        self._stack.push_async_callback(self._stop_receivers)
        starts = [
            _located(self._config.receivers[name].where, receiver.load)
            for name, receiver in self._new_receivers().items()
        ]
        starts += [
            _located(self._where[name], processor.start)
            for name, processor in reversed(self.processors.items())
        ]
        await _all(starts)

    def _add(self, pipeline: PipelineConfig) -> None:
        step = fan_out([self._delivery(name) for name in pipeline.exporters])
        for name in pipeline.exporters:
            self._signals.setdefault(name, set()).add(pipeline.signal)
        following: str | None = None
        for name in reversed(pipeline.processors):
            key, processor = self._processor(name, pipeline)
            step = processor.step(pipeline.signal, step)
            self._order.add(key)
            if following is not None:
                self._order.add(following, key)
            following = key
        for name in pipeline.receivers:
            self._entries.setdefault((name, pipeline.signal), []).append(step)

    def _delivery(self, name: str) -> Delivery:
        if name not in self._deliveries:
            config = self._config.exporters[name]
            exporter = self._registry.exporters[config.kind]().make(
                name, config.settings, self._around
            )
            self.exporters[name] = exporter
            self._deliveries[name] = self._make_delivery(config, exporter)
        return self._deliveries[name]

    def _make_delivery(self, config: ExporterConfig, exporter: Exporter) -> Delivery:
        component = f"exporter/{config.id}"

        async def send(batch: Batch) -> None:
            rejected = await exporter.send(batch)
            count = min(rejected.count, batch.items) if rejected is not None else 0
            self._telemetry.count("sent", component, batch, items=batch.items - count)
            if rejected is not None:
                if count:
                    self._telemetry.count("rejected", component, batch, items=count)
                _log.warning(
                    "the other side took a batch in part",
                    component=component,
                    signal=batch.signal.label,
                    rejected=rejected.count,
                    message=rejected.message,
                )

        return Delivery(
            component,
            send,
            config=config.delivery,
            at_once=self._registry.exporters[config.kind]().at_once(config.settings),
            quarantine=self._quarantine,
            telemetry=self._telemetry,
            storages=self._around.storages,
        )

    def _processor(self, name: str, pipeline: PipelineConfig) -> tuple[str, Processor]:
        config = self._config.processors[name]
        kind = self._registry.processors[config.kind]()
        key = name if kind.is_shared else f"{name}@{pipeline.id}"
        if key not in self.processors:
            self.processors[key] = kind.make(f"processor/{key}", config.settings, self._around)
            self._where[key] = config.where
        return key, self.processors[key]

    def _listed_receivers(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._entries))

    def _new_receivers(self) -> dict[str, Receiver]:
        """
        Those that are not taken from the graph before.
        """
        before = {} if self._before is None else self._before.receivers
        return {name: each for name, each in self.receivers.items() if before.get(name) is not each}

    def _receiver(self, name: str) -> Receiver:
        config = self._config.receivers[name]
        if self._before is not None and name in self._before.receivers:
            signals = {signal for each, signal in self._entries if each == name}
            if signals != {signal for each, signal in self._before._entries if each == name}:
                raise SetupError(
                    f"{config.where}: a receiver that runs gets no other signals; restart for that"
                )
            return self._before.receivers[name]
        return self._registry.receivers[config.kind]().make(
            name, config.settings, self._consumer_for(name), self._around
        )

    def _consumer_for(self, name: str) -> ConsumerFor:
        for (receiver, signal), steps in self._entries.items():
            if receiver == name:
                self._intakes[name, signal] = Intake(
                    f"receiver/{name}", fan_out(steps), telemetry=self._telemetry
                )

        def consumer_for(signal: Signal) -> Consumer | None:
            return self._intakes.get((name, signal))

        return consumer_for

    async def _stop_receivers(self) -> None:
        # What is held behind them needs time, too: one slow sender must not take all of it.
        deadline = self._deadline - self._config.service.shutdown_timeout / 2
        await _to_their_ends(receiver.stop(deadline) for receiver in self._new_receivers().values())

    async def _stop_processor(self, processor: Processor) -> None:
        await processor.stop(self._deadline)

    async def _stop_exporters(self) -> None:
        # Each drains while the others do: a slow one costs them nothing.
        await _to_their_ends(self._stop_exporter(name) for name in self.exporters)

    async def _stop_exporter(self, name: str) -> None:
        await self._deliveries[name].drain(self._deadline)
        latest = max(self._deadline, asyncio.get_running_loop().time() + _CLOSE_TIMEOUT_S)
        try:
            async with asyncio.timeout_at(latest):
                await self.exporters[name].close()
        except TimeoutError:
            _log.warning("exporter did not close in time", exporter=name)


async def _to_their_ends(stops: Iterable[Awaitable[None]]) -> None:
    """
    Wait for all of *stops*, whatever goes wrong with one; raise the first that did.
    """
    for error in await asyncio.gather(*stops, return_exceptions=True):
        if error is not None:
            raise error


async def _all(starts: Iterable[Awaitable[None]]) -> None:
    """
    Wait for all of *starts*; raise what is wrong with them as one SetupError.
    """
    errors = [error for error in await asyncio.gather(*starts, return_exceptions=True) if error]
    for error in errors:
        if not isinstance(error, SetupError):
            raise error
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SetupError("\n".join(map(str, errors)))


async def _located(where: str, start: Callable[[], Awaitable[None]]) -> None:
    """
    Start a component; say *where* it stands in the configuration if that fails.
    """
    with _locating(where):
        await start()


@contextlib.contextmanager
def _locating(where: str) -> Iterator[None]:
    try:
        yield
    except SetupError as error:
        raise type(error)(f"{where}: {error}") from error
    except OSError as error:
        raise SetupError(f"{where}: {error}") from error
