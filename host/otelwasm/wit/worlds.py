"""
Resolve a world: take in what it includes, and find what its imports and exports bring along.
"""

from typing import Protocol

import attrs

from otelwasm.wit.definitions import Definitions
from otelwasm.wit.gates import Gatekeeper
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import Extern, Interface, PackageName, Use, World
from otelwasm.wit.names import NameScope, wire_name
from otelwasm.wit.renaming import Renaming
from otelwasm.wit.syntax import (
    ExternNode,
    FunctionNode,
    Id,
    IncludeNode,
    InterfaceNode,
    Path,
    TypeNode,
    UseNode,
    WorldNode,
)
from otelwasm.wit.types import NamedType, Resource

__all__ = ["Surroundings", "build_world"]


class Surroundings(Protocol):
    """
    What a world can see from where it stands.
    """

    source: Source
    package: PackageName
    gatekeeper: Gatekeeper

    def definitions(self, owner: str) -> Definitions:
        """
        An empty set of types that belong to *owner*.
        """

    def interface_at(self, path: Path) -> Interface:
        """
        The interface that *path* names.
        """

    def world_at(self, path: Path) -> World:
        """
        The world that *path* names.
        """

    def inline(self, node: InterfaceNode) -> Interface:
        """
        The interface written inside a world.
        """


@attrs.define
class _Side:
    """
    A world's imports, or its exports, as they come together.
    """

    names: NameScope
    externs: dict[str, Extern] = attrs.field(factory=dict)
    _included: set[str] = attrs.field(factory=set)

    def add(self, extern: Extern, place: Id) -> None:
        """
        Take an import or export that the world names itself; an include may have brought it.
        """
        if extern.name in self._included:
            self._included.remove(extern.name)
        elif isinstance(extern.item, Interface) and extern.name in self.externs:
            raise self.names.source.error(
                place.at, f"{self.names.what} `{extern.name}` stands twice", length=place.length
            )
        self._put(extern, place)

    def include(self, extern: Extern, place: Id) -> None:
        """
        Take an import or export of an included world; an interface may be there already.
        """
        if not _is_id(extern.name):
            self._put(extern, place)
        elif extern.name not in self.externs:
            self._included.add(extern.name)
            self._put(extern, place)

    def _put(self, extern: Extern, place: Id) -> None:
        if not _is_id(extern.name):
            kind = None if isinstance(extern.item, Interface) else extern.item.kind
            self.names.add(extern.name, place, kind=kind)
        self.externs[extern.name] = extern


def build_world(node: WorldNode, around: Surroundings) -> World:
    """
    Resolve *node*.
    """
    return _Builder(node, around).world()


