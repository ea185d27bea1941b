"""
Put changed plugins, and a changed configuration, into a pipeline that runs.

    plugin's files ──► a new version of the plugin starts ──► takes its batches from now on
    configuration ──► of a plugin alone: the same
                 └──► anything else: new processors and exporters start, receivers go on with them
                                          │
                                          └─ it does not start: the old one goes on, and the log
                                             says why

What runs finishes what it was given, and emits what it held back. A receiver's own settings, other
than its plugin's, and `service` (but its pipelines) are those of the start; changing them is
refused.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import structlog

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.config.plugin import PluginConfig
from otelwasm.config.settings import ComponentConfig, Config, ExporterConfig
from otelwasm.errors import SetupError
from otelwasm.pipeline.changes import Changes
from otelwasm.pipeline.plugin import HostedPlugin

if TYPE_CHECKING:
    from otelwasm.service import Pipeline

__all__ = ["Watch"]

_log = structlog.get_logger(__name__)

# How long a change may go unnoticed, in seconds.
_INTERVAL_S = 0.025
# What of a plugin's settings a new version of it can have beside the old.
_OWN = ("plugin", "config", "lane", "capabilities")
_OWN_LIMITS = ("memory", "deadline", "log_lines")


class Watch:
    """
    Looks at a pipeline's file, at *path* if it has one, and at its plugins' sources; what changes
    after this is made is put in place while `run` runs, or by `look`.
    """

    def __init__(self, pipeline: "Pipeline", path: Path | None) -> None:
        self._pipeline = pipeline
        self._path = path
        self._file = None if path is None else Changes(path)
        self._sources: dict[Path, Changes] = {}
        self._note_sources(pipeline.config)

    async def run(self) -> None:
        """
        Look again and again, until cancelled.
        """
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await self.look()

    async def look(self) -> None:
        """
        Put in place what has changed by now.
        """
        try:
            changed, is_other = await asyncio.to_thread(self._changes)
            if is_other:
                await self._configure()
            await self._reload(
                (hosted, hosted.config)
                for hosted in self._pipeline.plugins()
                if hosted.config.plugin in changed
            )
        except Exception:
            # A defect of ours: without a next look nobody would notice it.
            _log.exception("a change could not be put in place")

    def _changes(self) -> tuple[set[Path], bool]:
        changed = {path for path, changes in self._sources.items() if changes.found()}
        return changed, self._file is not None and self._file.found()

    async def _configure(self) -> None:
        try:
            await self._use_changed()
        except SetupError as error:
            _log.error(f"the changed configuration is not used: {error}")

    async def _use_changed(self) -> None:
        assert self._path is not None
        pipeline = self._pipeline
        document = await asyncio.to_thread(Document.read, self._path)
        config = load(document, pipeline.registry)
        self._note_sources(config)
        kept = _with_plugins_of(pipeline.config, config)
        if not _is_same(kept, pipeline.config):
            _refuse_for_good(pipeline.config, kept)
            await pipeline.replace(config)
            _log.info("running with the changed configuration")
        wanted = _plugins_in(config)
        await self._reload(
            (hosted, settings)
            for hosted in pipeline.plugins()
            if (settings := wanted.get(hosted.component)) not in (None, hosted.config)
        )
        pipeline.config = config

    async def _reload(self, due: Iterable[tuple[HostedPlugin[Any], PluginConfig | None]]) -> None:
        await asyncio.gather(
            *(_put_in_place(hosted, settings) for hosted, settings in due if settings is not None)
        )

    def _note_sources(self, config: Config) -> None:
        for settings in _plugins_in(config).values():
            if settings.plugin not in self._sources:
                self._sources[settings.plugin] = Changes(settings.plugin)


async def _put_in_place(hosted: HostedPlugin[Any], settings: PluginConfig) -> None:
    try:
        await hosted.reload(settings)
    except SetupError as error:
        # In the text, as it may be a traceback of several lines.
        _log.error(
            f"the changed plugin is not used; the one before goes on: {error}", plugin=hosted.name
        )
    else:
        _log.info("the changed plugin took over", plugin=hosted.name)


def _plugins_in(config: Config) -> dict[str, PluginConfig]:
    """
    The settings of plugins by what telemetry calls them.
    """
    return {
        f"{kind}/{name}": each.settings
        for kind, section in _sections(config)
        for name, each in section.items()
        if isinstance(each.settings, PluginConfig)
    }


def _sections(config: Config) -> list[tuple[str, dict[str, ComponentConfig | ExporterConfig]]]:
    return [
        ("receiver", dict(config.receivers)),
        ("processor", dict(config.processors)),
        ("exporter", dict(config.exporters)),
    ]


def _with_plugins_of(before: Config, after: Config) -> Config:
    """
    What *after* says, but of plugins what a new version of them can have from *before*.
    """
    plugins = _plugins_in(before)

    def kept(kind: str, section: Any) -> Any:
        return {
            name: attrs.evolve(each, settings=_own_of(plugins[f"{kind}/{name}"], each.settings))
            if f"{kind}/{name}" in plugins and isinstance(each.settings, PluginConfig)
            else each
            for name, each in section.items()
        }

    return attrs.evolve(
        after,
        receivers=kept("receiver", after.receivers),
        processors=kept("processor", after.processors),
        exporters=kept("exporter", after.exporters),
    )


def _own_of(before: PluginConfig, after: PluginConfig) -> PluginConfig:
    if type(before) is not type(after):
        return after
    limits = {name: getattr(before.limits, name) for name in _OWN_LIMITS}
    own = {name: getattr(before, name) for name in _OWN}
    return attrs.evolve(after, **own, limits=attrs.evolve(after.limits, **limits))


def _is_same(one: Config, other: Config) -> bool:
    return _essence(one) == _essence(other)


def _essence(config: Config) -> object:
    """
    A configuration less where its lines are.
    """
    sections = [
        {name: attrs.evolve(each, where="") for name, each in section.items()}
        for _, section in _sections(config)
    ]
    return sections, config.pipelines, config.service


def _refuse_for_good(before: Config, after: Config) -> None:
    """
    Raise SetupError for what only a restart can change.
    """
    for name, each in after.receivers.items():
        running = before.receivers.get(name)
        if running is not None and (running.kind, running.settings) != (each.kind, each.settings):
            raise SetupError(f"{each.where}: a receiver that runs is not changed; restart for that")
    if attrs.evolve(before.service, pipelines={}) != attrs.evolve(after.service, pipelines={}):
        raise SetupError("service: only pipelines can be changed while it runs; restart for that")
