"""
Read what a component imports and exports, with all types, without compiling any of it.
"""

import re

import attrs

from otelwasm.errors import ComponentError
from otelwasm.wit.ids import parse_id
from otelwasm.wit.model import Interface, Use
from otelwasm.wit.reader import Reader, component_sections
from otelwasm.wit.scope import Component, Entity, Instance, Lazy, Scope, Work
from otelwasm.wit.steps import (
    read_alias,
    read_canonical,
    read_export,
    read_import,
    read_instance,
    read_type,
)
from otelwasm.wit.types import Function, FunctionKind, NamedType, Resource

__all__ = ["Port", "Surface", "as_port", "open_component", "read_component"]

_COMPONENT_SECTION = 4
_READERS = {
    5: read_instance,
    6: read_alias,
    7: read_type,
    8: read_canonical,
    10: read_import,
    11: read_export,
}
_MEMBER = re.compile(r"\[(constructor|method|static)\](?:\[(get|set)\])?([^.]+)(?:\.(.+))?")
_ACCESSOR = re.compile(r"\[(get|set)\](.+)")


@attrs.frozen
class Port:
    """
    One import or export: *kind* is `func`, `instance`, `type`, `component`, `module` or `value`.

    An instance is shown as an interface; components, modules and values have no *item*.
    """

    name: str
    kind: str
    item: Interface | Function | NamedType | None = None


@attrs.frozen
class Surface:
    """
    All that a component shows to the outside.
    """

    imports: tuple[Port, ...]
    exports: tuple[Port, ...]


def read_component(data: bytes) -> Surface:
    """
    The imports and exports of the component in *data*; ComponentError says what is wrong.

    It reads what it needs and checks no more than that: a component that passes here may still
    be refused when it is compiled.
    """
    try:
        scope = open_component(data)
        return Surface(
            tuple(as_port(name, *found) for name, found in scope.imports.items()),
            tuple(as_port(name, *found) for name, found in scope.exports.items()),
        )
    except RecursionError:
        raise ComponentError("bad component: its parts are nested too deeply") from None


def open_component(data: bytes) -> Scope:
    """
    The index spaces of the component in *data*; what stands in them is worked out when asked for.
    """
    scope = Scope(Work(), None, owner="")
    _run(scope, Reader(data))
    return scope


def _run(scope: Scope, component: Reader) -> None:
    """
    Execute the sections of *component* in *scope*.
    """
    for number, content in component_sections(component):
        if number == _COMPONENT_SECTION:
            scope.add("component", _nested(scope, content))
        elif number in _READERS:
            for step in content.several(_READERS[number]):
                step(scope)
            if content.at != content.end:
                raise content.error("a section that is longer than what is in it")


def _nested(scope: Scope, content: Reader) -> Lazy[Component]:
    return Lazy(lambda: Component(scope, lambda inner: _run(inner, content.copy())))


def as_port(name: str, kind: str, entity: Entity) -> Port:
    """
    One import or export of a scope, with its types.
    """
    if isinstance(entity, Instance):
        return Port(name, kind, _interface(name, entity))
    if kind == "func" and isinstance(entity, Lazy):
        return Port(name, kind, _function(name, entity.get()))
    if kind == "type" and isinstance(entity, Lazy):
        type_ = entity.get()
        return Port(name, kind, type_ if isinstance(type_, NamedType) else None)
    return Port(name, kind)


def _interface(name: str, instance: Instance) -> Interface:
    types: dict[str, NamedType] = {}
    uses: list[Use] = []
    functions: list[Function] = []
    members: dict[str, list[Function]] = {}
    for export, (kind, entity) in instance.exports().items():
        if not isinstance(entity, Lazy):
            continue
        found = entity.get()
        if kind == "func":
            member = _MEMBER.fullmatch(export)
            function = _function(export, found)
            members.setdefault(member[3], []).append(function) if member else functions.append(
                function
            )
        elif kind == "type" and isinstance(found, NamedType):
            if found.owner == instance.owner and found.name == export:
                types[export] = found
            else:
                uses.append(Use(export, found))
    for resource, its in members.items():
        known = types.get(resource)
        if isinstance(known, Resource):
            types[resource] = attrs.evolve(known, functions=tuple(its))
    parsed = parse_id(name) or parse_id(instance.owner or "")
    package, short = (None, name) if parsed is None else parsed
    return Interface(short, package, tuple(types.values()), tuple(functions), tuple(uses))


def _function(name: str, function: Function) -> Function:
    """
    *function* under the name it has outside: `[method]file.read` is `read`, a method.
    """
    if accessor := _ACCESSOR.fullmatch(name):
        kind = FunctionKind.GETTER if accessor[1] == "get" else FunctionKind.SETTER
        return attrs.evolve(function, name=accessor[2], kind=kind)
    member = _MEMBER.fullmatch(name)
    if member is None:
        return attrs.evolve(function, name=name)
    how, access, _, label = member.groups()
    if how == "constructor":
        return attrs.evolve(function, name=how, kind=FunctionKind.CONSTRUCTOR)
    kind = {
        ("method", None): FunctionKind.METHOD,
        ("method", "get"): FunctionKind.GETTER,
        ("method", "set"): FunctionKind.SETTER,
        ("static", None): FunctionKind.STATIC,
        ("static", "get"): FunctionKind.STATIC_GETTER,
        ("static", "set"): FunctionKind.STATIC_SETTER,
    }[how, access]
    return attrs.evolve(function, name=label or "", kind=kind)
