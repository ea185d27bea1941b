"""
Write the text of a component that has a world's imports and exports, in the form tools emit.

Its core functions do not exist: it can be read, not run.
"""

from collections.abc import Iterable

import wasmtime

from otelwasm.wit import Interface, World
from otelwasm.wit.types import (
    Alias,
    Borrow,
    Enum,
    Flags,
    Function,
    List,
    Map,
    NamedType,
    Option,
    Own,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
)
from otelwasm.wit.walk import in_dependency_order

__all__ = ["component", "component_text"]


def component(world: World, *, without: Iterable[str] = ()) -> bytes:
    """
    A component with the imports and exports of *world*, less the exports in *without*.
    """
    return bytes(wasmtime.wat2wasm(component_text(world, without=without)))


def component_text(world: World, *, without: Iterable[str] = ()) -> str:
    """
    The text of that component.
    """
    left_out = set(without)
    lines = ["(component"]
    for interface in world.implied:
        lines += _import(interface.id, interface)
    for extern in world.imports:
        if isinstance(extern.item, Interface):
            lines += _import(extern.name, extern.item)
        else:
            lines.append(f'(import "{extern.name}" (func {_signature(extern.item)}))')
    imported = {extern.name for extern in world.imports}
    for place, extern in enumerate(world.exports):
        if extern.name not in left_out:
            assert isinstance(extern.item, Interface)
            if extern.name not in imported:
                lines += [_define(_id(t), t) for t in in_dependency_order(extern.item.types)]
            lines += _export(extern.name, extern.item, place)
    return "\n".join([*lines, ")"])


def _import(name: str, interface: Interface) -> list[str]:
    lines = [f'(import "{name}" (instance ${name}']
    for use in interface.uses:
        lines.append(f"(alias outer 1 {_id(use.type)} (type $outer-{use.name}))")
        lines.append(f'(export "{use.name}" (type {_id(use.type)} (eq $outer-{use.name})))')
    for type_ in in_dependency_order(interface.types):
        lines.append(_define(f"$bare-{type_.name}", type_))
        lines.append(f'(export "{type_.name}" (type {_id(type_)} (eq $bare-{type_.name})))')
    for function in interface.functions:
        lines.append(f'(export "{function.name}" (func {_signature(function)}))')
    lines.append("))")
    for type_ in interface.types:
        lines.append(f'(alias export ${name} "{type_.name}" (type {_id(type_)}))')
    return lines


def _export(name: str, interface: Interface, place: int) -> list[str]:
    """
    As wit-component does it: lifted functions go through a component that names their types.
    """
    lines = []
    arguments = []
    shim = [f"(component $shim-{place}"]
    for use in interface.uses:
        shim.append(f"(alias outer 1 {_id(use.type)} (type $outer-{use.name}))")
        shim.append(f'(import "type-{use.name}" (type $in-{use.name} (eq $outer-{use.name})))')
        shim.append(f'(export {_id(use.type)} "{use.name}" (type $in-{use.name}))')
        arguments.append(f'(with "type-{use.name}" (type {_id(use.type)}))')
    for type_ in in_dependency_order(interface.types):
        shim.append(_define(f"$bare-{type_.name}", type_))
        shim.append(f'(export {_id(type_)} "{type_.name}" (type $bare-{type_.name}))')
    for function in interface.functions:
        lift = f"$lift-{place}-{function.name}"
        lines.append(f"(func {lift} {_signature(function)} (canon lift (core func 0)))")
        shim.append(f'(import "func-{function.name}" (func $f-{function.name}')
        shim.append(f"{_signature(function)}))")
        shim.append(f'(export "{function.name}" (func $f-{function.name})')
        shim.append(f"(func {_signature(function)}))")
        arguments.append(f'(with "func-{function.name}" (func {lift}))')
    lines += [*shim, ")"]
    lines.append(f"(instance $e-{place} (instantiate $shim-{place} {' '.join(arguments)}))")
    lines.append(f'(export "{name}" (instance $e-{place}))')
    return lines


def _signature(function: Function) -> str:
    params = [f'(param "{param.name}" {_type(param.type)})' for param in function.params]
    result = [] if function.result is None else [f"(result {_type(function.result)})"]
    return " ".join([*params, *result])


def _define(id_: str, type_: NamedType) -> str:
    if isinstance(type_, Alias) and isinstance(type_.target, NamedType):
        return f"(alias outer 0 {_id(type_.target)} (type {id_}))"
    return f"(type {id_} {_definition(type_)})"


def _definition(type_: NamedType) -> str:
    match type_:
        case Record(fields=fields):
            parts = [f'(field "{field.name}" {_type(field.type)})' for field in fields]
            return f"(record {' '.join(parts)})"
        case Variant(cases=cases):
            parts = [f'(case "{case.name}" {_type(case.type)})' for case in cases]
            return f"(variant {' '.join(parts)})"
        case Enum(cases=cases):
            return f"(enum {_quoted(case.name for case in cases)})"
        case Flags(flags=flags):
            return f"(flags {_quoted(flag.name for flag in flags)})"
        case Alias(target=target):
            return _type(target)
        case _:
            raise NotImplementedError(type_)


def _quoted(names: Iterable[str]) -> str:
    return " ".join(f'"{name}"' for name in names)


def _type(type_: Type | None) -> str:
    match type_:
        case None:
            return ""
        case Primitive():
            return type_.value
        case List(element=element, length=None):
            return f"(list {_type(element)})"
        case List(element=element, length=length):
            return f"(list {_type(element)} {length})"
        case Map(key=key, value=value):
            return f"(map {_type(key)} {_type(value)})"
        case Option(some=some):
            return f"(option {_type(some)})"
        case Result(ok=ok, err=err):
            error = "" if err is None else f"(error {_type(err)})"
            return f"(result {_type(ok)} {error})"
        case Tuple(items=items):
            return f"(tuple {' '.join(map(_type, items))})"
        case Own() | Borrow():
            raise NotImplementedError(type_)
        case _:
            return _id(type_)


def _id(type_: Type) -> str:
    assert isinstance(type_, NamedType)
    return f"${type_.owner}#{type_.name}"
