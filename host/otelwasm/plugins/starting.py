"""
Start a plugin: find out what runs it, load that, and have each instance say what it can do.
"""

import os
from pathlib import Path

from otelwasm.errors import BuildError, PluginStartError
from otelwasm.plugins._generated.types import Abilities
from otelwasm.plugins.capabilities import Capabilities
from otelwasm.plugins.component import Component
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.lane import Lane
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.sources import Sources
from otelwasm.plugins.values import Err

__all__ = ["Source", "load", "name_of", "refused", "runnable", "start"]

Source = Path | bytes | Sources


def runnable(source: str | os.PathLike[str] | bytes | Sources) -> Source:
    """
    What runs the plugin at *source*; it is built first, if that is needed. Raises BuildError.
    """
    if isinstance(source, bytes | Sources):
        return source
    path = Path(source)
    if path.suffix != ".py" and not path.is_dir():
        return path
    # Here, as a component needs nothing of it.
    from otelwasm.build import instant

    return instant.runnable(path)


def name_of(source: Source) -> str:
    """
    What to call a plugin that got no name.
    """
    if isinstance(source, bytes):
        return "plugin"
    return source.name if isinstance(source, Sources) else source.stem


def load(source: Source, *, name: str, lane: Lane) -> Component:
    """
    Load the component, or the runner of a plugin's sources.
    """
    if isinstance(source, Sources):
        return Component.load(source.runner, name=name, lane=lane, key=source.key)
    return Component.load(source, name=name, lane=lane)


def start(instance: Instance, source: Source, *, name: str, config: str) -> Abilities:
    """
    Start the guest in an instance, which is closed if that fails; raises SetupError.
    """
    try:
        if isinstance(source, Sources):
            _load_sources(instance, source)
        try:
            started = instance.lifecycle.start(config)
        except Fault as fault:
            raise PluginStartError(f"{fault} (in its start)") from fault
        if isinstance(started, Err):
            raise PluginStartError(f"plugin '{name}' did not start: {started.error}")
    except BaseException:
        instance.close()
        raise
    return started.value


def refused(sources: Sources) -> str | None:
    """
    What a runner's Python answers if it cannot be the plugin that *sources* are; nothing of the
    plugin is started. Raises ComponentError, or Fault where importing them does not end well.
    """
    # Here, as a plugin that starts needs nothing of it.
    from concurrent.futures import ThreadPoolExecutor

    limits, host = Limits(), Capabilities(sources.name, emit=None, log=None, meter=None)

    def ask() -> str | None:
        component = load(sources, name=sources.name, lane="auto")
        with Instance(
            component,
            host,
            memory_bytes=limits.memory_bytes,
            deadline_s=limits.deadline_s,
            output=lambda stream, written: None,
        ) as instance:
            return instance.load(sources)

    # Not on the main thread, where nothing could interrupt it.
    with ThreadPoolExecutor(1, thread_name_prefix=sources.name) as thread:
        return thread.submit(ask).result()


def _load_sources(instance: Instance, sources: Sources) -> None:
    try:
        answer = instance.load(sources)
    except Fault as fault:
        raise PluginStartError(
            f"{fault} (while its source was imported; what `otelwasm build` makes of it imports"
            " nothing when it starts)"
        ) from fault
    if answer is not None:
        raise BuildError(sources.refusal(answer))
