"""
Hold what one WIT file says, as written: names are not looked up yet.
"""

import attrs

from otelwasm.wit.lexer import Source
from otelwasm.wit.model import PackageName
from otelwasm.wit.types import FunctionKind

__all__ = [
    "ExternNode",
    "FunctionNode",
    "Gate",
    "Id",
    "IncludeNode",
    "InterfaceNode",
    "Member",
    "PackageNode",
    "Path",
    "TopUseNode",
    "TypeExpr",
    "TypeNode",
    "UseNode",
    "WorldNode",
]


@attrs.frozen
class Id:
    """
    An identifier and where it stands.
    """

    text: str
    at: int
    length: int


@attrs.frozen
class Gate:
    """
    `@since(version = …)`, `@unstable(feature = …)`, `@deprecated(…)` or `@external-id("…")`.
    """

    name: str
    value: str
    at: int


@attrs.frozen
class TypeExpr:
    """
    A type as written: a name, or one of WIT's own words with its arguments.
    """

    word: str
    id: Id
    is_name: bool = False
    arguments: "tuple[TypeExpr | None, ...]" = ()
    length: int | None = None


@attrs.frozen
class Path:
    """
    `name` or `namespace:package/name@version`.
    """

    name: Id
    package: PackageName | None = None

    def __str__(self) -> str:
        return self.name.text if self.package is None else self.package.id_of(self.name.text)


@attrs.frozen
class Member:
    """
    A field, case, flag or parameter.
    """

    name: Id
    type: TypeExpr | None = None
    docs: str = ""


@attrs.frozen
class FunctionNode:
    """
    A function of an interface, a world or a resource.
    """

    name: Id
    kind: FunctionKind
    is_async: bool
    params: tuple[Member, ...]
    result: TypeExpr | None
    docs: str = ""
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class TypeNode:
    """
    A named type; *kind* is the keyword that begins it.
    """

    kind: str
    name: Id
    members: tuple[Member, ...] = ()
    target: TypeExpr | None = None
    functions: tuple[FunctionNode, ...] = ()
    docs: str = ""
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class UseNode:
    """
    `use path.{name as alias, …};`
    """

    path: Path
    names: tuple[tuple[Id, Id], ...]
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class TopUseNode:
    """
    `use path as name;` outside of interfaces and worlds.
    """

    path: Path
    name: Id


@attrs.frozen
class IncludeNode:
    """
    `include path with { name as alias };`
    """

    path: Path
    renames: tuple[tuple[Id, Id], ...]
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class InterfaceNode:
    """
    `interface name { … }`, or the inline one of a world's import or export.
    """

    name: Id
    items: tuple[UseNode | TypeNode | FunctionNode, ...]
    docs: str = ""
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class ExternNode:
    """
    An import or export of a world; *label* is missing where a path alone names it.
    """

    is_import: bool
    label: Id | None
    item: FunctionNode | InterfaceNode | Path
    docs: str = ""
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class WorldNode:
    """
    `world name { … }`
    """

    name: Id
    items: tuple[UseNode | TypeNode | ExternNode | IncludeNode, ...]
    docs: str = ""
    gates: tuple[Gate, ...] = ()


@attrs.frozen
class PackageNode:
    """
    What one file, or one `package … { }` block, adds to a package.
    """

    source: Source
    name: PackageName | None
    name_at: int
    declarations: tuple[InterfaceNode | WorldNode | TopUseNode, ...] = ()
    nested: "tuple[PackageNode, ...]" = ()
    docs: str = ""
