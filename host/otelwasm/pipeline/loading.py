"""
Make a plugin of what a configuration says: a component, or the Python file it is built from.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from otelwasm.pipeline.plugin import Attributes, PluginConfig
from otelwasm.signals import Signal

if TYPE_CHECKING:
    from otelwasm.plugins.plugin import Plugin

__all__ = ["load_plugin"]

_log = structlog.get_logger(__name__)


def load_plugin(
    name: str,
    config: PluginConfig,
    *,
    emit: Callable[[Signal, bytes], None] | None,
    log: Callable[[str, str, Attributes], None],
    meter: Callable[[str, str, float, Attributes], None],
) -> "Plugin":
    """
    Build (once; builds are cached), load and start a plugin.
    """
    # Only here is Wasm needed at all; a configuration can be read without.
    from otelwasm.plugins.limits import Limits
    from otelwasm.plugins.plugin import Plugin

    return Plugin(
        _component(name, config.plugin),
        config=config.config,
        name=name,
        instances=config.instances,
        limits=Limits(memory_bytes=config.limits.memory, deadline_s=config.limits.deadline),
        lane=config.lane,
        emit=emit,
        log=log,
        meter=meter,
    )


def _component(name: str, path: Path) -> Path:
    if path.suffix != ".py" and not path.is_dir():
        return path
    from otelwasm.build.python import build

    return build(path, report=lambda line: _log.info("building", plugin=name, step=line))
