"""
Print what `otelwasm inspect` found: for people, or as JSON.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from otelwasm.cli.validating import granted_note, wasi_text
from otelwasm.inspection import Inspection, functions_of, inspect
from otelwasm.wit.binary import Port
from otelwasm.wit.writer import surface_text
from otelwasm.words import with_article

__all__ = ["inspect_component"]

_MOST = 6


def inspect_component(component: Path, *, as_wit: bool, as_json: bool) -> None:
    """
    Print what *component* is.
    """
    found = inspect(component)
    if as_wit:
        click.echo(surface_text(found.validation.report.surface), nl=False)
        return
    if as_json:
        click.echo(json.dumps({"component": str(component), **found.as_json()}, indent=2))
        return
    click.echo(str(component))
    for title, lines in _rows(found):
        for place, line in enumerate(lines):
            click.echo(f"  {'' if place else title:<14}{line}")


def _rows(found: Inspection) -> Iterator[tuple[str, list[str]]]:
    report = found.validation.report
    yield "world", [_world(found)]
    yield "language", [found.language or "unknown: the component does not say"]
    yield "tools", [", ".join(found.tools) or "unknown: the component does not say"]
    yield "exports", _ports(report.surface.exports)
    yield "imports", _ports(p for p in report.surface.imports if not p.name.startswith("wasi:"))
    yield "WASI", [wasi_text(found.validation.wasi) or "nothing"]
    capabilities = ", ".join(found.validation.capabilities) or "none"
    yield "capabilities", [f"{capabilities}{granted_note(found.validation)}"]
    yield "memory", [_memory(found)]
    yield "size", [_size(found.size_bytes)]
    sections = {**found.anatomy.sections(), "component": found.anatomy.own_bytes}
    yield "  by section", [_sizes(sections.items())]
    named = [(each.name, each.size_bytes) for each in found.anatomy.modules if each.name]
    if named:
        yield "  by module", [_sizes(named)]
    yield "sha256", [found.sha256]


def _world(found: Inspection) -> str:
    report = found.validation.report
    if report.world is None:
        return f"none that this host takes: {report.problems[0].text}"
    return f"{report.world.id}, {with_article(found.validation.kind or report.world.name)}"


def _ports(ports: Iterable[Port]) -> list[str]:
    lines = []
    for port in ports:
        functions = functions_of(port)
        shown = ", ".join(functions[:_MOST])
        more = f" and {len(functions) - _MOST} more" if len(functions) > _MOST else ""
        lines.append(f"{port.name}{': ' if shown else ''}{shown}{more}")
    return lines or ["nothing"]


def _memory(found: Inspection) -> str:
    each = []
    for memory in found.memories:
        limit = memory.maximum_bytes
        most = "no limit of its own" if limit is None else f"at most {_binary_size(limit)}"
        each.append(f"{_binary_size(memory.minimum_bytes)} at the start, {most}")
    return "; ".join(each) or "none"


def _sizes(sizes: Iterable[tuple[str, int]]) -> str:
    largest = sorted(sizes, key=lambda item: -item[1])
    rest = sum(size for _, size in largest[_MOST:])
    shown = [f"{name} {_size(size)}" for name, size in largest[:_MOST]]
    return ", ".join([*shown, *([f"others {_size(rest)}"] if rest else [])])


def _size(size_bytes: int) -> str:
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"


def _binary_size(size_bytes: int) -> str:
    if size_bytes >= 1 << 20:
        return f"{size_bytes / (1 << 20):.1f} MiB".replace(".0 ", " ")
    return f"{size_bytes // (1 << 10)} KiB"
