"""
Compare what a component imports and exports with what one world offers and asks for.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from otelwasm.wit.binary import Port, Surface
from otelwasm.wit.compare import differences
from otelwasm.wit.ids import is_compatible, parse_id, same_interface, version_key
from otelwasm.wit.model import Interface, PackageName, World
from otelwasm.wit.names import did_you_mean, wire_name
from otelwasm.wit.problems import Problem, mismatch
from otelwasm.wit.types import Function, Resource
from otelwasm.words import with_article

__all__ = ["HOST", "SEMVER", "Fitting", "missing_exports", "world_problems"]

_WASI = frozenset({"cli", "clocks", "filesystem", "io", "random", "sockets"})
_WASI_VERSION = "0.2."


@attrs.frozen
class Fitting:
    """
    How a component meets its world.

    Where *is_exact*, ids must be the same, as this host needs it for its own contract; otherwise
    compatible versions stand in for one another. Where it *has_wasi*, WASI 0.2 is offered beside
    what the world says, as this host does for any world.
    """

    is_exact: bool
    has_wasi: bool

    def find(self, name: str, names: Iterable[str]) -> str | None:
        """
        Which of *names* stands for the interface or function *name*, if one does.
        """
        known = list(names)
        if name in known:
            return name
        compatible = (
            [] if self.is_exact else [other for other in known if is_compatible(name, other)]
        )
        return max(compatible, key=_version, default=None)


HOST = Fitting(is_exact=True, has_wasi=True)
SEMVER = Fitting(is_exact=False, has_wasi=False)


def missing_exports(surface: Surface, world: World, fitting: Fitting) -> int:
    """
    How many of the exports that *world* asks for are not there.
    """
    names = [port.name for port in surface.exports]
    return sum(fitting.find(extern.name, names) is None for extern in world.exports)


def world_problems(surface: Surface, world: World, fitting: Fitting) -> Iterator[Problem]:
    """
    All that keeps a component from fitting *world*.
    """
    imports: dict[str, Interface | Function] = {
        interface.id: interface for interface in world.implied
    }
    imports.update((extern.name, extern.item) for extern in world.imports)
    types = {*(type_.name for type_ in world.types), *(use.name for use in world.uses)}
    for type_ in world.types:
        if isinstance(type_, Resource):
            for function in type_.functions:
                imports[wire_name(function.kind, function.name, resource=type_.name)] = function
    for port in surface.imports:
        if port.kind == "type" and port.name in types:
            continue
        if name := fitting.find(port.name, imports):
            yield from _import_problems(port, imports[name])
        elif problem := _unknown_import(port, world, offered=imports, fitting=fitting):
            yield problem
    exports = {port.name: port for port in surface.exports}
    for extern in world.exports:
        if name := fitting.find(extern.name, exports):
            yield from _export_problems(exports[name], extern.item)
        else:
            yield _missing_export(extern.name, exports)


def _import_problems(port: Port, wanted: Interface | Function) -> Iterator[Problem]:
    """
    A component may import less than the contract offers, but all that it imports must be there.
    """
    where = f"import {port.name}"
    if isinstance(wanted, Function) or not isinstance(port.item, Interface):
        yield from _plain_problems(port, wanted, where=where)
        return
    known = [function.name for _, function, _ in _functions(wanted, wanted)]
    for path, function, offered in _functions(port.item, wanted):
        if offered is None:
            hint = did_you_mean(function.name, known)
            text = f"{where}, {path}: the contract has no such function{hint}"
            yield Problem("extra", port.name, text)
        else:
            for difference in differences(function, offered):
                yield mismatch(port.name, f"{where}, {path}", difference)


def _export_problems(port: Port, wanted: Interface | Function) -> Iterator[Problem]:
    """
    A component must export all that the contract says; what it exports beside is its own affair.
    """
    where = f"export {port.name}"
    if isinstance(wanted, Function) or not isinstance(port.item, Interface):
        yield from _plain_problems(port, wanted, where=where)
        return
    for path, function, found in _functions(wanted, port.item):
        if found is None:
            yield Problem("missing", port.name, f"{where}, {path} is missing")
        else:
            for difference in differences(found, function):
                yield mismatch(port.name, f"{where}, {path}", difference)


def _plain_problems(port: Port, wanted: Interface | Function, *, where: str) -> Iterator[Problem]:
    if isinstance(port.item, Function) and isinstance(wanted, Function):
        for difference in differences(port.item, wanted):
            yield mismatch(port.name, where, difference)
        return
    word = "a function" if isinstance(wanted, Function) else "an interface"
    text = f"{where} is of kind {port.kind}, the contract says {word}"
    yield Problem("mismatch", port.name, text)


def _functions(one: Interface, other: Interface) -> Iterator[tuple[str, Function, Function | None]]:
    """
    All functions of *one*, with what *other* has under the same name.
    """
    plain = {function.name: function for function in other.functions}
    for function in one.functions:
        yield f"function {function.name}", function, plain.get(function.name)
    members = {
        (type_.name, function.name, function.kind): function
        for type_ in other.types
        if isinstance(type_, Resource)
        for function in type_.functions
    }
    for type_ in one.types:
        if isinstance(type_, Resource):
            for function in type_.functions:
                key = (type_.name, function.name, function.kind)
                yield f"function {type_.name}.{function.name}", function, members.get(key)


def _missing_export(name: str, exports: Iterable[str]) -> Problem:
    if other := _in_another_version(name, exports):
        text = f"export {name} is missing; it has {other}, which is not compatible by semver"
        return Problem("version", name, text)
    return Problem("missing", name, f"export {name} is missing")


def _unknown_import(
    port: Port, world: World, *, offered: Iterable[str], fitting: Fitting
) -> Problem | None:
    """
    Why nobody can give a component this import; types need nobody to give them.
    """
    where = f"import {port.name}"
    if isinstance(port.item, Interface):
        has_resource = any(isinstance(type_, Resource) for type_ in port.item.types)
        if not port.item.functions and not has_resource:
            return None
        package = port.item.package
        if fitting.has_wasi and package is not None and package.namespace == "wasi":
            return _wasi_problem(port, package)
    elif port.kind == "type" and not isinstance(port.item, Resource):
        return None
    if other := _in_another_version(port.name, offered):
        text = (
            f"{where} is not offered; {world.name} has {other}, which is not compatible by semver"
        )
        return Problem("version", port.name, text)
    return Problem("extra", port.name, f"{where} is not offered to {with_article(world.name)}")


def _wasi_problem(port: Port, package: PackageName) -> Problem | None:
    if package.name not in _WASI:
        text = f"import {port.name}: of WASI, only {', '.join(sorted(_WASI))} are offered"
        return Problem("extra", port.name, text)
    if not (package.version or "").startswith(_WASI_VERSION):
        text = f"import {port.name}: WASI is offered in version {_WASI_VERSION}x"
        return Problem("version", port.name, text)
    return None


def _in_another_version(name: str, names: Iterable[str]) -> str | None:
    return next((other for other in names if other != name and same_interface(name, other)), None)


def _version(name: str) -> Any:
    parsed = parse_id(name)
    version = None if parsed is None else parsed[0].version
    return version_key(version or "0.0.0")
