"""
Write WIT types in the text format of components, as both bridges need them.
"""

from collections.abc import Callable, Iterable, Iterator

from otelwasm.bindgen.shape import Call, is_split, ordered_types
from otelwasm.plugins.world import LENGTH_SUFFIX
from otelwasm.wit import Interface
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
)

__all__ = [
    "Names",
    "body",
    "core_function",
    "exported_types",
    "imported_instance",
    "labels",
    "signature",
]


class Names:
    """
    The `$identifiers` of the types of some interfaces.
    """

    def __init__(self, interfaces: Iterable[Interface]) -> None:
        self._prefix: dict[str, str] = {}
        for interface in interfaces:
            taken = set(self._prefix.values())
            name = interface.name
            while name in taken:
                name += "'"
            self._prefix[interface.id] = name

    def interface(self, interface: Interface) -> str:
        """
        The identifier of the instance of *interface*.
        """
        return f"$instance.{self._prefix[interface.id]}"

    def type(self, type_: NamedType) -> str:
        """
        The identifier of a named type.
        """
        return f"${self._prefix[type_.owner]}.{type_.name}"


def body(type_: Type, name_of: Callable[[NamedType], str]) -> str:
    """
    The definition of *type_*; *name_of* is how it refers to others.
    """

    def ref(part: Type) -> str:
        return name_of(part) if isinstance(part, NamedType) else body(part, name_of)

    match type_:
        case Primitive():
            return type_.value
        case Alias(target=target):
            return ref(target)
        case List(element=element):
            return f"(list {ref(element)})"
        case Option(some=some):
            return f"(option {ref(some)})"
        case Result(ok=ok, err=err):
            good = "" if ok is None else f" {ref(ok)}"
            bad = "" if err is None else f" (error {ref(err)})"
            return f"(result{good}{bad})"
        case Tuple(items=types):
            return f"(tuple {' '.join(map(ref, types))})"
        case Record(fields=fields):
            items = " ".join(f'(field "{f.name}" {ref(f.type)})' for f in fields)
            return f"(record {items})"
        case Variant(cases=cases):
            items = " ".join(
                f'(case "{c.name}")' if c.type is None else f'(case "{c.name}" {ref(c.type)})'
                for c in cases
            )
            return f"(variant {items})"
        case Enum(cases=cases):
            items = " ".join(f'"{c.name}"' for c in cases)
            return f"(enum {items})"
        case Flags(flags=flags):
            items = " ".join(f'"{f.name}"' for f in flags)
            return f"(flags {items})"
        case _:
            raise TypeError(f"{type_} has no text")


def signature(
    function: Function, name_of: Callable[[NamedType], str], *, is_direct: bool = False
) -> str:
    """
    The parameters and result of *function*; with *is_direct* without any list of bytes.
    """

    def ref(part: Type) -> str:
        return name_of(part) if isinstance(part, NamedType) else body(part, name_of)

    items = []
    for param in function.params:
        if is_direct and is_split(param.type):
            items.append(f'(param "{param.name}" u32)')
            items.append(f'(param "{param.name}{LENGTH_SUFFIX}" u32)')
        else:
            items.append(f'(param "{param.name}" {ref(param.type)})')
    if function.result is not None:
        items.append(f"(result {ref(function.result)})")
    return " ".join(items)


def core_function(params: Iterable[str], results: Iterable[str]) -> str:
    """
    The type of a core function, without an empty part.
    """
    parts = (("param", " ".join(params)), ("result", " ".join(results)))
    return " ".join(f"({word} {types})" for word, types in parts if types)


def exported_types(interface: Interface) -> Iterator[tuple[str, NamedType]]:
    """
    The names under which an instance of *interface* has types: used ones first, then its own.
    """
    for use in interface.uses:
        yield use.name, use.type
    for type_ in ordered_types(interface):
        yield type_.name, type_


def imported_instance(interface: Interface, names: Names, *, has_functions: bool) -> list[str]:
    """
    The import of one interface: its types, and its functions if asked for.
    """

    def inner(type_: NamedType) -> str:
        # Inside of the instance's type, its own types and those it uses have names of their own.
        used = {use.type for use in interface.uses}
        is_here = type_.owner == interface.id or type_ in used
        return f"{names.type(type_)}*" if is_here else names.type(type_)

    name = names.interface(interface)
    out = [f'  (import "{interface.id}" (instance {name}']
    for exported_name, type_ in exported_types(interface):
        origin = names.type(type_)
        if type_.owner == interface.id:
            origin += ":"
            out.append(f"    (type {origin} {body(type_, inner)})")
        out.append(f'    (export "{exported_name}" (type {inner(type_)} (eq {origin})))')
    if has_functions:
        for function in interface.functions:
            out.append(f'    (export "{function.name}" (func {signature(function, inner)}))')
    out[-1] += "))"
    for type_ in ordered_types(interface):
        out.append(f'  (alias export {name} "{type_.name}" (type {names.type(type_)}))')
    return out


def labels(calls: Iterable[Call]) -> list[str]:
    """
    The labels of *calls*.
    """
    return [call.label for call in calls]
