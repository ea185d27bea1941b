"""
Hold one Wasm plugin of a configuration, be it a receiver, a processor or an exporter: load it,
call it, tick it, put another version in its place, stop it.

    receivers/plugin.py ──┐
    processors/plugin.py ─┼─► HostedPlugin ──► LoadedPlugin (plugins/plugin.py), on its own threads
    exporters/plugin.py ──┘

What is particular to a kind (where batches come from, where they go) stays in the kind's module.
"""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterable, Mapping, Set
from concurrent.futures import Future
from pathlib import Path
from time import monotonic
from typing import Any, Generic, Literal, Protocol, TypeVar

import structlog

from otelwasm.config.plugin import PluginConfig
from otelwasm.config.values import Duration
from otelwasm.errors import (
    BatchError,
    ComponentError,
    PluginStartError,
    RetryableError,
    SetupError,
)
from otelwasm.signals import Signal
from otelwasm.telemetry import PluginNumbers, Telemetry

__all__ = [
    "Attributes",
    "HostedPlugin",
    "LoadPlugin",
    "LoadedPlugin",
]

_log = structlog.get_logger(__name__)

Attributes = tuple[tuple[str, str], ...]
T = TypeVar("T")
P = TypeVar("P", bound="LoadedPlugin")
P_co = TypeVar("P_co", bound="LoadedPlugin", covariant=True)

# Calls have deadlines of their own inside the plugin; these end waits that went wrong elsewhere.
_GRACE_S = 60.0
_CLOSE_TIMEOUT_S = 5.0

# What has a plugin called, besides its batches.
_KEYS = {"tick": "tick_interval", "receive": "listen", "poll": "poll_interval"}

_LOG_METHODS = {"debug": _log.debug, "info": _log.info, "warn": _log.warning, "error": _log.error}


class LoadedPlugin(Protocol):
    """
    What the pipeline needs of every loaded plugin; `otelwasm.Plugin` is one.
    """

    @property
    def world(self) -> str:
        """
        `processor`, `exporter` or `receiver`.
        """

    @property
    def signals(self) -> frozenset[Signal]:
        """
        What it handles.
        """

    @property
    def calls(self) -> Set[str]:
        """
        Which of `tick`, `receive` and `poll` it answers.
        """

    @property
    def stats(self) -> PluginNumbers:
        """
        Its numbers at this moment.
        """

    def submit_tick(self) -> "Future[None]":
        """
        Call the guest's `tick` between other calls.
        """

    def submit_stop(self) -> "Future[None]":
        """
        Have the guest flush what it holds back; no call follows.
        """

    def close(self) -> None:
        """
        End all instances; twice is safe.
        """


class LoadPlugin(Protocol[P_co]):
    """
    How a plugin is made from its configuration; it blocks, and raises SetupError.
    """

    def __call__(
        self,
        name: str,
        config: PluginConfig,
        *,
        emit: Callable[[Signal, bytes], None] | None,
        log: Callable[[str, str, Attributes], None],
        meter: Callable[[str, str, float, Attributes], None],
    ) -> P_co:
        """
        Build if necessary, load, start.
        """