class _Builder:
    def __init__(self, node: WorldNode, around: Surroundings) -> None:
        self._node = node
        self._around = around
        self._id = around.package.id_of(node.name.text)
        self._imports = _Side(NameScope(around.source, "import"))
        self._exports = _Side(NameScope(around.source, "export"))
        self._definitions = around.definitions(self._id)
        self._types: list[NamedType] = []
        self._uses: list[Use] = []
        self._needed: list[Interface] = []

    def world(self) -> World:
        items = self._node.items
        self._definitions.define(
            [item for item in items if isinstance(item, UseNode)],
            [item for item in items if isinstance(item, TypeNode)],
        )
        self._types.extend(self._definitions.types)
        self._uses.extend(self._definitions.uses)
        self._needed.extend(self._definitions.used)
        for item in items:
            match item:
                case UseNode(names=names):
                    for _, name in names:
                        self._imports.names.add(name.text, name)
                case TypeNode():
                    self._imports.names.add_type(item)
                case ExternNode():
                    self._extern(item)
                case IncludeNode():
                    self._include(item)
        self._imports.names.check_setters()
        self._exports.names.check_setters()
        stability = self._around.gatekeeper.read(
            self._node.gates, self._around.package, source=self._around.source
        )
        return World(
            self._node.name.text,
            self._around.package,
            tuple(self._imports.externs.values()),
            tuple(self._exports.externs.values()),
            implied=self._implied(),
            types=tuple(self._types),
            uses=tuple(self._uses),
            docs=self._node.docs,
            stability=stability,
        )

    def _extern(self, node: ExternNode) -> None:
        around = self._around
        stability = around.gatekeeper.read(node.gates, around.package, source=around.source)
        if not around.gatekeeper.admits(stability):
            return
        side = self._imports if node.is_import else self._exports
        item = node.item
        if isinstance(item, FunctionNode):
            function = self._definitions.function(item)
            assert function is not None
            name = wire_name(item.kind, item.name.text)
            side.add(Extern(name, function, docs=node.docs, stability=stability), item.name)
            return
        if isinstance(item, InterfaceNode):
            interface = around.inline(item)
            name, place = item.name.text, item.name
        else:
            interface = around.interface_at(item)
            place = node.label or item.name
            name = interface.id if node.label is None else node.label.text
        side.add(Extern(name, interface, docs=node.docs, stability=stability), place)

    def _include(self, node: IncludeNode) -> None:
        around = self._around
        stability = around.gatekeeper.read(node.gates, around.package, source=around.source)
        if not around.gatekeeper.admits(stability):
            return
        world = around.world_at(node.path)
        renames = {old.text: new.text for old, new in node.renames}
        unused = dict.fromkeys(renames)

        def renamed(name: str) -> str:
            tags, bracket, label = name.rpartition("]")
            if _is_id(name) or label not in renames:
                return name
            unused.pop(label, None)
            return f"{tags}{bracket}{renames[label]}"

        place = node.path.name
        renaming = Renaming(world.id, self._id, renamed)
        for type_ in world.types:
            self._add_type(renaming.named(type_), place)
        for use in world.uses:
            used = attrs.evolve(use, name=renamed(use.name))
            self._imports.names.add(used.name, place)
            self._uses.append(used)
        for side, externs in (self._imports, world.imports), (self._exports, world.exports):
            for extern in externs:
                side.include(_renamed(extern, renamed(extern.name), renaming=renaming), place)
        self._needed.extend(world.implied)
        for old, _ in node.renames:
            if old.text in unused:
                raise around.source.error(
                    old.at,
                    f"{node.path} has no import or export `{old.text}` to rename "
                    "(an interface with an id keeps it)",
                    length=old.length,
                )

    def _add_type(self, type_: NamedType, place: Id) -> None:
        self._types.append(type_)
        self._imports.names.add(type_.name, place)
        if isinstance(type_, Resource):
            for function in type_.functions:
                name = wire_name(function.kind, function.name, resource=type_.name)
                self._imports.names.add(name, place, kind=function.kind)

    def _implied(self) -> tuple[Interface, ...]:
        """
        The interfaces to import because a type is used from them, dependencies first.

        An exported interface takes types from an exported one, where there is one; it must not
        see the same interface imported and exported.
        """
        found: dict[str, Interface] = {}

        def need(interface: Interface) -> None:
            for dependency in interface.dependencies:
                need(dependency)
            if interface.id not in self._imports.externs:
                found.setdefault(interface.id, interface)

        for extern in self._imports.externs.values():
            if isinstance(extern.item, Interface):
                for dependency in extern.item.dependencies:
                    need(dependency)
        for interface in self._needed:
            need(interface)
        required: dict[str, str] = {}
        exports = [
            extern
            for extern in self._exports.externs.values()
            if isinstance(extern.item, Interface)
        ]
        for extern in exports:
            assert isinstance(extern.item, Interface)
            for dependency in extern.item.dependencies:
                if dependency.id not in self._exports.externs:
                    need(dependency)
                    _require(dependency, extern.name, required=required)
        for extern in exports:
            if extern.name in required:
                place = self._node.name
                raise self._around.source.error(
                    place.at,
                    f"world `{place.text}` exports `{extern.name}`, and its export "
                    f"`{required[extern.name]}` needs the same interface as an import, through "
                    "one that is not exported; export that one too",
                    length=place.length,
                )
        return tuple(found.values())


def _require(interface: Interface, why: str, *, required: dict[str, str]) -> None:
    required.setdefault(interface.id, why)
    for dependency in interface.dependencies:
        _require(dependency, why, required=required)


def _renamed(extern: Extern, name: str, *, renaming: Renaming) -> Extern:
    item = extern.item
    label = name.rpartition("]")[2]
    if not isinstance(item, Interface):
        return attrs.evolve(
            extern, name=name, item=attrs.evolve(renaming.function(item), name=label)
        )
    if item.package is None:
        item = attrs.evolve(item, name=label)
    return attrs.evolve(extern, name=name, item=item)


def _is_id(name: str) -> bool:
    return ":" in name
