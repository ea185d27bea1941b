"""
Say which types are a fixed run of plain numbers in memory, and how those become values.

A string or list is two of them (offset and count), an enum or a flags type one. Records and
variants are not: functions of their own read and write them.
"""

import attrs

from otelwasm.wit import abi
from otelwasm.wit.types import Enum, Flags, List, Primitive, Type, resolve_alias

__all__ = ["Scalar", "bounds", "code", "number_code", "scalars"]

_CODES = {
    Primitive.BOOL: "?",
    Primitive.U8: "B",
    Primitive.S8: "b",
    Primitive.U16: "H",
    Primitive.S16: "h",
    Primitive.U32: "I",
    Primitive.S32: "i",
    Primitive.U64: "Q",
    Primitive.S64: "q",
    Primitive.F32: "f",
    Primitive.F64: "d",
    Primitive.CHAR: "I",
}
_UNSIGNED = {1: "B", 2: "H", 4: "I"}


@attrs.frozen
class Scalar:
    """
    One number of a value in memory: its `struct` code and what to call it.
    """

    code: str
    suffix: str = ""


def scalars(type_: Type) -> tuple[Scalar, ...] | None:
    """
    The numbers that a value of *type_* is in memory; None where a function must read it.
    """
    type_ = resolve_alias(type_)
    if type_ is Primitive.STRING or isinstance(type_, List):
        return (Scalar("I", "_at"), Scalar("I", "_length"))
    found = code(type_)
    return None if found is None else (Scalar(found),)


def code(type_: Type) -> str | None:
    """
    The `struct` code of a type that is one number; None for others.
    """
    match resolve_alias(type_):
        case Primitive() as primitive:
            return _CODES.get(primitive)
        case Enum() | Flags() as numbered:
            return _UNSIGNED[abi.size(numbered)]
    return None


def number_code(type_: Type | None) -> str | None:
    """
    The `struct` code of a type whose number is its Python value; None for others.
    """
    if type_ is None or not isinstance(resolve_alias(type_), Primitive):
        return None
    return None if resolve_alias(type_) is Primitive.CHAR else code(type_)


def bounds(type_: Primitive) -> tuple[int, int] | None:
    """
    Least and greatest value of the integers that do not fill their core type.
    """
    bits = 8 * abi.size(type_)
    if type_.value[0] == "s" and type_ is not Primitive.STRING:
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if type_ in (Primitive.U8, Primitive.U16):
        return 0, (1 << bits) - 1
    return None