class HostedPlugin(Generic[P]):
    """
    One plugin with its instances, from its start to its stop.

    *component* is what telemetry calls it (`processor/wasm/redact`), *world* what it has to be, and
    *calls* what it has to answer, with the configuration's keys that ask for it.
    """

    def __init__(
        self,
        component: str,
        config: PluginConfig,
        *,
        world: Literal["receiver", "processor", "exporter"],
        load: LoadPlugin[P],
        telemetry: Telemetry,
        calls: Mapping[str, str] | None = None,
    ) -> None:
        self.component = component
        self.name = component.rpartition("/")[2]
        if self.name == "wasm":
            self.name = config.plugin.stem
        # A call may end two instances, and each is started before.
        self.calls_s = 4 * config.limits.deadline
        self.patience_s = self.calls_s + _GRACE_S
        self._config = config
        self._world = world
        self._calls = dict(calls or {})
        if config.tick_interval is not None:
            self._calls["tick"] = "tick_interval"
        self._load = load
        self._telemetry = telemetry
        self._emit: Callable[[Signal, bytes], None] | None = None
        self._needed = self._offered = frozenset[Signal]()
        self._plugin: P | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._finishing: set[asyncio.Task[None]] = set()

    @property
    def config(self) -> PluginConfig:
        """
        What runs, or is to run.
        """
        return self._config

    async def start(
        self,
        emit: Callable[[Signal, bytes], None] | None = None,
        *,
        needed: frozenset[Signal] = frozenset(),
        offered: frozenset[Signal] = frozenset(),
    ) -> None:
        """
        Load the plugin and start its instances; raises SetupError.

        *emit* takes what it emits, on the plugin's threads; *needed* are signals that it has to
        handle, *offered* those it has to handle one of: the others pass it by.
        """
        self._emit, self._needed, self._offered = emit, needed, offered
        self._plugin = await self._loaded(self._config)
        self._telemetry.watch_plugin(self.component, self._plugin)
        if self._config.tick_interval is not None:
            self._ticking = asyncio.create_task(
                self._tick(self._config.tick_interval), name=f"{self.component} tick"
            )

    async def reload(self, config: PluginConfig) -> None:
        """
        Load and start the plugin as *config* says, and have that take over from the one that runs,
        which first does what it was given. Raises SetupError, and nothing has changed then.
        """
        plugin = await self._loaded(config)
        if self._plugin is None:  # it was stopped meanwhile
            await self._close(plugin)
            return
        old, self._plugin, self._config = self._plugin, plugin, config
        self._telemetry.watch_plugin(self.component, plugin)
        finishing = asyncio.create_task(self._finish(old, asyncio.get_running_loop().time()))
        self._finishing.add(finishing)
        finishing.add_done_callback(self._finishing.discard)
        # Whoever waits here may be cancelled, as by a stop, which waits for it then.
        await asyncio.shield(finishing)

    async def _loaded(self, config: PluginConfig) -> P:
        began = monotonic()
        _log.info("loading plugin", plugin=self.name, source=str(config.plugin))
        plugin = await asyncio.to_thread(
            self._load, self.name, config, emit=self._emit, log=self._log, meter=self._meter
        )
        try:
            self._check(plugin, config.plugin)
        except SetupError:
            await asyncio.to_thread(plugin.close)
            raise
        _log.info(
            "plugin loaded",
            plugin=self.name,
            signals=" ".join(handled.label for handled in sorted(plugin.signals)),
            seconds=round(monotonic() - began, 3),
        )
        return plugin

    def handles(self, signal: Signal) -> bool:
        """
        Whether the plugin takes batches of *signal*; not known before it is started.
        """
        return self._plugin is None or signal in self._plugin.signals

    async def call(self, submit: Callable[[P], "Future[T]"]) -> T:
        """
        Wait for what *submit* asks of the plugin; raises BatchError as the plugin says.
        """
        return await self.answer(lambda plugin: _in_loop(submit(plugin)))

    async def answer(self, ask: Callable[[P], "asyncio.Future[T]"]) -> T:
        """
        What `call` does, for what answers in the event loop.
        """
        plugin = self._plugin
        if plugin is None:
            raise RetryableError(f"plugin '{self.name}' is not running")
        answer = ask(plugin)
        # What asyncio.timeout does, in a third of its time.
        late = asyncio.get_running_loop().call_later(
            self.patience_s, _give_up, answer, self.name, self.patience_s
        )
        try:
            return await answer
        finally:
            late.cancel()

    async def stop(self, deadline: float) -> None:
        """
        Have the plugin flush what it holds back, and end it; twice is safe.

        The plugin's own deadlines bound what goes on after *deadline* (the loop's time).
        """
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        # From here on nobody may give it anything: what it held back then would be lost.
        plugin, self._plugin = self._plugin, None
        if self._finishing:
            await asyncio.wait(self._finishing)
        if plugin is not None:
            await self._finish(plugin, deadline)

    async def _finish(self, plugin: P, deadline: float) -> None:
        latest = max(deadline, asyncio.get_running_loop().time()) + self.calls_s
        try:
            async with asyncio.timeout_at(latest):
                await asyncio.wrap_future(plugin.submit_stop())
        except (BatchError, TimeoutError) as error:
            _log.error(
                "plugin did not stop well; what it held back may be lost",
                plugin=self.name,
                error=str(error) or "no answer in time",
            )
        finally:
            await self._close(plugin)

    async def _close(self, plugin: P) -> None:
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await asyncio.to_thread(plugin.close)
        except TimeoutError:
            _log.error("plugin's instances did not end in time", plugin=self.name)

    def _check(self, plugin: P, source: Path) -> None:
        """
        Refuse a plugin that does not do what it is configured for.
        """
        if plugin.world != self._world:
            raise ComponentError(
                f"plugin '{self.name}': {source} is made for the world '{plugin.world}'; "
                f"expected '{self._world}'"
            )
        for call, key in self._calls.items():
            if call not in plugin.calls:
                raise ComponentError(
                    f"plugin '{self.name}': {source} has no `{call}`, which {key} asks for"
                )
        name = f"plugin '{self.name}'"
        if names := _named(self._needed - plugin.signals):
            text = f"does not handle {names}, but pipelines of {names} list it; take it from their"
            raise PluginStartError(f"{name} {text} exporters")
        passing = _named(self._offered - plugin.signals)
        if passing and not self._offered & plugin.signals:
            handled = _named(plugin.signals) or "nothing"
            raise PluginStartError(f"{name} handles {handled}, but pipelines of {passing} list it")
        if passing:
            text = "a plugin does not handle all that its pipelines carry; the rest passes it by"
            _log.warning(text, plugin=self.name, passing=passing)
        for call in _KEYS.keys() & plugin.calls - self._calls.keys():
            if call == "tick" or self._world == "receiver":
                text = f"nothing calls the plugin's `{call}`, as there is no {_KEYS[call]}"
                _log.info(text, plugin=self.name)

    async def _tick(self, interval: Duration) -> None:
        while True:
            await asyncio.sleep(interval)
            if (plugin := self._plugin) is None:
                return
            try:
                async with asyncio.timeout(self.patience_s):
                    await asyncio.wrap_future(plugin.submit_tick())
            except (BatchError, TimeoutError) as error:
                _log.warning(
                    "plugin's tick failed",
                    plugin=self.name,
                    error=str(error) or f"no answer within {self.patience_s:g}s",
                )
            except Exception:
                # A defect of ours: without a next tick nobody would notice it.
                _log.exception("plugin could not be ticked", plugin=self.name)

    def _log(self, level: str, message: str, attributes: Attributes) -> None:
        fields: dict[str, Any] = {f"guest.{key}": value for key, value in attributes}
        _LOG_METHODS.get(level, _log.info)(message, plugin=self.name, **fields)

    def _meter(self, kind: str, name: str, value: float, attributes: Attributes) -> None:
        self._telemetry.record(self.name, kind, name, value, attributes)


def _in_loop(future: "Future[T]") -> "asyncio.Future[T]":
    """
    What asyncio.wrap_future does, in a third of its time.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    future.add_done_callback(functools.partial(_answered, loop, answer))
    answer.add_done_callback(lambda _: future.cancel())  # which does nothing to one that is done
    return answer


def _answered(
    loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", future: "Future[T]"
) -> None:
    """
    Take what became of a call to *loop*; on the plugin's thread.
    """
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(_pass_on, answer, future)


def _pass_on(answer: "asyncio.Future[T]", future: "Future[T]") -> None:
    if answer.done() or future.cancelled():
        return
    error = future.exception()
    if error is None:
        answer.set_result(future.result())
    else:
        answer.set_exception(error)


def _give_up(answer: "asyncio.Future[T]", name: str, patience_s: float) -> None:
    if not answer.done():
        answer.set_exception(RetryableError(f"plugin '{name}': no answer within {patience_s:g}s"))


def _named(signals: Iterable[Signal]) -> str:
    return " and ".join(signal.label for signal in sorted(signals))
