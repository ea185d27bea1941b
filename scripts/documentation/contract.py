"""
Make the contract's reference out of its WIT.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from otelwasm.wit import Interface, Package, Packages, World, parse
from otelwasm.wit.text import Speller
from otelwasm.wit.types import Alias, Enum, Flags, NamedType, Record, Variant

__all__ = ["page"]

WIT = Path(__file__).resolve().parents[2] / "wit"
_CORE = ("processor", "exporter", "receiver")


def page() -> str:
    """
    The page: worlds first, then each interface with its types and functions.
    """
    packages = parse(WIT)
    return "\n".join(_lines(packages, packages.main))


def _lines(packages: Packages, main: Package) -> Iterator[str]:
    yield "# The contract"
    yield ""
    yield (
        "This page is for authors of plugins, SDKs and hosts: every function that a plugin and its"
        f" host call on each other, as package `{main.name}`. It is made from"
        " [`plugin.wit`](../../../wit/plugin.wit) and [`direct.wit`](../../../wit/direct.wit) when"
        " the site is built; what changed between versions is in"
        " [`wit/CHANGES.md`](../../../wit/CHANGES.md)."
    )
    yield ""
    yield _text(main.docs)
    yield ""
    yield "## Worlds"
    for world in sorted(main.worlds, key=lambda world: world.name not in _CORE):
        yield from _world(world)
    for interface in main.interfaces:
        yield from _interface(interface)


def _world(world: World) -> Iterator[str]:
    yield from _heading(3, f"world {world.name}", f"world-{world.name}")
    yield _text(world.docs)
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    for word, externs in ("imports", world.imports), ("exports", world.exports):
        names = [_short(extern.name) for extern in externs]
        yield f"| {word} | {', '.join(f'[`{name}`](#{name})' for name in names)} |"
    yield ""


def _interface(interface: Interface) -> Iterator[str]:
    yield from _heading(2, interface.name, interface.name)
    yield _text(interface.docs)
    yield ""
    for use in interface.uses:
        yield f"Uses [`{use.name}`](#{_short(use.type.owner)}.{use.type.name})."
        yield ""
    for type_ in interface.types:
        yield from _type(interface, type_)
    for function in interface.functions:
        yield from _heading(3, function.name, f"{interface.name}.{function.name}")
        yield from _code([Speller().function(function)])
        yield _text(function.docs)
        yield ""


def _type(interface: Interface, type_: NamedType) -> Iterator[str]:
    word = type(type_).__name__.lower() if not isinstance(type_, Alias) else "type"
    yield from _heading(3, f"{word} {type_.name}", f"{interface.name}.{type_.name}")
    yield from _code(Speller().definition(type_))
    yield _text(type_.docs)
    yield ""
    parts = _parts(type_)
    if any(docs for _, docs in parts):
        yield "| | |"
        yield "| --- | --- |"
        for name, docs in parts:
            yield f"| `{name}` | {_text(docs).replace(chr(10), ' ').replace('|', chr(92) + '|')} |"
        yield ""


def _parts(type_: NamedType) -> list[tuple[str, str]]:
    match type_:
        case Record(fields=fields):
            return [(field.name, field.docs) for field in fields]
        case Variant(cases=cases) | Enum(cases=cases):
            return [(case.name, case.docs) for case in cases]
        case Flags(flags=flags):
            return [(flag.name, flag.docs) for flag in flags]
        case _:
            return []


def _heading(level: int, text: str, anchor: str) -> Iterator[str]:
    yield ""
    yield f"{'#' * level} `{text}` {{ #{anchor} }}"
    yield ""


def _code(lines: list[str]) -> Iterator[str]:
    yield "```wit"
    yield from lines
    yield "```"
    yield ""


def _short(name: str) -> str:
    """
    `types`, of `otelwasm:plugin/types@0.1.0`.
    """
    return name.rpartition("/")[2].partition("@")[0]


def _text(docs: str) -> str:
    """
    A doc comment as Markdown: what is indented or lined up in it stays as it is.
    """
    return re.sub(r"[<>]", lambda found: {"<": "&lt;", ">": "&gt;"}[found[0]], docs)
