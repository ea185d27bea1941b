"""
Read WIT from disk: one file, or a folder with its `deps/`; text, or its binary form.
"""

import os
from collections.abc import Iterator, Set
from pathlib import Path

import attrs

from otelwasm.errors import ComponentError, WitError
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import Interface, Package, World
from otelwasm.wit.parser import parse_file
from otelwasm.wit.resolve import resolve
from otelwasm.wit.syntax import PackageNode

__all__ = ["Packages", "parse", "parse_text"]

# Ends the name of a source that was binary: messages show the text it stands for.
_AS_TEXT = " (as text)"


@attrs.frozen
class Packages:
    """
    A package and all others that were found with it.
    """

    main: Package
    others: tuple[Package, ...] = ()

    def world(self, name: str) -> World:
        """
        The world with this name in the main package, or with this id in any; else KeyError.
        """
        for package in self._all():
            for world in package.worlds:
                if name == world.id or (package is self.main and name == world.name):
                    return world
        raise KeyError(f"package {self.main.name} has no world {name!r}")

    def interface(self, name: str) -> Interface:
        """
        The interface with this name in the main package, or with this id in any; else KeyError.
        """
        for package in self._all():
            for interface in package.interfaces:
                if name == interface.id or (package is self.main and name == interface.name):
                    return interface
        raise KeyError(f"package {self.main.name} has no interface {name!r}")

    def _all(self) -> Iterator[Package]:
        yield self.main
        yield from self.others


def parse(path: str | os.PathLike[str], *, features: Set[str] | None = frozenset()) -> Packages:
    """
    Read a WIT file, or a folder of files that make up one package.

    A folder's `deps/` holds other packages: a folder or a file each. Items behind `@unstable`
    are left out unless *features* names theirs; None asks for all of them.

    A `.wasm` file is a package in its binary form, or a component, which is read as a package
    `root:component` with a world `root`. What one holds of other packages counts only where they
    are not found otherwise.
    """
    place = Path(path)
    if not place.is_dir():
        return _resolved([[_read(place)]], features)
    groups = [_folder(place)]
    deps = place / "deps"
    if deps.is_dir():
        for entry in sorted(deps.iterdir()):
            if entry.is_dir():
                groups.append(_folder(entry))
            elif entry.suffix in (".wit", ".wasm"):
                groups.append([_read(entry)])
            elif entry.suffix == ".wat":
                raise WitError(
                    f"{entry}: WebAssembly's text form is not read here; `wasm-tools parse "
                    f"{entry.name} -o {entry.stem}.wasm` makes the binary form, which is"
                )
    groups = _without_copies(groups)
    return _resolved(groups, features)


def parse_text(
    text: str, name: str = "<text>", *, features: Set[str] | None = frozenset()
) -> Packages:
    """
    Read WIT from a string; *name* stands for the file in messages.
    """
    return _resolved([[parse_file(Source(name, text))]], features)


def _resolved(groups: list[list[PackageNode]], features: Set[str] | None) -> Packages:
    try:
        main, *others = resolve(groups, features=features)
    except RecursionError:
        name = groups[0][0].source.name
        raise WitError(f"{name}: interfaces or types depend on each other too deeply") from None
    return Packages(main, tuple(others))


def _folder(path: Path) -> list[PackageNode]:
    files = sorted(file for file in path.iterdir() if file.suffix == ".wit" and file.is_file())
    if not files:
        raise WitError(f"{path}: no .wit file in this folder")
    return [_read(file) for file in files]


def _read(path: Path) -> PackageNode:
    try:
        data = path.read_bytes()
        if path.suffix == ".wasm":
            return _binary(path, data)
        text = data.decode("utf-8")
    except FileNotFoundError:
        raise WitError(f"{path}: no such file or folder") from None
    except OSError as error:
        raise WitError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WitError(f"{path}: not UTF-8 at byte {error.start}") from error
    return parse_file(Source(str(path), text))


def _binary(path: Path, data: bytes) -> PackageNode:
    # Here, as few need it and it takes a while to import.
    from otelwasm.wit.binary import read_component
    from otelwasm.wit.binary_package import read_package
    from otelwasm.wit.writer import packages_text, surface_text

    try:
        packages = read_package(data)
        if packages is None:
            text = surface_text(read_component(data))
        else:
            text = packages_text(packages[0], packages[1:])
    except ComponentError as error:
        raise WitError(f"{path}: {error}") from None
    return parse_file(Source(f"{path}{_AS_TEXT}", text))


def _without_copies(groups: list[list[PackageNode]]) -> list[list[PackageNode]]:
    """
    *groups* less what binary packages hold of packages that are found elsewhere.
    """
    known = {
        package.name
        for group in groups
        for node in group
        for package in (node, *(() if _is_binary(node) else node.nested))
    }
    kept = []
    for group in groups:
        nodes = []
        for node in group:
            if _is_binary(node):
                nested = tuple(package for package in node.nested if package.name not in known)
                known |= {package.name for package in nested}
                node = attrs.evolve(node, nested=nested)
            nodes.append(node)
        kept.append(nodes)
    return kept


def _is_binary(node: PackageNode) -> bool:
    return node.source.name.endswith(_AS_TEXT)
