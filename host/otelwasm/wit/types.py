"""
Hold WIT's types as values; a reference to a named type is that type itself.

    Type ── Primitive, List, Map, Option, Result, Tuple, Future, Stream   anonymous
       ├─── Own, Borrow                                                   handles on a Resource
       └─── NamedType ── Record, Variant, Enum, Flags, Resource, Alias    know their `owner`
"""

import enum

import attrs

__all__ = [
    "Alias",
    "Borrow",
    "Case",
    "Enum",
    "Field",
    "Flag",
    "Flags",
    "Function",
    "FunctionKind",
    "Future",
    "List",
    "Map",
    "NamedType",
    "Option",
    "Own",
    "Param",
    "Primitive",
    "Record",
    "Resource",
    "ResourceName",
    "Result",
    "Stability",
    "Stream",
    "Tuple",
    "Type",
    "Variant",
    "resolve_alias",
]


class Primitive(enum.Enum):
    """
    A type without parts; the value is its WIT spelling.
    """

    BOOL = "bool"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    S8 = "s8"
    S16 = "s16"
    S32 = "s32"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    STRING = "string"
    ERROR_CONTEXT = "error-context"

    def __str__(self) -> str:
        return self.value


@attrs.frozen
class Stability:
    """
    What an item's gates say: in which version it came, or that a feature must be asked for.
    """

    since: str | None = None
    feature: str | None = None
    deprecated: str | None = None


@attrs.frozen
class ResourceName:
    """
    Which resource a handle points to; by name, because a resource's methods mention it.
    """

    owner: str
    name: str

    def __str__(self) -> str:
        return self.name


@attrs.frozen(cache_hash=True)
class List:
    """
    `list<element>`, or `list<element, length>` when a *length* is given.
    """

    element: "Type"
    length: int | None = None

    def __str__(self) -> str:
        if self.length is None:
            return f"list<{self.element}>"
        return f"list<{self.element}, {self.length}>"


@attrs.frozen(cache_hash=True)
class Map:
    """
    `map<key, value>`.
    """

    key: "Type"
    value: "Type"

    def __str__(self) -> str:
        return f"map<{self.key}, {self.value}>"


@attrs.frozen(cache_hash=True)
class Option:
    """
    `option<some>`.
    """

    some: "Type"

    def __str__(self) -> str:
        return f"option<{self.some}>"


@attrs.frozen(cache_hash=True)
class Result:
    """
    `result<ok, err>`; either may be missing.
    """

    ok: "Type | None" = None
    err: "Type | None" = None

    def __str__(self) -> str:
        if self.err is None:
            return "result" if self.ok is None else f"result<{self.ok}>"
        return f"result<{'_' if self.ok is None else self.ok}, {self.err}>"


@attrs.frozen(cache_hash=True)
class Tuple:
    """
    `tuple<…>`.
    """

    items: "tuple[Type, ...]"

    def __str__(self) -> str:
        return f"tuple<{', '.join(str(item) for item in self.items)}>"


@attrs.frozen(cache_hash=True)
class Own:
    """
    A handle that owns a resource: `own<r>`, or `r` alone.
    """

    resource: ResourceName

    def __str__(self) -> str:
        return f"{self.resource}"


@attrs.frozen(cache_hash=True)
class Borrow:
    """
    A handle lent for one call: `borrow<r>`.
    """

    resource: ResourceName

    def __str__(self) -> str:
        return f"borrow<{self.resource}>"


@attrs.frozen(cache_hash=True)
class Future:
    """
    `future` or `future<payload>`.
    """

    payload: "Type | None" = None

    def __str__(self) -> str:
        return "future" if self.payload is None else f"future<{self.payload}>"


@attrs.frozen(cache_hash=True)
class Stream:
    """
    `stream` or `stream<payload>`.
    """

    payload: "Type | None" = None

    def __str__(self) -> str:
        return "stream" if self.payload is None else f"stream<{self.payload}>"


@attrs.frozen
class Field:
    """
    One field of a record.
    """

    name: str
    type: "Type"
    docs: str = attrs.field(default="", eq=False, kw_only=True)


@attrs.frozen
class Case:
    """
    One case of a variant, or of an enum (which never has a payload's type).
    """

    name: str
    type: "Type | None" = None
    docs: str = attrs.field(default="", eq=False, kw_only=True)


@attrs.frozen
class Flag:
    """
    One bit of a flags type; the first is the lowest.
    """

    name: str
    docs: str = attrs.field(default="", eq=False, kw_only=True)


@attrs.frozen(cache_hash=True)
class Record:
    """
    `record name { … }`; *owner* is the id of the interface or world that defines it.
    """

    name: str
    owner: str
    fields: tuple[Field, ...]
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


@attrs.frozen(cache_hash=True)
class Variant:
    """
    `variant name { … }`.
    """

    name: str
    owner: str
    cases: tuple[Case, ...]
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


@attrs.frozen(cache_hash=True)
class Enum:
    """
    `enum name { … }`.
    """

    name: str
    owner: str
    cases: tuple[Case, ...]
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


@attrs.frozen(cache_hash=True)
class Flags:
    """
    `flags name { … }`.
    """

    name: str
    owner: str
    flags: tuple[Flag, ...]
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


@attrs.frozen(cache_hash=True)
class Alias:
    """
    `type name = target;`
    """

    name: str
    owner: str
    target: "Type"
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


class FunctionKind(enum.Enum):
    """
    How a function is called; all but FREE belong to a resource.
    """

    FREE = "func"
    METHOD = "method"
    STATIC = "static"
    CONSTRUCTOR = "constructor"
    GETTER = "getter"
    SETTER = "setter"
    STATIC_GETTER = "static getter"
    STATIC_SETTER = "static setter"


@attrs.frozen
class Param:
    """
    One parameter of a function.
    """

    name: str
    type: "Type"


@attrs.frozen
class Function:
    """
    A function; a method's first parameter is `self`, a handle on its resource.
    """

    name: str
    params: tuple[Param, ...]
    result: "Type | None" = None
    kind: FunctionKind = attrs.field(default=FunctionKind.FREE, kw_only=True)
    is_async: bool = attrs.field(default=False, kw_only=True)
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)


@attrs.frozen(cache_hash=True)
class Resource:
    """
    `resource name { … }`: a type that lives behind handles, with its functions.
    """

    name: str
    owner: str
    functions: tuple[Function, ...] = ()
    docs: str = attrs.field(default="", eq=False, kw_only=True)
    stability: Stability | None = attrs.field(default=None, eq=False, kw_only=True)

    def __str__(self) -> str:
        return self.name


NamedType = Record | Variant | Enum | Flags | Resource | Alias
Type = Primitive | List | Map | Option | Result | Tuple | Own | Borrow | Future | Stream | NamedType


def resolve_alias(type_: Type) -> Type:
    """
    The type behind *type_* once all aliases around it are taken off.
    """
    while isinstance(type_, Alias):
        type_ = type_.target
    return type_
