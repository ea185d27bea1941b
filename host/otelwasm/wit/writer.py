"""
Write whole packages, or all that a component shows, as WIT text that reads back as the same.
"""

import re
from collections.abc import Iterable, Iterator

import attrs

from otelwasm.wit.binary import Surface
from otelwasm.wit.ids import version_key
from otelwasm.wit.model import Extern, Interface, Package, PackageName, Use, World
from otelwasm.wit.text import Speller, indented, notes, spelled
from otelwasm.wit.types import Function, NamedType, Resource, Stability

__all__ = ["packages_text", "surface_text"]

_MEMBER = re.compile(r"\[(?:constructor|method|static)\](?:\[[gs]et\])?([^.]+)")
_ROOT = PackageName("root", "component")


def packages_text(main: Package, others: Iterable[Package] = ()) -> str:
    """
    One file with the package *main*, and the *others* nested in it.
    """
    lines = [*notes(main.docs, None), f"package {_spelled_name(main.name)};"]
    lines += _declarations(main)
    for package in others:
        lines += ["", *notes(package.docs, None), f"package {_spelled_name(package.name)} {{"]
        lines += [*indented(_declarations(package)[1:]), "}"]
    return "\n".join(lines) + "\n"


def surface_text(surface: Surface) -> str:
    """
    What a component imports and exports, as a world `root` and the packages that it needs.
    """
    types: list[NamedType] = []
    uses: list[Use] = []
    sides: dict[str, list[Extern]] = {"imports": [], "exports": []}
    interfaces: dict[str, Interface] = {}
    members: dict[str, list[Function]] = {}
    for side, ports in ("imports", surface.imports), ("exports", surface.exports):
        for port in ports:
            match port.item:
                case Function() if resource := _MEMBER.match(port.name):
                    members.setdefault(resource[1], []).append(port.item)
                case Interface() | Function():
                    sides[side].append(Extern(port.name, port.item))
                case None:
                    continue
                case item if item.owner:
                    uses.append(Use(port.name, item))
                case item:
                    types.append(item)
            if isinstance(port.item, Interface) and port.item.package is not None:
                known = interfaces.get(port.item.id)
                interfaces[port.item.id] = _union(port.item, known) if known else port.item
    world = World(
        "root",
        _ROOT,
        tuple(sides["imports"]),
        tuple(sides["exports"]),
        types=tuple(_with_members(type_, members) for type_ in types),
        uses=tuple(uses),
    )
    packages: dict[PackageName, list[Interface]] = {}
    for interface in interfaces.values():
        assert interface.package is not None
        packages.setdefault(interface.package, []).append(interface)
    others = [Package(name, tuple(its), ()) for name, its in packages.items()]
    return packages_text(Package(_ROOT, (), (world,)), others)


def _with_members(type_: NamedType, members: dict[str, list[Function]]) -> NamedType:
    """
    A resource of the world itself with its functions, which stand among the imports.
    """
    if not isinstance(type_, Resource):
        return type_
    return attrs.evolve(type_, functions=tuple(members.get(type_.name, ())))


def _declarations(package: Package) -> list[str]:
    lines: list[str] = []
    for interface in package.interfaces:
        lines += ["", *notes(interface.docs, interface.stability)]
        lines += [f"interface {spelled(interface.name)} {{"]
        lines += [*indented(_interface(interface, package.name)), "}"]
    for world in package.worlds:
        lines += ["", *notes(world.docs, world.stability)]
        lines += [f"world {spelled(world.name)} {{", *indented(_world(world)), "}"]
    return lines


def _interface(interface: Interface, home: PackageName | None) -> list[str]:
    speller = _speller(interface.uses)
    return [
        *_uses(interface.uses, home, interface.dependencies),
        *(line for type_ in interface.types for line in speller.definition(type_)),
        *speller.functions(interface.functions),
    ]


def _world(world: World) -> Iterator[str]:
    speller = _speller(world.uses)
    yield from _uses(world.uses, world.package)
    for type_ in world.types:
        yield from speller.definition(type_)
    for word, externs in ("import", world.imports), ("export", world.exports):
        for extern in externs:
            yield from _extern(extern, word, speller=speller, home=world.package)


def _extern(extern: Extern, word: str, *, speller: Speller, home: PackageName) -> Iterator[str]:
    item = extern.item
    yield from notes(extern.docs, _own(extern.stability, home))
    if isinstance(item, Function):
        yield f"{word} {speller.function(item)}"
    elif item.package is None:
        yield f"{word} {spelled(item.name)}: interface {{"
        yield from indented(_interface(item, home))
        yield "}"
    elif extern.name == item.id:
        yield f"{word} {_path(item.id, home)};"
    else:
        yield f"{word} {spelled(extern.name)}: {_path(item.id, home)};"


def _own(stability: Stability | None, home: PackageName) -> Stability | None:
    """
    A gate, unless it came with an included world and is about a version of another package.
    """
    since = stability and stability.since
    if since and (home.version is None or version_key(since) > version_key(home.version)):
        return None
    return stability


def _uses(
    uses: Iterable[Use], home: PackageName | None, dependencies: Iterable[Interface] = ()
) -> Iterator[str]:
    """
    The `use` lines, one for each interface that something is used from.
    """
    by_owner: dict[str, list[str]] = {}
    for use in uses:
        owner, name = _source(use, dependencies)
        renamed = "" if use.name == name else f" as {spelled(use.name)}"
        by_owner.setdefault(owner, []).append(f"{spelled(name)}{renamed}")
    for owner, names in by_owner.items():
        yield f"use {_path(owner, home)}.{{{', '.join(names)}}};"


def _source(use: Use, dependencies: Iterable[Interface]) -> tuple[str, str]:
    """
    Where a type is used from, and its name there: who defines it, or who uses it in turn.
    """
    key = (use.type.owner, use.type.name)
    for interface in dependencies:
        for other in () if interface.id == key[0] else interface.uses:
            if (other.type.owner, other.type.name) == key:
                return interface.id, other.name
    return key


def _path(id_: str, home: PackageName | None) -> str:
    """
    What an interface is called from within the package *home*.
    """
    package, _, rest = id_.partition("/")
    name, at, version = rest.partition("@")
    if home is not None and f"{package}{at}{version}" == str(home):
        return spelled(name)
    namespace, _, label = package.partition(":")
    return f"{spelled(namespace)}:{spelled(label)}/{spelled(name)}{at}{version}"


def _speller(uses: Iterable[Use]) -> Speller:
    names = {(use.type.owner, use.type.name): use.name for use in uses}
    return Speller(names, has_notes=True)


def _spelled_name(name: PackageName) -> str:
    return str(attrs.evolve(name, namespace=spelled(name.namespace), name=spelled(name.name)))


def _union(one: Interface, other: Interface) -> Interface:
    """
    An interface that is imported and exported, with what either side has of it.
    """
    types = {type_.name: type_ for type_ in (*one.types, *other.types)}
    for name, type_ in types.items():
        both = [each for each in (*one.types, *other.types) if each.name == name]
        if isinstance(type_, Resource):
            members = [f for each in both if isinstance(each, Resource) for f in each.functions]
            types[name] = attrs.evolve(type_, functions=tuple(dict.fromkeys(members)))
    return attrs.evolve(
        one,
        types=tuple(types.values()),
        functions=tuple(dict.fromkeys((*one.functions, *other.functions))),
        uses=tuple(dict.fromkeys((*one.uses, *other.uses))),
    )
