"""
Make a plugin of what a configuration says: a component, or sources that are run or built.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog

from otelwasm.pipeline.plugin import Attributes, LoadPlugin, PluginConfig
from otelwasm.signals import Signal

if TYPE_CHECKING:
    from otelwasm.plugins.plugin import Plugin

__all__ = ["load_plugin", "loader"]

_log = structlog.get_logger(__name__)


def loader(component: str, state_directory: Path | None) -> "LoadPlugin[Plugin]":
    """
    What loads the plugin of *component* (`processor/wasm/redact`), with a file for its state.

    Without a directory the state is kept in memory: to try a plugin beside a pipeline that runs.
    """
    file = f"{quote(component.replace('/', '.'), safe='')}.sqlite"
    path = None if state_directory is None else state_directory / file
    return partial(load_plugin, state_path=path)


def load_plugin(
    name: str,
    config: PluginConfig,
    *,
    emit: Callable[[Signal, bytes], None] | None,
    log: Callable[[str, str, Attributes], None],
    meter: Callable[[str, str, float, Attributes], None],
    state_path: Path | None,
) -> "Plugin":
    """
    Build if necessary (builds are cached), load and start a plugin.
    """
    # Only here is Wasm needed at all; a configuration can be read without.
    from otelwasm.build.instant import runnable
    from otelwasm.plugins.capabilities.http import PluginHttp
    from otelwasm.plugins.capabilities.state import PluginState
    from otelwasm.plugins.limits import Limits
    from otelwasm.plugins.plugin import Plugin

    granted, limits = config.capabilities, config.limits
    source = runnable(
        config.plugin, report=lambda line: _log.info("building", plugin=name, step=line)
    )
    return Plugin(
        source,
        config=config.config,
        name=name,
        instances=config.instances,
        limits=Limits(limits.memory, limits.deadline, log_lines_per_second=limits.log_lines),
        lane=config.lane,
        emit=emit,
        log=log,
        meter=meter,
        http=None if granted.http is None else PluginHttp(granted.http, plugin=name),
        state=None
        if granted.state is None
        else PluginState(state_path, plugin=name, quota_bytes=granted.state.quota),
    )
