"""
Make a plugin of what a configuration says: a component, or sources that are run or built.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import structlog

from otelwasm.config.plugin import PluginConfig
from otelwasm.pipeline.plugin import Attributes, LoadPlugin
from otelwasm.pipeline.states import States
from otelwasm.signals import Signal

if TYPE_CHECKING:
    from otelwasm.plugins.plugin import Plugin

__all__ = ["loader"]

_log = structlog.get_logger(__name__)


def loader(component: str, states: States) -> "LoadPlugin[Plugin]":
    """
    What loads the plugin of *component* (`processor/wasm/redact`), with its state.
    """
    return partial(_load, component=component, states=states)


def _load(
    name: str,
    config: PluginConfig,
    *,
    emit: Callable[[Signal, bytes], None] | None,
    log: Callable[[str, str, Attributes], None],
    meter: Callable[[str, str, float, Attributes], None],
    component: str,
    states: States,
) -> "Plugin":
    """
    Build if necessary (builds are cached), load and start a plugin.
    """
    # Only here is Wasm needed at all; a configuration can be read without.
    from otelwasm.build.instant import runnable
    from otelwasm.plugins.capabilities.http import PluginHttp
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
        else states.lend(component, plugin=name, quota_bytes=granted.state.quota),
    )
