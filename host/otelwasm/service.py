"""
Run the pipelines of one configuration, inside any program that has an asyncio loop.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Collection, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import structlog

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.config.settings import Config
from otelwasm.errors import ConfigError
from otelwasm.health import Health
from otelwasm.pipeline.graph import Graph
from otelwasm.pipeline.plugin import HostedPlugin
from otelwasm.pipeline.replay import Replayed, replay
from otelwasm.registry import Registry
from otelwasm.telemetry import MetricsServer, Telemetry
from otelwasm.watching import Watch

__all__ = ["Pipeline", "run_until_signalled"]

_log = structlog.get_logger(__name__)


class Pipeline:
    """
    Everything that one configuration describes: receivers, processors, exporters.

        async with Pipeline.from_yaml("pipeline.yaml") as pipeline:
            await pipeline.finished()

    Leaving the block stops it in a batch's order; nothing that was accepted is lost. A
    configuration may also be a mapping of the same shape as the YAML; relative paths in it are
    taken from *folder*.
    """

    def __init__(
        self,
        config: Mapping[str, object],
        *,
        folder: Path | None = None,
        registry: Registry | None = None,
    ) -> None:
        if isinstance(config, str | os.PathLike):
            raise ConfigError(f"{config!s}: a file is read by Pipeline.from_yaml(…)")
        self._prepare(Document(config, (folder or Path()).absolute()), registry)

    @classmethod
    def from_yaml(
        cls, path: str | os.PathLike[str], *, registry: Registry | None = None
    ) -> "Pipeline":
        """
        Read and check a YAML file; raises ConfigError with file and line of every mistake.
        """
        pipeline = cls.__new__(cls)
        pipeline._prepare(Document.read(Path(path)), registry)
        return pipeline

    def _prepare(self, document: Document, registry: Registry | None) -> None:
        self.registry = registry or Registry.built_in()
        self.config: Config = load(document, self.registry)
        self.telemetry = Telemetry()
        self._health: Health | None = None
        self._metrics: MetricsServer | None = None
        self._graph: Graph | None = None
        self._stack = AsyncExitStack()
        self._is_asked_to_stop = asyncio.Event()
        self._changing = asyncio.Lock()
        self._retiring: dict[asyncio.Task[None], Graph] = {}

    async def __aenter__(self) -> Self:
        began = monotonic()
        self._warn()
        graph = Graph(self.config, self.registry, telemetry=self.telemetry)
        async with AsyncExitStack() as undo:
            if address := self.config.service.health.address:
                self._health = Health(address)
                undo.push_async_callback(self._health.close)
                await self._health.start()
            if address := self.config.service.telemetry.metrics.address:
                self._metrics = self.telemetry.serve(address)
                undo.push_async_callback(asyncio.to_thread, self._metrics.close)
            await graph.start()
            undo.push_async_callback(self._stop)
            self._stack = undo.pop_all()
        self._graph = graph
        if self._health is not None:
            self._health.status = "running"
        _log.info(
            "running",
            pipelines=" ".join(pipeline.id for pipeline in self.config.pipelines),
            start_s=round(monotonic() - began, 3),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """
        Stop everything in order; twice is safe.
        """
        if self._graph is None:
            return
        began = monotonic()
        if self._health is not None:
            self._health.status = "stopping"
        _log.info("stopping", timeout=str(self.config.service.shutdown_timeout))
        await self._stack.aclose()
        self._graph = None
        _log.info("stopped", stop_s=round(monotonic() - began, 3), **self.telemetry.summary())

    async def replace(self, config: Config) -> None:
        """
        Run what *config* says from now on; receivers go on all the time, and nothing that was
        accepted is lost. Raises SetupError, and nothing has changed then.
        """
        async with self._changing:
            before = self._running()
            graph = Graph(config, self.registry, telemetry=self.telemetry, before=before)
            retiring = asyncio.create_task(await graph.take_over(), name="retiring")
            self._graph, self.config = graph, config
            self._retiring[retiring] = before
            retiring.add_done_callback(self._retiring.pop)
            # Whoever waits here may be cancelled, as by a stop, which waits for it then.
            await asyncio.shield(retiring)

    async def check(self) -> None:
        """
        Do all that starting would do short of opening sockets and files: load the plugins, too,
        and compile what is not in the cache.
        """
        self._warn()
        graph = Graph(self.config, self.registry, telemetry=self.telemetry, keeps_state=False)
        try:
            await graph.load()
            if any(receiver.kind == "otlp" for receiver in self.config.receivers.values()):
                from otelwasm.otlp.checking import PayloadCheck

                await asyncio.to_thread(PayloadCheck().load)
        finally:
            await graph.stop()

    async def replay(self, *, only: Collection[str] = (), to: str | None = None) -> list[Replayed]:
        """
        Do not run, but send on what is in the quarantine: all, or *only* what certain components
        left there; *to* an exporter, or to what lies behind each. Raises SetupError.

        A batch that is delivered is deleted, any other stays as it is. Another process may run the
        same configuration meanwhile.
        """
        return await replay(self.config, self.registry, telemetry=self.telemetry, only=only, to=to)

    def part_with_all(self, reason: str) -> None:
        """
        Quarantine all that was accepted and is not delivered, at once, for a program that ends
        without stopping this; what plugins hold back is lost.
        """
        for graph in (self._graph, *self._retiring.values()):
            if graph is not None:
                graph.part_with_all(reason)

    def request_stop(self) -> None:
        """
        Make `finished` return.
        """
        self._is_asked_to_stop.set()

    async def finished(self) -> None:
        """
        Return once somebody asked for a stop; cancelling it is a way to ask, too.
        """
        await self._is_asked_to_stop.wait()

    @property
    def is_running(self) -> bool:
        """
        Whether it has started, and not stopped.
        """
        return self._graph is not None

    @property
    def metrics_port(self) -> int | None:
        """
        The port that Prometheus finds the metrics on, if they are served.
        """
        return self._metrics.port if self._metrics is not None else None

    @property
    def health_port(self) -> int | None:
        """
        The port that answers whether it runs, if one does.
        """
        return self._health.port if self._health is not None else None

    def receiver(self, name: str) -> Any:
        """
        The running receiver of that id: to ask for its port, say.
        """
        return self._running().receivers[name]

    def exporter(self, name: str) -> Any:
        """
        The running exporter of that id.
        """
        return self._running().exporters[name]

    def plugins(self) -> list[HostedPlugin[Any]]:
        """
        The running Wasm plugins.
        """
        return self._running().plugins()

    async def _stop(self) -> None:
        async with self._changing:
            # Side by side, as there is not more time for both.
            stops = (self._running().stop(), *self._retiring)
            for error in await asyncio.gather(*stops, return_exceptions=True):
                if error is not None:
                    raise error

    def _running(self) -> Graph:
        if self._graph is None:
            raise ValueError("the pipeline is not running")
        return self._graph

    def _warn(self) -> None:
        for warning in self.config.warnings:
            _log.warning(warning)


async def run_until_signalled(
    pipeline: Pipeline, *, path: Path | None = None, is_watching: bool = False
) -> None:
    """
    Run *pipeline* until SIGINT or SIGTERM; a second one ends the program at once, and quarantines
    what is queued.

    What has changed of its plugins, and of its file at *path*, is put in place on SIGHUP, or at
    once if it *is_watching*. At a terminal SIGHUP says that it was closed, and stops.
    """
    loop = asyncio.get_running_loop()
    is_asked = asyncio.Event()
    watch = Watch(pipeline, path) if is_watching else None
    looking = watch.run() if watch is not None else _look_when(is_asked, pipeline, path)
    running = asyncio.create_task(_run(pipeline, looking), name="pipeline")

    early: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        if running.cancelling():
            try:
                pipeline.part_with_all("not delivered, as a second signal ended the program")
                _log.error(
                    "stopped at once; what plugins held back is lost",
                    signal=number.name,
                    **pipeline.telemetry.summary(),
                )
            finally:
                os._exit(128 + number)
        if not pipeline.is_running:
            early.append(number)
        running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    if sys.stderr.isatty():
        loop.add_signal_handler(signal.SIGHUP, on_signal, signal.SIGHUP)
    else:
        loop.add_signal_handler(signal.SIGHUP, is_asked.set)
    try:
        await asyncio.wait([running])
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
    if not running.cancelled():
        running.result()
    elif early:
        # Nothing was accepted; a thread may compile for half a minute still, and be waited for.
        _log.info("stopped before it was running", signal=early[0].name)
        os._exit(0)


async def _run(pipeline: Pipeline, looking: Coroutine[Any, Any, None]) -> None:
    try:
        async with pipeline:
            task = asyncio.create_task(looking, name="watch")
            try:
                await pipeline.finished()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    finally:
        looking.close()  # which may not have begun


async def _look_when(is_asked: asyncio.Event, pipeline: Pipeline, path: Path | None) -> None:
    """
    Put in place what has changed, each time that it *is_asked*.
    """
    # Beside what runs already, as the plugins' files are read for it.
    watch = await asyncio.to_thread(Watch, pipeline, path)
    while True:
        await is_asked.wait()
        is_asked.clear()
        _log.info("looking for changes")
        await watch.look()
