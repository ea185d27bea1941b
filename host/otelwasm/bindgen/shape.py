"""
Work out what crosses for one world: the interfaces in order, and the functions by number.
"""

from collections.abc import Iterable, Iterator

import attrs

from otelwasm.errors import WitError
from otelwasm.wit import Interface, World, abi
from otelwasm.wit.types import (
    Alias,
    Enum,
    Flags,
    Function,
    List,
    NamedType,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = ["Call", "Shape", "is_octets", "is_split", "ordered_types", "parts", "shape_of"]


@attrs.frozen
class Call:
    """
    One function that crosses; *label* names it between the host and the bridges.
    """

    interface: Interface | None
    function: Function
    label: str

    @property
    def owner(self) -> str:
        """
        The interface's id; empty for a function of the world itself.
        """
        return "" if self.interface is None else self.interface.id


@attrs.frozen
class Shape:
    """
    A world as the bridges see it.

    *offered* are the interfaces that the host's side exports to the plugin, dependencies first,
    *wanted* those that the plugin's exports are made of, dependencies first.
    """

    world: World
    offered: tuple[Interface, ...]
    wanted: tuple[Interface, ...]
    imports: tuple[Call, ...]
    exports: tuple[Call, ...]

    @property
    def exported(self) -> tuple[Interface, ...]:
        """
        The interfaces that the plugin exports.
        """
        return tuple(x.item for x in self.world.exports if isinstance(x.item, Interface))

    @property
    def imported(self) -> tuple[Interface, ...]:
        """
        The interfaces that the plugin imports for their functions.
        """
        return tuple(x.item for x in self.world.imports if isinstance(x.item, Interface))

    @property
    def needed(self) -> tuple[Interface, ...]:
        """
        The interfaces that the exports take types from, without being exports themselves.
        """
        exported = {interface.id for interface in self.exported}
        return tuple(each for each in self.wanted if each.id not in exported)

    @property
    def largest_result(self) -> int:
        """
        Bytes of the largest result in memory.
        """
        calls = (*self.imports, *self.exports)
        results = (call.function.result for call in calls)
        return max((abi.size(result) for result in results if result is not None), default=0)


def shape_of(world: World) -> Shape:
    """
    The shape of *world*; WitError where it has something that bindings cannot carry yet.
    """
    if world.types or world.uses:
        raise WitError(
            f"world {world.name}: types at the level of a world have no bindings yet; "
            "define them in an interface"
        )
    imported = [x.item for x in world.imports if isinstance(x.item, Interface)]
    exported = [x.item for x in world.exports if isinstance(x.item, Interface)]
    shape = Shape(
        world,
        offered=tuple(_with_dependencies([*world.implied, *imported])),
        wanted=tuple(_with_dependencies(exported)),
        imports=tuple(_calls(world, (x.item for x in world.imports))),
        exports=tuple(_calls(world, (x.item for x in world.exports))),
    )
    offered = {interface.id for interface in shape.offered}
    for interface in shape.needed:
        if interface.id not in offered:
            raise WitError(f"world {world.name}: {interface.id} is used but not imported")
    for interface in (*shape.offered, *shape.wanted):
        for type_ in interface.types:
            where = f"{interface.id}, type {type_.name}"
            _check(type_, where)
            for part in parts(type_):
                _check(part, where)
    return shape


def parts(type_: Type) -> Iterator[Type]:
    """
    The types that a value of *type_* is directly made of.
    """
    match type_:
        case Alias(target=target):
            yield target
        case List(element=element):
            yield element
        case Record() | Tuple():
            yield from abi.element_types(type_) or ()
        case Variant() | Option() | Result():
            yield from (case.type for case in abi.cases(type_) or () if case.type is not None)


def ordered_types(interface: Interface) -> list[NamedType]:
    """
    The types that *interface* defines, each after those it is made of.
    """
    found: dict[str, NamedType] = {}

    def add(type_: Type) -> None:
        for part in parts(type_):
            add(part)
        if isinstance(type_, NamedType) and type_.owner == interface.id:
            found.setdefault(type_.name, type_)

    for type_ in interface.types:
        add(type_)
    return list(found.values())


def is_octets(type_: Type) -> bool:
    """
    Is *type_* `list<u8>`, whatever its name?
    """
    match resolve_alias(type_):
        case List(element=element, length=None):
            return resolve_alias(element) is Primitive.U8
    return False


def is_split(type_: Type) -> bool:
    """
    Is *type_* a `list<u8>` without a name? The direct lane passes those as offset and length.
    """
    return type_ == List(Primitive.U8)


def _calls(world: World, items: Iterable[Interface | Function]) -> Iterator[Call]:
    number = 0
    for item in items:
        interface = item if isinstance(item, Interface) else None
        functions = item.functions if isinstance(item, Interface) else (item,)
        for function in functions:
            place = world.name if interface is None else interface.id
            if function.is_async:
                raise WitError(f"{place}: {function.name} is async, which has no bindings yet")
            for type_ in (*(param.type for param in function.params), function.result):
                if type_ is not None:
                    _check(type_, f"{place}, function {function.name}")
            prefix = "" if interface is None else f"-{interface.name}"
            yield Call(interface, function, f"f{number}{prefix}-{function.name}")
            number += 1


def _check(type_: Type, where: str) -> None:
    """
    Refuse what cannot be carried: handles, streams, futures, maps, lists of fixed length.
    """
    known = List | Option | Result | Tuple | Record | Variant | Enum | Flags | Alias
    has_length = isinstance(type_, List) and type_.length is not None
    is_value = type_ is not Primitive.ERROR_CONTEXT and isinstance(type_, Primitive | known)
    if has_length or not is_value:
        raise WitError(f"{where}: `{type_}` has no bindings yet")
    if isinstance(type_, NamedType):
        return  # its parts are checked where its interface is
    for part in parts(type_):
        _check(part, where)


def _with_dependencies(interfaces: Iterable[Interface]) -> list[Interface]:
    found: dict[str, Interface] = {}

    def add(interface: Interface) -> None:
        if interface.id not in found:
            for dependency in interface.dependencies:
                add(dependency)
            found[interface.id] = interface

    for interface in interfaces:
        add(interface)
    return list(found.values())
