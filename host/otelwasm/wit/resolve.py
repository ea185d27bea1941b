"""
Put files together into packages: find what each name and each `use` stands for.
"""

from collections.abc import Iterable, Set

import attrs

from otelwasm.errors import WitError
from otelwasm.wit.definitions import Definitions
from otelwasm.wit.gates import Gatekeeper
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import Interface, Package, PackageName, World
from otelwasm.wit.names import NameScope
from otelwasm.wit.syntax import (
    FunctionNode,
    Id,
    InterfaceNode,
    PackageNode,
    Path,
    TopUseNode,
    TypeNode,
    UseNode,
    WorldNode,
)
from otelwasm.wit.types import Stability
from otelwasm.wit.walk import Scale
from otelwasm.wit.worlds import build_world

__all__ = ["resolve"]


def resolve(
    groups: Iterable[Iterable[PackageNode]], *, features: Set[str] | None = frozenset()
) -> tuple[Package, ...]:
    """
    The packages that *groups* of files make up; the files of one group are one package.

    The first group is the main package and comes first. Items behind `@unstable` are left out
    unless *features* names theirs; None asks for all.
    """
    return _Resolver(groups, Gatekeeper(features)).packages()


@attrs.define
class _File:
    """
    One file, or one `package { }` block, and what its top-level names stand for.
    """

    node: PackageNode
    package: "_Package"
    aliases: dict[str, Path] = attrs.field(factory=dict)


@attrs.define
class _Package:
    """
    What is known of a package before it is resolved.
    """

    name: PackageName
    source: Source
    at: int
    files: list[_File] = attrs.field(factory=list)
    items: dict[str, tuple[InterfaceNode | WorldNode, _File]] = attrs.field(factory=dict)
    docs: str = ""


