"""
Put files together into packages: find what each name and each `use` stands for.
"""

from collections.abc import Iterable, Set

from otelwasm.wit.definitions import Definitions
from otelwasm.wit.files import Draft, File, Files, error_at
from otelwasm.wit.gates import Gatekeeper
from otelwasm.wit.model import Interface, Package, PackageName, World
from otelwasm.wit.names import NameScope
from otelwasm.wit.syntax import (
    FunctionNode,
    Id,
    InterfaceNode,
    PackageNode,
    Path,
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


class _Resolver:
    def __init__(self, groups: Iterable[Iterable[PackageNode]], gatekeeper: Gatekeeper) -> None:
        self.gatekeeper = gatekeeper
        self._files = Files(groups)
        self._interfaces: dict[int, tuple[Interface, Definitions]] = {}
        self._worlds: dict[int, World] = {}
        self._resolving: list[tuple[int, str]] = []
        self._scale = Scale()

    def packages(self) -> tuple[Package, ...]:
        return tuple(self._package(draft) for draft in self._files.drafts.values())

    def interface_at(self, path: Path, file: File) -> tuple[Interface, Definitions]:
        node, target = self._files.find(path, file)
        if isinstance(node, WorldNode):
            raise error_at(file, path.name, f"`{path}` is a world, not an interface")
        stability = self._stability(node, target)
        if not self.gatekeeper.admits(stability):
            raise error_at(
                file, path.name, f"interface `{path}` is behind a feature that is not on"
            )
        return self._interface(node, target, user=file, place=path.name)

    def world_at(self, path: Path, file: File) -> World:
        node, target = self._files.find(path, file)
        if isinstance(node, InterfaceNode):
            raise error_at(file, path.name, f"`{path}` is an interface, not a world")
        if not self.gatekeeper.admits(self._stability(node, target)):
            raise error_at(file, path.name, f"world `{path}` is behind a feature that is not on")
        return self._world(node, target, user=file, place=path.name)

    def _stability(self, node: InterfaceNode | WorldNode, file: File) -> Stability | None:
        return self.gatekeeper.read(node.gates, file.package.name, source=file.node.source)

    def _package(self, package: Draft) -> Package:
        interfaces: list[Interface] = []
        worlds: list[World] = []
        for node, file in package.items.values():
            if not self.gatekeeper.admits(self._stability(node, file)):
                self._check_excluded(node, file)
            elif isinstance(node, InterfaceNode):
                interfaces.append(self._interface(node, file, user=file, place=node.name)[0])
            else:
                worlds.append(self._world(node, file, user=file, place=node.name))
        return Package(package.name, tuple(interfaces), tuple(worlds), docs=package.docs)

    def _check_excluded(self, node: InterfaceNode | WorldNode, file: File) -> None:
        for item in node.items:
            if isinstance(item, TypeNode):
                read = self.gatekeeper.read(item.gates, file.package.name, source=file.node.source)
                if self.gatekeeper.admits(read):
                    raise error_at(
                        file,
                        item.name,
                        f"`{node.name.text}` is behind a feature, so type "
                        f"`{item.name.text}` needs the same `@unstable`",
                    )

    def _interface(
        self, node: InterfaceNode, file: File, *, user: File, place: Id
    ) -> tuple[Interface, Definitions]:
        known = self._interfaces.get(id(node))
        if known is None:
            self._enter(node, user, place=place)
            known = self.build_interface(node, file, package=file.package.name)
            self._resolving.pop()
            self._interfaces[id(node)] = known
        return known

    def build_interface(
        self, node: InterfaceNode, file: File, *, package: PackageName | None
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
            functions=functions,
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

    def definitions(self, file: File, owner: str) -> Definitions:
        """
        An empty set of types that belong to *owner* and see what *file* sees.
        """
        return Definitions(
            file.node.source,
            file.package.name,
            owner=owner,
            gatekeeper=self.gatekeeper,
            scale=self._scale,
            interface_at=lambda path: self.interface_at(path, file),
        )

    def _world(self, node: WorldNode, file: File, *, user: File, place: Id) -> World:
        known = self._worlds.get(id(node))
        if known is None:
            self._enter(node, user, place=place)
            known = build_world(node, _View(self, file))
            self._resolving.pop()
            self._worlds[id(node)] = known
        return known

    def _enter(self, node: InterfaceNode | WorldNode, user: File, *, place: Id) -> None:
        if any(key == id(node) for key, _ in self._resolving):
            start = [key for key, _ in self._resolving].index(id(node))
            names = [name for _, name in self._resolving[start:]]
            path = " -> ".join(f"`{name}`" for name in [*names, node.name.text])
            raise error_at(user, place, f"`{node.name.text}` depends on itself: {path}")
        self._resolving.append((id(node), node.name.text))


class _View:
    """
    The surroundings of a world in *file*.
    """

    def __init__(self, resolver: _Resolver, file: File) -> None:
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
        return self._resolver.build_interface(node, self._file, package=None)[0]
