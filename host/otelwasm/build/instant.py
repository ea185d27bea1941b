"""
Run a Python plugin without a build: a runner, built once, is told the plugin's files at each start.

    redact.py ──────────────────────────────────────┐
    its requirements ──► a runner for these, cached ─┴──► plugins/sources.py

`otelwasm build` makes a component of the same files that needs no runner, and imports nothing when
it starts.
"""

from collections.abc import Callable
from pathlib import Path

from otelwasm.build import build, language_of
from otelwasm.build.python import runner, sources_of
from otelwasm.build.source import read_source
from otelwasm.plugins.sources import Sources

__all__ = ["runnable"]

Report = Callable[[str], None]


def runnable(source: Path, *, report: Report = lambda line: None) -> Path | Sources:
    """
    What runs the plugin at *source*: its files if it is in Python; else a component, which is
    built first where *source* is no component already. Raises BuildError.
    """
    if source.suffix != ".py" and not source.is_dir():
        return source
    if language_of(source) != "python":
        return build(source, report=report)
    plugin = read_source(source)
    component, key = runner(plugin, report=report)
    return sources_of(plugin, component, key=key)