class _Resolver:
    def __init__(self, groups: Iterable[Iterable[PackageNode]], gatekeeper: Gatekeeper) -> None:
        self.gatekeeper = gatekeeper
        self._packages: dict[PackageName, _Package] = {}
        self._interfaces: dict[int, tuple[Interface, Definitions]] = {}
        self._worlds: dict[int, World] = {}
        self._resolving: list[tuple[int, str]] = []
        self._scale = Scale()
        self._needs: dict[PackageName, dict[PackageName, None]] = {}
        for group in groups:
            self._add_group(list(group))

    def packages(self) -> tuple[Package, ...]:
        for package in self._packages.values():
            for file in package.files:
                self._check_top_uses(file)
        return tuple(self._package(package) for package in self._packages.values())

    # Collecting

    def _add_group(self, files: list[PackageNode]) -> None:
        named = [file for file in files if file.name is not None]
        nested = [package for file in files for package in file.nested]
        if not named:
            source = files[0].source
            raise WitError(
                f"{source.name}: no `package namespace:name;` is found; "
                "the first line of a package's file says its name"
            )
        first = named[0]
        for file in named[1:]:
            if file.name != first.name:
                raise file.source.error(
                    file.name_at, f"package {file.name} in the folder of package {first.name}"
                )
        self._add_package(first, files)
        for package in nested:
            if package.nested:
                inner = package.nested[0]
                raise inner.source.error(
                    inner.name_at, "a nested package stands at a file's top level"
                )
            self._add_package(package, [package])

    def _add_package(self, first: PackageNode, files: list[PackageNode]) -> None:
        assert first.name is not None
        if first.name in self._packages:
            other = self._packages[first.name].source.name
            raise first.source.error(
                first.name_at, f"package {first.name} is defined twice, first in {other}"
            )
        package = _Package(first.name, first.source, first.name_at)
        self._packages[first.name] = package
        for node in files:
            if node.docs:
                if package.docs:
                    raise node.source.error(
                        node.name_at, "the package has its doc comment in another file already"
                    )
                package.docs = node.docs
            self._add_file(package, node)
        for file in package.files:
            self._add_aliases(file)

    def _add_file(self, package: _Package, node: PackageNode) -> None:
        file = _File(node, package)
        package.files.append(file)
        for item in node.declarations:
            if isinstance(item, TopUseNode):
                continue
            if item.name.text in package.items:
                raise _error(file, item.name, f"`{item.name.text}` is defined twice")
            package.items[item.name.text] = (item, file)

    def _add_aliases(self, file: _File) -> None:
        own = {
            item.name.text for item in file.node.declarations if not isinstance(item, TopUseNode)
        }
        for item in file.node.declarations:
            if isinstance(item, TopUseNode):
                if item.name.text in own or item.name.text in file.aliases:
                    raise _error(
                        file,
                        item.name,
                        f"the name `{item.name.text}` is defined twice in this file",
                    )
                file.aliases[item.name.text] = item.path

    def _check_top_uses(self, file: _File) -> None:
        for path in file.aliases.values():
            if path.package is None:
                if path.name.text not in file.package.items:
                    raise _error(file, path.name, f"unknown interface or world `{path.name.text}`")
            elif isinstance(self._find(path, file)[0], WorldNode):
                raise _error(
                    file, path.name, f"`{path}` is a world; a `use` out here names an interface"
                )

    # Looking up

    def _find(self, path: Path, file: _File) -> tuple[InterfaceNode | WorldNode, _File]:
        if path.package is None:
            alias = file.aliases.get(path.name.text)
            if alias is not None:
                if alias.package is None and alias.name.text in file.package.items:
                    return file.package.items[alias.name.text]
                return self._find(alias, file)
            item = file.package.items.get(path.name.text)
            if item is None:
                raise _error(file, path.name, f"unknown interface or world `{path.name.text}`")
            return item
        package = self._packages.get(path.package)
        if package is None:
            raise _error(file, path.name, self._no_package(path.package))
        self._refuse_cycle(file, path)
        item = package.items.get(path.name.text)
        if item is None:
            raise _error(
                file,
                path.name,
                f"package {path.package} has no interface or world `{path.name.text}`",
            )
        return item

    def _no_package(self, name: PackageName) -> str:
        others = [
            str(known)
            for known in self._packages
            if (known.namespace, known.name) == (name.namespace, name.name)
        ]
        found = f"; found {', '.join(others)}" if others else "; is it missing in deps/?"
        return f"unknown package {name}{found}"

    def _refuse_cycle(self, file: _File, path: Path) -> None:
        """
        Note that *file*'s package needs the one that *path* names; packages go one way only.
        """
        assert path.package is not None
        here = file.package.name
        if path.package in self._needs.setdefault(here, {}):
            return
        self._needs[here][path.package] = None
        chain = self._chain(path.package, here)
        if chain:
            text = " -> ".join(str(name) for name in [here, *chain])
            raise _error(file, path.name, f"packages depend on each other: {text}")

    def _chain(self, start: PackageName, goal: PackageName) -> list[PackageName]:
        """
        How *start* needs *goal*; empty if it does not.
        """
        came: dict[PackageName, PackageName | None] = {start: None}
        queue = [start]
        for name in queue:
            if name == goal:
                chain = [name]
                while (before := came[chain[0]]) is not None:
                    chain.insert(0, before)
                return chain
            for needed in self._needs.get(name, ()):
                if needed not in came:
                    came[needed] = name
                    queue.append(needed)
        return []

    def interface_at(self, path: Path, file: _File) -> tuple[Interface, Definitions]:
        node, target = self._find(path, file)
        if isinstance(node, WorldNode):
            raise _error(file, path.name, f"`{path}` is a world, not an interface")
        stability = self._stability(node, target)
        if not self.gatekeeper.admits(stability):
            raise _error(file, path.name, f"interface `{path}` is behind a feature that is not on")
        return self._interface(node, target, file, path.name)

    def world_at(self, path: Path, file: _File) -> World:
        node, target = self._find(path, file)
        if isinstance(node, InterfaceNode):
            raise _error(file, path.name, f"`{path}` is an interface, not a world")
        if not self.gatekeeper.admits(self._stability(node, target)):
            raise _error(file, path.name, f"world `{path}` is behind a feature that is not on")
        return self._world(node, target, file, path.name)

    def _stability(self, node: InterfaceNode | WorldNode, file: _File) -> Stability | None:
        return self.gatekeeper.read(node.gates, file.package.name, file.node.source)

    # Resolving

    def _package(self, package: _Package) -> Package:
        interfaces: list[Interface] = []
        worlds: list[World] = []
        for node, file in package.items.values():
            if not self.gatekeeper.admits(self._stability(node, file)):
                self._check_excluded(node, file)
            elif isinstance(node, InterfaceNode):
                interfaces.append(self._interface(node, file, file, node.name)[0])
            else:
                worlds.append(self._world(node, file, file, node.name))
        return Package(package.name, tuple(interfaces), tuple(worlds), docs=package.docs)

    def _check_excluded(self, node: InterfaceNode | WorldNode, file: _File) -> None:
        for item in node.items:
            if isinstance(item, TypeNode):
                read = self.gatekeeper.read(item.gates, file.package.name, file.node.source)
                if self.gatekeeper.admits(read):
                    raise _error(
                        file,
                        item.name,
                        f"`{node.name.text}` is behind a feature, so type "
                        f"`{item.name.text}` needs the same `@unstable`",
                    )

    def _interface(
        self, node: InterfaceNode, file: _File, user: _File, place: Id
    ) -> tuple[Interface, Definitions]:
        known = self._interfaces.get(id(node))
        if known is None:
            self._enter(node, user, place)
            known = self.build_interface(node, file, file.package.name)
            self._resolving.pop()
            self._interfaces[id(node)] = known
        return known

    def build_interface(
        self, node: InterfaceNode, file: _File, package: PackageName | None
    ) -> tuple[Interface, Definitions]:
        """
        Resolve an interface; one that is written inside a world has no *package*.
        """
        owner = node.name.text if package is None else package.id_of(node.name.text)
        definitions = self.definitions(file, owner)
        functions = [item for item in node.items if isinstance(item, FunctionNode)]
        definitions.define(
            [item for item in node.items if isinstance(item, UseNode)],
            [item for item in node.items if isinstance(item, TypeNode)],
            functions,
        )
        names = NameScope(file.node.source)
        for item in node.items:
            match item:
                case UseNode(names=used):
                    for _, name in used:
                        names.add(name.text, name)
                case TypeNode():
                    names.add_type(item)
                case FunctionNode():
                    names.add_function(item)
        names.check_setters()
        found = [definitions.function(function) for function in functions]
        interface = Interface(
            node.name.text,
            package,
            definitions.types,
            tuple(function for function in found if function is not None),
            tuple(definitions.uses),
            tuple(definitions.used),
            docs=node.docs,
            stability=self._stability(node, file),
        )
        return interface, definitions

    def definitions(self, file: _File, owner: str) -> Definitions:
        """
        An empty set of types that belong to *owner* and see what *file* sees.
        """
        return Definitions(
            file.node.source,
            file.package.name,
            owner,
            gatekeeper=self.gatekeeper,
            scale=self._scale,
            interface_at=lambda path: self.interface_at(path, file),
        )

    def _world(self, node: WorldNode, file: _File, user: _File, place: Id) -> World:
        known = self._worlds.get(id(node))
        if known is None:
            self._enter(node, user, place)
            known = build_world(node, _View(self, file))
            self._resolving.pop()
            self._worlds[id(node)] = known
        return known

    def _enter(self, node: InterfaceNode | WorldNode, user: _File, place: Id) -> None:
        if any(key == id(node) for key, _ in self._resolving):
            start = [key for key, _ in self._resolving].index(id(node))
            names = [name for _, name in self._resolving[start:]]
            path = " -> ".join(f"`{name}`" for name in [*names, node.name.text])
            raise _error(user, place, f"`{node.name.text}` depends on itself: {path}")
        self._resolving.append((id(node), node.name.text))


class _View:
    """
    The surroundings of a world in *file*.
    """

    def __init__(self, resolver: _Resolver, file: _File) -> None:
        self._resolver = resolver
        self._file = file
        self.source = file.node.source
        self.package = file.package.name
        self.gatekeeper = resolver.gatekeeper

    def definitions(self, owner: str) -> Definitions:
        return self._resolver.definitions(self._file, owner)

    def interface_at(self, path: Path) -> Interface:
        return self._resolver.interface_at(path, self._file)[0]

    def world_at(self, path: Path) -> World:
        return self._resolver.world_at(path, self._file)

    def inline(self, node: InterfaceNode) -> Interface:
        return self._resolver.build_interface(node, self._file, None)[0]


def _error(file: _File, place: Id, message: str) -> WitError:
    return file.node.source.error(place.at, message, length=place.length)
