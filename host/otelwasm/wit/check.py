"""
Say which world of a contract a component fits, or all that keeps it from fitting.
"""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from otelwasm.wit.binary import Port, Surface, parse_id, read_component
from otelwasm.wit.compare import function_problems
from otelwasm.wit.model import Extern, Interface, Package, PackageName, World
from otelwasm.wit.names import wire_name
from otelwasm.wit.types import Function, Resource

__all__ = ["Report", "check", "check_surface"]

_WASI = frozenset({"cli", "clocks", "filesystem", "io", "random", "sockets"})
_WASI_VERSION = "0.2."
_MOST_PROBLEMS = 20


@attrs.frozen
class Report:
    """
    What came of a check: the world that the component fits, or the problems.

    *extras* are exports that the world does not ask for; nobody calls them.
    """

    surface: Surface
    world: World | None
    problems: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.world is not None:
            return f"fits world {self.world.name} of {self.world.package}"
        more = len(self.problems) - _MOST_PROBLEMS
        ending = [f"and {more} more"] if more > 0 else []
        return "\n".join([*self.problems[:_MOST_PROBLEMS], *ending])


def check(data: bytes, package: Package, worlds: Iterable[str] | None = None) -> Report:
    """
    Check the component in *data* against the *worlds* of *package*; None means all of them.

    Where several fit, the report names the one that asks for the most exports and, of those,
    offers the fewest imports. ComponentError if *data* is no component at all.
    """
    return check_surface(read_component(data), package, worlds)


def check_surface(
    surface: Surface, package: Package, worlds: Iterable[str] | None = None
) -> Report:
    """
    As `check`, for a component that was read already.
    """
    wanted = [package.world(name) for name in worlds] if worlds else list(package.worlds)
    results = [(world, tuple(_world_problems(surface, world))) for world in wanted]
    fits = [world for world, problems in results if not problems]
    if fits:
        world = max(fits, key=lambda world: (len(world.exports), -len(world.imports)))
        asked = {extern.name for extern in world.exports}
        extras = tuple(port.name for port in surface.exports if port.name not in asked)
        return Report(surface, world, extras=extras)
    for reason in (_other_version, _nothing_of_it, _other_world):
        if problem := reason(surface, package, wanted=wanted):
            return Report(surface, None, (problem,))
    _, problems = min(results, key=lambda result: (_missing(surface, result[0]), len(result[1])))
    return Report(surface, None, problems)


def _world_problems(surface: Surface, world: World) -> Iterator[str]:
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
        if port.name in imports:
            yield from _import_problems(port, imports[port.name])
        elif problem := _unknown_import(port, world):
            yield problem
    exports = {port.name: port for port in surface.exports}
    for extern in world.exports:
        if extern.name in exports:
            yield from _export_problems(exports[extern.name], extern)
        else:
            yield f"export {extern.name} is missing"


def _import_problems(port: Port, wanted: Interface | Function) -> Iterator[str]:
    """
    A component may import less than the contract offers, but all that it imports must be there.
    """
    if isinstance(wanted, Function) or not isinstance(port.item, Interface):
        yield from _plain_problems(port, wanted, what=f"import {port.name}")
        return
    for path, function, offered in _functions(port.item, wanted):
        if offered is None:
            yield f"import {port.name}, {path}: the contract has no such function"
        else:
            for problem in function_problems(function, offered):
                yield f"import {port.name}, {path}: {problem}"


def _export_problems(port: Port, extern: Extern) -> Iterator[str]:
    """
    A component must export all that the contract says; what it exports beside is its own affair.
    """
    if isinstance(extern.item, Function) or not isinstance(port.item, Interface):
        yield from _plain_problems(port, extern.item, what=f"export {port.name}")
        return
    for path, wanted, found in _functions(extern.item, port.item):
        if found is None:
            yield f"export {port.name}, {path} is missing"
        else:
            for problem in function_problems(found, wanted):
                yield f"export {port.name}, {path}: {problem}"


