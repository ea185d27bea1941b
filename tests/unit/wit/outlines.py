"""
Write a WIT model, and the JSON that wit-parser makes of one, as the same plain lines.

A line for each item, keyed by where it stands; what differs is then easy to see.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from otelwasm.wit import Interface, Package, Use, World
from otelwasm.wit.names import wire_name
from otelwasm.wit.types import (
    Alias,
    Borrow,
    Enum,
    Flags,
    Function,
    FunctionKind,
    Future,
    List,
    Map,
    NamedType,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stability,
    Stream,
    Tuple,
    Type,
    Variant,
)

__all__ = [
    "Outline",
    "outline_of_interface",
    "outline_of_json",
    "outline_of_model",
    "outline_of_types",
    "signature",
    "without_docs",
]

Outline = dict[str, str]

_NOTES = re.compile(r" (?:///|@since=|@feature=|@deprecated=).*", re.DOTALL)


def outline_of_model(packages: Iterable[Package]) -> Outline:
    """
    The outline of *packages* as otelwasm has them.
    """
    lines: Outline = {}
    for package in packages:
        lines[f"package {package.name}"] = package.docs
        for interface in package.interfaces:
            lines |= outline_of_interface(f"interface {interface.id}", interface)
        for world in package.worlds:
            lines |= _world(world)
    return lines


def _world(world: World) -> Iterator[tuple[str, str]]:
    where = f"world {world.id}"
    yield where, _notes(world.docs, world.stability)
    for name, text in outline_of_types(world.types, world.uses).items():
        yield f"{where} import {name}", text
    for interface in world.implied:
        yield f"{where} import {interface.id}", "interface"
    for word, externs in ("import", world.imports), ("export", world.exports):
        for extern in externs:
            place = f"{where} {word} {extern.name}"
            if isinstance(extern.item, Function):
                yield f"{where} {word} func {extern.name}", signature(extern.item, extern.stability)
            elif extern.item.package is None:
                yield from outline_of_interface(place, extern.item).items()
            elif extern.name == extern.item.id:
                yield place, "interface"
            else:
                yield place, f"interface {extern.item.id}"


def outline_of_interface(where: str, interface: Interface) -> Outline:
    """
    The outline of one interface; *where* begins each key.
    """
    lines = {where: "interface" + _notes(interface.docs, interface.stability)}
    for name, text in outline_of_types(interface.types, interface.uses).items():
        lines[f"{where} {name}"] = text
    for function in interface.functions:
        name = wire_name(function.kind, function.name)
        lines[f"{where} func {name}"] = signature(function, function.stability)
    return lines


def outline_of_types(types: Iterable[NamedType], uses: Iterable[Use]) -> Outline:
    """
    The outline of types that are defined and used at one place.
    """
    lines = {f"use {use.name}": _type(use.type) for use in uses}
    for type_ in types:
        lines[f"type {type_.name}"] = _definition(type_) + _notes(type_.docs, type_.stability)
        if isinstance(type_, Resource):
            for function in type_.functions:
                name = wire_name(function.kind, function.name, resource=type_.name)
                lines[f"func {name}"] = signature(function, function.stability)
    return lines


def signature(function: Function, stability: Stability | None = None) -> str:
    """
    A function on one line, with its docs and gates.
    """
    word = "async " if function.is_async else ""
    params = ", ".join(f"{param.name}: {_type(param.type)}" for param in function.params)
    result = "" if function.result is None else f" -> {_type(function.result)}"
    kind = function.kind.value
    return f"{word}{kind}({params}){result}{_notes(function.docs, stability)}"


def without_docs(outline: Outline) -> Outline:
    """
    The same outline less doc comments and gates.
    """
    return {key: _NOTES.sub("", text) for key, text in outline.items()}


def _definition(type_: NamedType) -> str:
    match type_:
        case Record(fields=fields):
            parts = [f"{f.name}: {_type(f.type)}{_notes(f.docs)}" for f in fields]
            return f"record {{{', '.join(parts)}}}"
        case Variant(cases=cases):
            parts = [f"{c.name}({_maybe(c.type)}){_notes(c.docs)}" for c in cases]
            return f"variant {{{', '.join(parts)}}}"
        case Enum(cases=cases):
            return f"enum {{{', '.join(c.name + _notes(c.docs) for c in cases)}}}"
        case Flags(flags=flags):
            return f"flags {{{', '.join(f.name + _notes(f.docs) for f in flags)}}}"
        case Alias(target=target):
            return f"= {_type(target)}"
        case Resource():
            return "resource"


def _type(type_: Type) -> str:
    match type_:
        case Primitive():
            return type_.value
        case List(element=element, length=length):
            return f"list<{_type(element)}{'' if length is None else f', {length}'}>"
        case Map(key=key, value=value):
            return f"map<{_type(key)}, {_type(value)}>"
        case Option(some=some):
            return f"option<{_type(some)}>"
        case Result(ok=ok, err=err):
            return f"result<{_maybe(ok)}, {_maybe(err)}>"
        case Tuple(items=items):
            return f"tuple<{', '.join(map(_type, items))}>"
        case Future(payload=payload):
            return f"future<{_maybe(payload)}>"
        case Stream(payload=payload):
            return f"stream<{_maybe(payload)}>"
        case Own(resource=resource):
            return f"own<{resource.owner}#{resource.name}>"
        case Borrow(resource=resource):
            return f"borrow<{resource.owner}#{resource.name}>"
        case _:
            return f"{type_.owner}#{type_.name}"


def _maybe(type_: Type | None) -> str:
    return "_" if type_ is None else _type(type_)


def _notes(docs: str, stability: Stability | None = None) -> str:
    parts = [f" /// {docs}"] if docs else []
    if stability is not None:
        for word in ("since", "feature", "deprecated"):
            if value := getattr(stability, word):
                parts.append(f" @{word}={value}")
    return "".join(parts)


def outline_of_json(document: dict[str, Any]) -> Outline:
    """
    The outline of the packages that wit-parser printed as JSON.
    """
    return dict(_Json(document).lines())


_KINDS = {
    "freestanding": FunctionKind.FREE,
    "method": FunctionKind.METHOD,
    "static": FunctionKind.STATIC,
    "constructor": FunctionKind.CONSTRUCTOR,
    "getter": FunctionKind.GETTER,
    "setter": FunctionKind.SETTER,
    "method-getter": FunctionKind.GETTER,
    "method-setter": FunctionKind.SETTER,
    "static-getter": FunctionKind.STATIC_GETTER,
    "static-setter": FunctionKind.STATIC_SETTER,
}


class _Json:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._types = document["types"]

    def lines(self) -> Iterator[tuple[str, str]]:
        for package in self._document["packages"]:
            yield f"package {package['name']}", package.get("docs", {}).get("contents", "")
            for index in package["interfaces"].values():
                interface = self._document["interfaces"][index]
                yield from self._interface(f"interface {self._id(interface)}", interface)
            for index in package["worlds"].values():
                yield from self._world(self._document["worlds"][index])

    def _world(self, world: dict[str, Any]) -> Iterator[tuple[str, str]]:
        where = f"world {self._id(world)}"
        yield where, _json_notes(world)
        for word in ("import", "export"):
            for name, item in world[f"{word}s"].items():
                if function := item.get("function"):
                    yield f"{where} {word} func {name}", self._function(function)
                elif "type" in item:
                    place, text = self._named(name, item["type"], where[len("world ") :])
                    yield f"{where} {word} {place}", text
                else:
                    interface = self._document["interfaces"][item["interface"]["id"]]
                    if interface["name"] is None:
                        yield from self._interface(f"{where} {word} {name}", interface)
                    elif name.startswith("interface-"):
                        yield f"{where} {word} {self._id(interface)}", "interface"
                    else:
                        yield f"{where} {word} {name}", f"interface {self._id(interface)}"

    def _interface(self, where: str, interface: dict[str, Any]) -> Iterator[tuple[str, str]]:
        yield where, "interface" + _json_notes(interface)
        for name, index in interface["types"].items():
            place, text = self._named(name, index, self._owner(self._types[index]["owner"]))
            yield f"{where} {place}", text
        for name, function in interface["functions"].items():
            yield f"{where} func {name}", self._function(function)

    def _named(self, name: str, index: int, owner: str) -> tuple[str, str]:
        type_ = self._types[index]
        if self._origin(index) != index:
            return f"use {name}", self._reference(index)
        return f"type {name}", self._definition(type_) + _json_notes(type_)

    def _origin(self, index: int) -> int:
        """
        The type that a `use` stands for; other types stand for themselves.
        """
        type_ = self._types[index]
        kind = type_["kind"]
        if isinstance(kind, dict) and isinstance(kind.get("type"), int):
            target = self._types[kind["type"]]
            if target["name"] is not None and target["owner"] != type_["owner"]:
                return self._origin(kind["type"])
        return index

    def _definition(self, type_: dict[str, Any]) -> str:
        match type_["kind"]:
            case {"record": {"fields": fields}}:
                parts = [f"{f['name']}: {self._type(f['type'])}{_json_notes(f)}" for f in fields]
                return f"record {{{', '.join(parts)}}}"
            case {"variant": {"cases": cases}}:
                parts = [f"{c['name']}({self._maybe(c['type'])}){_json_notes(c)}" for c in cases]
                return f"variant {{{', '.join(parts)}}}"
            case {"enum": {"cases": cases}}:
                return f"enum {{{', '.join(c['name'] + _json_notes(c) for c in cases)}}}"
            case {"flags": {"flags": flags}}:
                return f"flags {{{', '.join(f['name'] + _json_notes(f) for f in flags)}}}"
            case "resource":
                return "resource"
            case {"type": int(target)} if self._is_resource(target):
                return f"= own<{self._reference(target)}>"
            case {"type": target}:
                return f"= {self._type(target)}"
            case kind:
                return f"= {self._shape(kind)}"

    def _type(self, reference: str | int) -> str:
        if isinstance(reference, str):
            return reference
        type_ = self._types[reference]
        return self._shape(type_["kind"]) if type_["name"] is None else self._reference(reference)

    def _reference(self, index: int) -> str:
        type_ = self._types[self._origin(index)]
        return f"{self._owner(type_['owner'])}#{type_['name']}"

    def _shape(self, kind: Any) -> str:
        match kind:
            case {"list": element}:
                return f"list<{self._type(element)}>"
            case {"fixed-length-list": [element, length]}:
                return f"list<{self._type(element)}, {length}>"
            case {"map": [key, value]}:
                return f"map<{self._type(key)}, {self._type(value)}>"
            case {"option": some}:
                return f"option<{self._type(some)}>"
            case {"result": {"ok": ok, "err": err}}:
                return f"result<{self._maybe(ok)}, {self._maybe(err)}>"
            case {"tuple": {"types": items}}:
                return f"tuple<{', '.join(map(self._type, items))}>"
            case {"future": payload}:
                return f"future<{self._maybe(payload)}>"
            case {"stream": payload}:
                return f"stream<{self._maybe(payload)}>"
            case {"handle": {"own": resource}}:
                return f"own<{self._reference(self._resource(resource))}>"
            case {"handle": {"borrow": resource}}:
                return f"borrow<{self._reference(self._resource(resource))}>"
        raise NotImplementedError(kind)

    def _is_resource(self, index: int) -> bool:
        return bool(self._types[self._origin(index)]["kind"] == "resource")

    def _resource(self, index: int) -> int:
        kind = self._types[index]["kind"]
        return index if kind == "resource" else self._resource(kind["type"])

    def _maybe(self, reference: str | int | None) -> str:
        return "_" if reference is None else self._type(reference)

    def _function(self, function: dict[str, Any]) -> str:
        kind = function["kind"]
        kind = kind if isinstance(kind, str) else next(iter(kind))
        word = "async " if kind.startswith("async-") else ""
        value = _KINDS[kind.removeprefix("async-")].value
        params = ", ".join(f"{p['name']}: {self._type(p['type'])}" for p in function["params"])
        result = f" -> {self._type(function['result'])}" if "result" in function else ""
        return f"{word}{value}({params}){result}{_json_notes(function)}"

    def _owner(self, owner: dict[str, int]) -> str:
        if "world" in owner:
            return self._id(self._document["worlds"][owner["world"]])
        return self._id(self._document["interfaces"][owner["interface"]])

    def _id(self, item: dict[str, Any]) -> str:
        if item["name"] is None:
            return next(
                name
                for world in self._document["worlds"]
                for side in ("imports", "exports")
                for name, extern in world[side].items()
                if "interface" in extern
                and self._document["interfaces"][extern["interface"]["id"]] is item
            )
        package, at, version = self._document["packages"][item["package"]]["name"].partition("@")
        return f"{package}/{item['name']}{at}{version}"


def _json_notes(item: dict[str, Any]) -> str:
    stability = item.get("stability", {})
    gates = stability.get("stable") or stability.get("unstable") or {}
    return _notes(
        item.get("docs", {}).get("contents") or "",
        Stability(gates.get("since"), gates.get("feature"), gates.get("deprecated")),
    )
