"""
Measure a plugin and print a table of it, or JSON.
"""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs
from rich import box
from rich.console import Console
from rich.table import Table

from otelwasm.bench import Bench, Figures, Row, measure, of_case, read_load
from otelwasm.bench.machine import processor_name
from otelwasm.build.instant import runnable
from otelwasm.config.document import Document
from otelwasm.errors import CaseError, ConfigError, PluginStartError
from otelwasm.logs import configure_logging
from otelwasm.plugins.lane import Lane
from otelwasm.testing.cases import read_case
from otelwasm.words import with_article

__all__ = ["bench_plugin"]

_LINES: Mapping[str, Callable[[Row], str]] = {
    "calls/s": lambda row: f"{row.plugin.calls_per_s:,.0f}",
    "items/s": lambda row: f"{row.items_per_s:,.0f}",
    "MB/s": lambda row: f"{row.megabytes_per_s:,.1f}",
    "p50": lambda row: _time(row.plugin.p50_s),
    "p90": lambda row: _time(row.plugin.p90_s),
    "p99": lambda row: _time(row.plugin.p99_s),
    "max": lambda row: _time(row.plugin.max_s),
    "p50 of a nop": lambda row: _time(row.nop.p50_s),
    "beside the nop": lambda row: f"{row.ratio:.1f}x",
}


def bench_plugin(
    plugin: Path,
    *,
    config: Path | None,
    inputs: Sequence[Path],
    case: Path | None,
    seconds: float,
    lane: Lane,
    as_json: bool,
) -> None:
    """
    Measure *plugin* with its configuration and batches, or those of a *case*, and print figures.
    """
    if not plugin.exists():
        raise CaseError(f"{plugin}: there is no such file or folder")
    if case is not None and inputs:
        raise CaseError("give --input or --case: a case has its own batches")
    given = None if case is None else read_case(case)
    loads = [read_load(path) for path in inputs] if given is None else of_case(given)
    settings = _config(config) if config is not None else given.config if given else {}
    console = Console(stderr=True, highlight=False)
    # What becomes of the plugin is told at the end.
    configure_logging("error")
    load_before = os.getloadavg()[0]
    with console.status(f"preparing {plugin}") as status:
        ready = runnable(plugin, report=status.update)
        status.update(f"measuring {plugin}")
        try:
            found = measure(
                ready,
                config=settings,
                loads=loads,
                answers=given.answers if given else None,
                seconds=seconds,
                lane=lane,
            )
        except PluginStartError as error:
            if config is not None or given is not None:
                raise
            raise PluginStartError(
                f"{error}\nIts configuration comes with --config FILE, or with --case DIR"
            ) from error
    form = "a component" if isinstance(ready, Path) else "from source"
    machine = {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "wasmtime": version("wasmtime"),
        "load_before": round(load_before, 2),
    }
    if as_json:
        about = {"plugin": str(plugin), "form": form, "seconds": seconds, "machine": machine}
        print(json.dumps({**about, **_as_json(found)}, indent=2))
    else:
        _print(found, form=form, seconds=seconds, machine=machine)


def _config(path: Path) -> Mapping[str, object]:
    tree = Document.read(path).tree
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{path}: expected keys and values, as under a plugin's `config:`")
    return tree


def _print(found: Bench, *, form: str, seconds: float, machine: Mapping[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(
        f"{found.name}: {with_article(found.kind)}, {form}, {found.lane} lane; {seconds:g} s for"
        " each batch, and for a nop",
        markup=False,
        soft_wrap=True,
    )
    table = Table("", *(row.load.name for row in found.rows), box=box.SIMPLE)
    for column in table.columns[1:]:
        column.justify = "right"
    items = {row.load.item for row in found.rows}
    titles = {"items/s": f"{items.pop() if len(items) == 1 else 'item'}s/s"}
    for title, shown in _LINES.items():
        table.add_row(titles.get(title, title), *(shown(row) for row in found.rows))
    console.print(table)
    for row in found.rows:
        if row.plugin.refused:
            refused = f"{row.plugin.refused:,} of {row.plugin.calls:,}"
            console.print(f"{row.load.name}: {refused} calls were refused", markup=False)
    busy = ""
    if machine["load_before"] > (machine["cores"] or 1) / 4:
        busy = ": it was busy, so expect better figures, p99 above all, on a quiet one"
    for line in (
        f"memory of the instance: {_mebibytes(found.memory_bytes)}"
        f" (of the nop's: {_mebibytes(found.nop_memory_bytes)})",
        "One instance, one call after the other from one thread, with the way to the instance's",
        "thread and back. The nop is in Python. HTTP is answered at once, what is emitted taken.",
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, wasmtime"
        f" {machine['wasmtime']}",
        f"load before the run {machine['load_before']:.1f}{busy}",
    ):
        console.print(line, markup=False, soft_wrap=True)


def _as_json(found: Bench) -> dict[str, Any]:
    return {
        "name": found.name,
        "kind": found.kind,
        "lane": found.lane,
        "rows": [_row(row) for row in found.rows],
        "memory_bytes": found.memory_bytes,
        "nop_memory_bytes": found.nop_memory_bytes,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "load": row.load.name,
        "item": row.load.item,
        "items": row.load.items,
        "size_bytes": row.load.size_bytes,
        "items_per_s": row.items_per_s,
        "megabytes_per_s": row.megabytes_per_s,
        "ratio": row.ratio,
        "plugin": _figures(row.plugin),
        "nop": _figures(row.nop),
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {**attrs.asdict(figures), "calls_per_s": figures.calls_per_s}


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.{1 if seconds >= 1e-2 else 2}f} ms"


def _mebibytes(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MiB"
