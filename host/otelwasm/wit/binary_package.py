"""
Read a WIT package in its binary form: a component that holds nothing but types.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from otelwasm.errors import ComponentError
from otelwasm.wit.binary import as_port, open_component
from otelwasm.wit.ids import parse_id
from otelwasm.wit.model import Extern, Interface, Package, PackageName, Use, World
from otelwasm.wit.names import wire_name
from otelwasm.wit.reader import Reader, component_sections
from otelwasm.wit.scope import ComponentType, Lazy, Scope
from otelwasm.wit.types import (
    Case,
    Enum,
    Field,
    Flag,
    Flags,
    Function,
    NamedType,
    Record,
    Resource,
    Stability,
    Variant,
)

__all__ = ["read_package"]

_CUSTOM = 0

_Part = TypeVar("_Part", Field, Case, Flag)

# What the package says about something beside its type, as JSON.
Notes = Mapping[str, Any]


def read_package(data: bytes) -> tuple[Package, ...] | None:
    """
    The package in *data*, and then as much as it needs of others; None if it is no package.
    """
    try:
        return _read(data)
    except RecursionError:
        raise ComponentError("bad component: its parts are nested too deeply") from None
    except (AttributeError, TypeError):
        raise ComponentError("bad component: its package-docs have another form") from None


def _read(data: bytes) -> tuple[Package, ...] | None:
    scope = open_component(data)
    found = [entity.get() for _, entity in scope.exports.values() if isinstance(entity, Lazy)]
    types = [each for each in found if isinstance(each, ComponentType)]
    if not types or len(types) != len(scope.exports):
        return None
    notes = _notes(data)
    interfaces: dict[str, Interface] = {}
    needed: dict[str, Interface] = {}
    worlds: list[World] = []
    for type_ in types:
        inner = type_.scope("")
        for name, (kind, entity) in inner.exports.items():
            item = as_port(name, kind, entity).item
            if isinstance(item, Interface):
                its = notes.get("interfaces", {}).get(item.name, {})
                interfaces[item.id] = _with_interface_notes(item, its)
            elif isinstance(entity, Lazy) and isinstance(world := entity.get(), ComponentType):
                worlds.append(_world(name, world.scope(name), notes, needed=needed))
        for name, (kind, entity) in inner.imports.items():
            _need(as_port(name, kind, entity).item, needed)
    names = [each.package for each in interfaces.values() if each.package is not None]
    names += [world.package for world in worlds]
    if not names:
        raise ComponentError("bad component: a WIT package without a name")
    docs = notes.get("docs") or ""
    main = Package(names[0], tuple(interfaces.values()), tuple(worlds), docs=docs)
    others: dict[PackageName, list[Interface]] = {}
    for interface in needed.values():
        if interface.package is not None and interface.package != main.name:
            others.setdefault(interface.package, []).append(interface)
    return (main, *(Package(name, tuple(its), ()) for name, its in others.items()))


def _need(item: object, needed: dict[str, Interface]) -> None:
    """
    Note an interface of another package; the fullest form of it counts.
    """
    if isinstance(item, Interface):
        known = needed.get(item.id)
        if known is None or _extent(known) < _extent(item):
            needed[item.id] = item


def _extent(interface: Interface) -> int:
    return len(interface.types) + len(interface.functions) + len(interface.uses)


def _world(id_: str, scope: Scope, notes: Notes, *, needed: dict[str, Interface]) -> World:
    parsed = parse_id(id_)
    if parsed is None:
        raise ComponentError(f"bad component: {id_!r} is no name of a world")
    package, name = parsed
    its = notes.get("worlds", {}).get(name, {})
    types: list[NamedType] = []
    uses: list[Use] = []
    sides: dict[str, list[Extern]] = {"import": [], "export": []}
    for side, found in ("import", scope.imports), ("export", scope.exports):
        for label, (kind, entity) in found.items():
            item = as_port(label, kind, entity).item
            match item:
                case Interface() | Function():
                    _need(item, needed)
                    sides[side].append(_extern(label, item, its, side=side))
                case None:
                    continue
                case named if named.owner != id_:
                    uses.append(Use(label, named))
                case named:
                    types.append(_with_type_notes(named, its))
    return World(
        name,
        package,
        tuple(sides["import"]),
        tuple(sides["export"]),
        types=tuple(types),
        uses=tuple(uses),
        docs=its.get("docs") or "",
        stability=_stability(its),
    )


def _extern(label: str, item: Interface | Function, world: Notes, *, side: str) -> Extern:
    """
    An import or export with what the package says about it; exports may stand under either key.
    """
    plain, exported = ("funcs", "func_exports")
    if isinstance(item, Interface):
        plain, exported = ("interfaces", "interface_exports")
    notes = world.get(plain, {}).get(label, {})
    if side == "export":
        notes = world.get(exported, {}).get(label, notes)
    docs, stability = _docs(notes), _stability(notes)
    if isinstance(item, Function):
        return Extern(
            label,
            attrs.evolve(item, docs=docs, stability=stability),
            docs=docs,
            stability=stability,
        )
    if item.package is None:
        return Extern(label, _with_interface_notes(item, notes), docs=docs, stability=stability)
    gates = world.get(f"interface_{side}_stability", {}).get(label, {})
    return Extern(
        label,
        item,
        docs=world.get(f"interface_{side}_docs", {}).get(label) or "",
        stability=_stability({"stability": gates}),
    )


def _with_interface_notes(interface: Interface, notes: Notes) -> Interface:
    return attrs.evolve(
        interface,
        types=tuple(_with_type_notes(type_, notes) for type_ in interface.types),
        functions=tuple(
            _with_function_notes(function, wire_name(function.kind, function.name), notes)
            for function in interface.functions
        ),
        docs=_docs(notes),
        stability=_stability(notes),
    )


def _with_type_notes(type_: NamedType, notes: Notes) -> NamedType:
    its = notes.get("types", {}).get(type_.name, {})
    items = its.get("items", {})
    named: NamedType = attrs.evolve(type_, docs=_docs(its), stability=_stability(its))
    match named:
        case Record(fields=fields):
            return attrs.evolve(named, fields=tuple(_with_docs(each, items) for each in fields))
        case Variant(cases=cases) | Enum(cases=cases):
            return attrs.evolve(named, cases=tuple(_with_docs(each, items) for each in cases))
        case Flags(flags=flags):
            return attrs.evolve(named, flags=tuple(_with_docs(each, items) for each in flags))
        case Resource(functions=functions):
            members = [
                _with_function_notes(f, wire_name(f.kind, f.name, resource=named.name), notes)
                for f in functions
            ]
            return attrs.evolve(named, functions=tuple(members))
        case _:
            return named


def _with_docs(part: _Part, items: Mapping[str, str]) -> _Part:
    return attrs.evolve(part, docs=items.get(part.name, ""))


def _with_function_notes(function: Function, name: str, notes: Notes) -> Function:
    its = notes.get("funcs", {}).get(name, {})
    return attrs.evolve(function, docs=_docs(its), stability=_stability(its))


def _docs(notes: Notes | str | None) -> str:
    """
    A doc comment; older packages have nothing but that for a function.
    """
    return (notes or "") if isinstance(notes, str | None) else notes.get("docs") or ""


def _stability(notes: Notes | str | None) -> Stability | None:
    gates = notes.get("stability") if isinstance(notes, Mapping) else None
    if not isinstance(gates, Mapping) or not gates:
        return None
    its = gates.get("stable") or gates.get("unstable") or {}
    return Stability(its.get("since"), its.get("feature"), its.get("deprecated"))


def _notes(data: bytes) -> Notes:
    for number, content in component_sections(Reader(data)):
        if number == _CUSTOM and content.text() == "package-docs":
            text = data[content.at + 1 : content.end]
            try:
                notes = json.loads(text)
            except ValueError:
                raise ComponentError("bad component: its package-docs are no JSON") from None
            return notes if isinstance(notes, dict) else {}
    return {}