def _plain_problems(port: Port, wanted: Interface | Function, *, what: str) -> Iterator[str]:
    if isinstance(port.item, Function) and isinstance(wanted, Function):
        for problem in function_problems(port.item, wanted):
            yield f"{what}: {problem}"
        return
    word = "a function" if isinstance(wanted, Function) else "an interface"
    yield f"{what} is of kind {port.kind}, the contract says {word}"


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


def _unknown_import(port: Port, world: World) -> str | None:
    """
    Why the host cannot give a component this import; types need nothing from the host.
    """
    if isinstance(port.item, Interface):
        has_resource = any(isinstance(type_, Resource) for type_ in port.item.types)
        if not port.item.functions and not has_resource:
            return None
        package = port.item.package
        if package is not None and package.namespace == "wasi":
            return _wasi_problem(port, package)
    elif port.kind == "type" and not isinstance(port.item, Resource):
        return None
    return f"import {port.name} is not offered to {_a(world.name)}"


def _wasi_problem(port: Port, package: PackageName) -> str | None:
    if package.name not in _WASI:
        return f"import {port.name}: of WASI, only {', '.join(sorted(_WASI))} are offered"
    if not (package.version or "").startswith(_WASI_VERSION):
        return f"import {port.name}: WASI is offered in version {_WASI_VERSION}x"
    return None


def _other_version(surface: Surface, package: Package, *, wanted: Sequence[World]) -> str | None:
    """
    The one problem of a component that was made for another version of the contract.
    """
    mine = package.name
    versions = {
        name.version
        for name, _ in _parsed((*surface.imports, *surface.exports))
        if (name.namespace, name.name) == (mine.namespace, mine.name)
    }
    if not versions or mine.version in versions:
        return None
    made = ", ".join(
        str(attrs.evolve(mine, version=version)) for version in sorted(versions, key=str)
    )
    return f"made for {made}; this host speaks {mine.version or 'a version without a number'}"


def _nothing_of_it(surface: Surface, package: Package, *, wanted: Sequence[World]) -> str | None:
    """
    The one problem of a component that has nothing to do with the contract.
    """
    asked = {extern.name for world in package.worlds for extern in world.exports}
    if not asked or any(port.name in asked for port in surface.exports):
        return None
    names = ", ".join(port.name for port in surface.exports) or "nothing"
    world = _smallest(wanted)
    needed = " and ".join(extern.name for extern in world.exports)
    return (
        f"not a component for {package.name}: it exports {names}; {_a(world.name)} exports {needed}"
    )


def _other_world(surface: Surface, package: Package, *, wanted: Sequence[World]) -> str | None:
    """
    The one problem of a component that fits its place nowhere but would in another world.
    """
    asked = {extern.name for world in wanted for extern in world.exports}
    if any(not _missing(surface, world) for world in wanted):
        return None
    telling: list[tuple[World, str]] = []
    for port in surface.exports:
        others = [
            world
            for world in package.worlds
            if any(extern.name == port.name for extern in world.exports)
        ]
        if others and port.name not in asked:
            telling.append((_smallest(others), port.name))
    if not telling:
        return None
    world, name = min(telling, key=lambda found: len(found[0].exports))
    return f"exports {name}: {_a(world.name)}, not {_a(_smallest(wanted).name)}"


def _missing(surface: Surface, world: World) -> int:
    exports = {port.name for port in surface.exports}
    return sum(extern.name not in exports for extern in world.exports)


def _smallest(worlds: Sequence[World]) -> World:
    return min(worlds, key=lambda world: (len(world.exports), len(world.imports)))


def _parsed(ports: Iterable[Port]) -> Iterator[tuple[PackageName, str]]:
    for port in ports:
        parsed = parse_id(port.name)
        if parsed is not None:
            yield parsed


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
