"""
Say which world of a contract a component fits, or all that keeps it from fitting.
"""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from otelwasm.wit.binary import Port, Surface, read_component
from otelwasm.wit.fitting import HOST, Fitting, missing_exports, world_problems
from otelwasm.wit.ids import parse_id, same_interface, version_key
from otelwasm.wit.model import Package, PackageName, World
from otelwasm.wit.problems import Problem
from otelwasm.words import with_article

__all__ = ["Report", "check", "check_surface"]

_MOST_PROBLEMS = 20
# What componentize-py fills in its own variables by, in every component that it makes.
_OF_TOOLS = "exports"


@attrs.frozen
class Report:
    """
    What came of a check: the world that the component fits, or the problems.

    *extras* are exports that the world does not ask for; nobody calls them.
    """

    surface: Surface
    world: World | None
    problems: tuple[Problem, ...] = ()
    extras: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.world is not None:
            return f"fits world {self.world.name} of {self.world.package}"
        more = len(self.problems) - _MOST_PROBLEMS
        ending = [f"and {more} more"] if more > 0 else []
        return "\n".join([*map(str, self.problems[:_MOST_PROBLEMS]), *ending])


def check(
    data: bytes,
    package: Package,
    worlds: Iterable[str] | None = None,
    *,
    fitting: Fitting = HOST,
) -> Report:
    """
    Check the component in *data* against the *worlds* of *package*; None means all of them.

    Where several fit, the report names the one that asks for the most exports and, of those,
    offers the fewest imports. ComponentError if *data* is no component at all.
    """
    return check_surface(read_component(data), package, worlds, fitting=fitting)


def check_surface(
    surface: Surface,
    package: Package,
    worlds: Iterable[str] | None = None,
    *,
    fitting: Fitting = HOST,
) -> Report:
    """
    As `check`, for a component that was read already.
    """
    wanted = [package.world(name) for name in worlds] if worlds else list(package.worlds)
    results = [(world, tuple(world_problems(surface, world, fitting))) for world in wanted]
    fits = [world for world, problems in results if not problems]
    if fits:
        world = max(fits, key=lambda world: (len(world.exports), -len(world.imports)))
        asked = [*(extern.name for extern in world.exports), _OF_TOOLS]
        extras = [port.name for port in surface.exports if not fitting.find(port.name, asked)]
        return Report(surface, world, extras=tuple(extras))
    # One world that was asked for is gone through; for others, what the component is says more.
    is_one = len(wanted) == 1 and not fitting.is_exact
    for reason in () if is_one else (_other_version, _nothing_of_it, _other_world):
        if problem := reason(surface, package, wanted=wanted, fitting=fitting):
            return Report(surface, None, (problem,))
    _, problems = min(
        results, key=lambda result: (missing_exports(surface, result[0], fitting), len(result[1]))
    )
    return Report(surface, None, problems)


def _other_version(
    surface: Surface, package: Package, *, wanted: Sequence[World], fitting: Fitting
) -> Problem | None:
    """
    The one problem of a component that was made for another version of the contract.
    """
    mine = package.name
    versions = {
        name.version
        for name, _ in _parsed((*surface.imports, *surface.exports))
        if (name.namespace, name.name) == (mine.namespace, mine.name)
    }
    if not fitting.is_exact or not versions or mine.version in versions:
        return None
    made = ", ".join(
        str(attrs.evolve(mine, version=version)) for version in sorted(versions, key=str)
    )
    text = f"made for {made}; this host speaks {mine.version or 'a version without a number'}"
    return Problem("version", str(mine), text + _advice(versions, mine.version))


def _advice(versions: Iterable[str | None], mine: str | None) -> str:
    known = [version for version in versions if version is not None]
    if mine is None or not known:
        return ""
    if max(map(version_key, known)) < version_key(mine):
        return ": it is older than this host, build it again"
    return ": it is newer than this host, update otelwasm"


def _nothing_of_it(
    surface: Surface, package: Package, *, wanted: Sequence[World], fitting: Fitting
) -> Problem | None:
    """
    The one problem of a component that has nothing to do with the contract.
    """
    asked = {extern.name for world in package.worlds for extern in world.exports}
    if not asked or any(same_interface(port.name, o) for port in surface.exports for o in asked):
        return None
    names = ", ".join(port.name for port in surface.exports) or "nothing"
    world = _smallest(wanted)
    needed = " and ".join(extern.name for extern in world.exports)
    text = (
        f"not a component for {package.name}: it exports {names}; "
        f"{with_article(world.name)} exports {needed}"
    )
    return Problem("world", world.id, text)


def _other_world(
    surface: Surface, package: Package, *, wanted: Sequence[World], fitting: Fitting
) -> Problem | None:
    """
    The one problem of a component that fits its place nowhere but would in another world.
    """
    asked = {extern.name for world in wanted for extern in world.exports}
    if any(not missing_exports(surface, world, fitting) for world in wanted):
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
    text = f"exports {name}: {with_article(world.name)}, not {with_article(_smallest(wanted).name)}"
    return Problem("world", world.id, text)


def _smallest(worlds: Sequence[World]) -> World:
    return min(worlds, key=lambda world: (len(world.exports), len(world.imports)))


def _parsed(ports: Iterable[Port]) -> Iterator[tuple[PackageName, str]]:
    for port in ports:
        parsed = parse_id(port.name)
        if parsed is not None:
            yield parsed
