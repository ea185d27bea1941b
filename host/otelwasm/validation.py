"""
Say whether a component fits a world, without compiling or running any of it.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from otelwasm.contract import contract_dir
from otelwasm.errors import ComponentError, WitError
from otelwasm.wit.binary import read_component
from otelwasm.wit.check import Report, check_surface
from otelwasm.wit.fitting import Fitting
from otelwasm.wit.model import Interface, Package, World
from otelwasm.wit.names import did_you_mean
from otelwasm.wit.packages import Packages, parse

__all__ = ["Validation", "read_file", "validate"]

# A plugin gets these only where its configuration says so.
_GRANTED = ("http", "state")
# Worlds of this kind are how the Python SDK writes the others.
_PYTHON = "python-"
# Interfaces of the contract that are no capabilities.
_SILENT = frozenset({"types", "direct-host"})


@attrs.frozen
class Validation:
    """
    What came of it: the world that the component fits, or the problems that keep it from that.

    *kind* is "processor", "exporter" or "receiver" for a plugin. *capabilities* are what it
    imports of the host beside WASI, of which *granted* are those that need a configuration's word;
    *wasi* are the WASI interfaces that it imports. None of that says that it uses them.
    """

    report: Report
    kind: str | None
    capabilities: tuple[str, ...]
    wasi: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """
        Whether nothing is wrong.
        """
        return self.report.world is not None

    @property
    def granted(self) -> tuple[str, ...]:
        """
        The capabilities that a configuration must grant.
        """
        return tuple(name for name in self.capabilities if name in _GRANTED)

    def as_json(self) -> dict[str, Any]:
        """
        All of it as values that JSON has.
        """
        world = self.report.world
        return {
            "fits": self.fits,
            "world": None if world is None else world.id,
            "kind": self.kind,
            "problems": [
                {
                    "kind": problem.kind,
                    "name": problem.name,
                    "text": problem.text,
                    "diff": list(problem.diff),
                }
                for problem in self.report.problems
            ],
            "extras": list(self.report.extras),
            "capabilities": list(self.capabilities),
            "wasi": list(self.wasi),
        }

    def __str__(self) -> str:
        return str(self.report)


def validate(
    source: str | os.PathLike[str] | bytes,
    *,
    wit: str | os.PathLike[str] | None = None,
    world: str | None = None,
    has_wasi: bool = True,
) -> Validation:
    """
    Check a component, a file or its bytes, against a *world*; without one, against all there are.

    The worlds are those of *wit*, a file or folder; there, compatible versions stand in for one
    another. Without *wit* they are what this host takes: processor, exporter, receiver, in exactly
    its version. WASI is offered beside a world, unless *has_wasi* is false. ComponentError if
    *source* is no component, WitError if *wit* is no WIT or has no such world.
    """
    data = source if isinstance(source, bytes) else read_file(source)
    try:
        surface = read_component(data)
    except ComponentError as error:
        where = "" if isinstance(source, bytes) else f"{os.fspath(source)}: "
        raise ComponentError(f"{where}{error}") from None
    place = contract_dir() if wit is None else Path(wit)
    package, worlds = _worlds(parse(place), world, place=place, is_contract=wit is None)
    fitting = Fitting(is_exact=wit is None, has_wasi=has_wasi)
    report = check_surface(surface, package, worlds, fitting=fitting)
    fits = report.world if wit is None else None
    return Validation(
        report,
        kind=None if fits is None else fits.name.removeprefix(_PYTHON),
        capabilities=tuple(sorted(_capabilities(report))),
        wasi=tuple(port.name for port in surface.imports if port.name.startswith("wasi:")),
    )


def read_file(path: str | os.PathLike[str]) -> bytes:
    """
    The bytes of a file; ComponentError says why it cannot be read.
    """
    file = Path(path)
    if file.is_dir() or (file.is_file() and file.suffix == ".py"):
        raise ComponentError(
            f"{file}: no component; `otelwasm build {file}` makes one of a plugin's source"
        )
    try:
        return file.read_bytes()
    except OSError as error:
        raise ComponentError(f"{file}: {error.strerror or error}") from None


def _worlds(
    packages: Packages, name: str | None, *, place: Path, is_contract: bool
) -> tuple[Package, list[str] | None]:
    """
    The package and the names of the worlds that *name* stands for; None for all of them.
    """
    if name is None:
        if not packages.main.worlds:
            raise WitError(f"{place}: package {packages.main.name} has no world to check against")
        return packages.main, None
    for package in (packages.main, *packages.others):
        names = [found.name for found in package.worlds if _is_called(found, name, packages)]
        if names:
            also = [f"{_PYTHON}{name}"] if is_contract and not name.startswith(_PYTHON) else []
            return package, [*names, *also]
    known = [found.name for found in packages.main.worlds]
    hint = did_you_mean(name, known) or f"; worlds: {', '.join(known) or 'none'}"
    raise WitError(f"{place}: no world {name!r}{hint}")


def _is_called(world: World, name: str, packages: Packages) -> bool:
    return name == world.id or (name == world.name and world in packages.main.worlds)


def _capabilities(report: Report) -> Iterable[str]:
    for port in report.surface.imports:
        item = port.item
        if isinstance(item, Interface) and item.package is not None and item.functions:
            mine = (item.package.namespace, item.package.name) == ("otelwasm", "plugin")
            if mine and item.name not in _SILENT:
                yield item.name
