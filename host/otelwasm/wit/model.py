"""
Hold a contract's packages, worlds, interfaces and types as values that generators can walk.

Type references are resolved: where a function names a type, the model has that type itself,
which knows the interface that defines it (`owner`). Everything keeps its source order and its
doc comment; neither doc comments nor gates matter to equality.

    Package ── Interface ── types: NamedType = Record | Variant | Enum | Flags | Resource | Alias
       │           ├─────── uses: Use, a named type of another interface under a name here
       │           └─────── functions: Function ── params: Param, result
       └────── World ────── imports, exports: Extern ── item: Interface | Function
                   └─────── implied: interfaces imported only because the others use their types
"""

from collections.abc import Iterable
from typing import TypeVar

import attrs

from otelwasm.wit.types import Function, NamedType, Stability

__all__ = [
    "Extern",
    "Interface",
    "Package",
    "PackageName",
    "Use",
    "World",
]


@attrs.frozen
class Use:
    """
    `use owner.{type as name};`: a named type of another interface, under *name* in this one.
    """

    name: str
    type: NamedType


@attrs.frozen
class PackageName:
    """
    `namespace:name@version`.
    """

    namespace: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        version = "" if self.version is None else f"@{self.version}"
        return f"{self.namespace}:{self.name}{version}"

    def id_of(self, item: str) -> str:
        """
        The id of an interface or world of this package: `otelwasm:plugin/types@0.1.0`.
        """
        version = "" if self.version is None else f"@{self.version}"
        return f"{self.namespace}:{self.name}/{item}{version}"


@attrs.frozen
class Interface:
    """
    Types and functions under one name; *package* is missing for one written inside a world.

    *dependencies* are the interfaces that its `use`s name.
    """

    name: str
    package: PackageName | None
    types: tuple[NamedType, ...]
    functions: tuple[Function, ...]
    uses: tuple[Use, ...] = ()
    dependencies: "tuple[Interface, ...]" = attrs.field(default=(), eq=False, repr=False)
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    @property
    def id(self) -> str:
        """
        What components call it: `otelwasm:plugin/types@0.1.0`.
        """
        return self.name if self.package is None else self.package.id_of(self.name)

    def function(self, name: str) -> Function:
        """
        The function called *name*; KeyError if there is none.
        """
        return _named(self.functions, name, f"interface {self.id} has no function")

    def type(self, name: str) -> NamedType:
        """
        The type called *name* here, defined or used; KeyError if there is none.
        """
        for use in self.uses:
            if use.name == name:
                return use.type
        for type_ in self.types:
            if type_.name == name:
                return type_
        raise KeyError(f"interface {self.id} has no type {name!r}")


@attrs.frozen
class Extern:
    """
    One import or export of a world: *name* is an interface's id or a plain name.
    """

    name: str
    item: Interface | Function
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)


@attrs.frozen
class World:
    """
    What a component may import and must export.
    """

    name: str
    package: PackageName
    imports: tuple[Extern, ...]
    exports: tuple[Extern, ...]
    implied: tuple[Interface, ...] = ()
    types: tuple[NamedType, ...] = ()
    uses: tuple[Use, ...] = ()
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    @property
    def id(self) -> str:
        """
        Its full name: `otelwasm:plugin/processor@0.1.0`.
        """
        return self.package.id_of(self.name)


@attrs.frozen
class Package:
    """
    The interfaces and worlds published under one name.
    """

    name: PackageName
    interfaces: tuple[Interface, ...]
    worlds: tuple[World, ...]
    docs: str = attrs.field(default="", eq=False, kw_only=True)

    def interface(self, name: str) -> Interface:
        """
        The interface called *name*; KeyError if there is none.
        """
        return _named(self.interfaces, name, f"package {self.name} has no interface")

    def world(self, name: str) -> World:
        """
        The world called *name*; KeyError if there is none.
        """
        return _named(self.worlds, name, f"package {self.name} has no world")


_T = TypeVar("_T", Function, Interface, World)


def _named(items: Iterable[_T], name: str, problem: str) -> _T:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(f"{problem} {name!r}")
