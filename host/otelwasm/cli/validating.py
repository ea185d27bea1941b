"""
Print what `otelwasm validate` found: for people, or as JSON.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from otelwasm.validation import Validation, validate
from otelwasm.wit.ids import parse_id
from otelwasm.words import with_article

__all__ = ["granted_note", "validate_component", "wasi_text"]


def validate_component(
    component: Path, *, wit: Path | None, world: str | None, has_wasi: bool, as_json: bool
) -> bool:
    """
    Print whether *component* fits; return that.
    """
    found = validate(component, wit=wit, world=world, has_wasi=has_wasi)
    if as_json:
        click.echo(json.dumps({"component": str(component), **found.as_json()}, indent=2))
        return found.fits
    click.echo("\n".join(_lines(component, found)))
    return found.fits


def _lines(component: Path, found: Validation) -> Iterator[str]:
    world = found.report.world
    if world is None:
        count = len(found.report.problems)
        yield f"{component}: does not fit, {count} problem{'' if count == 1 else 's'}"
        for problem in found.report.problems:
            yield from str(problem).split("\n")
        if any(problem.diff for problem in found.report.problems):
            yield "(- what the world says, + what the component has)"
    else:
        kind = f", as {with_article(found.kind)}" if found.kind else ""
        yield f"{component}: fits {world.id}{kind}"
    for name in found.report.extras:
        yield f"  also exports {name}, which nobody calls"
    if found.capabilities:
        yield f"  may ask for {', '.join(found.capabilities)}{granted_note(found)}"
    if found.wasi:
        yield f"  imports WASI {wasi_text(found.wasi)}"


def granted_note(found: Validation) -> str:
    """
    Which capabilities a configuration has to grant, in brackets; empty if none.
    """
    granted = " and ".join(found.granted)
    return f" ({granted} only if the configuration grants it)" if granted else ""


def wasi_text(wasi: tuple[str, ...]) -> str:
    """
    The packages among WASI's interfaces, each with its version: `cli 0.2.9, io 0.2.9`.
    """
    packages = dict.fromkeys(
        f"{parsed[0].name} {parsed[0].version}" for name in wasi if (parsed := parse_id(name))
    )
    return ", ".join(sorted(packages))
