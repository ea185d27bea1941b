"""
Read type definitions out of a component; each becomes a function that builds it in a scope.

A definition refers to others by index. What an index means depends on where the definition is
used, so reading and building are two steps.
"""

from collections.abc import Callable
from typing import Protocol

from otelwasm.wit.reader import Reader
from otelwasm.wit.types import (
    Borrow,
    Case,
    Enum,
    Field,
    Flag,
    Flags,
    Function,
    Future,
    List,
    Map,
    Option,
    Own,
    Param,
    Primitive,
    Record,
    ResourceName,
    Result,
    Stream,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = [
    "Build",
    "Types",
    "ValueType",
    "read_function",
    "read_result",
    "read_value",
    "read_value_type",
]

_PRIMITIVES = {
    0x7F: Primitive.BOOL,
    0x7E: Primitive.S8,
    0x7D: Primitive.U8,
    0x7C: Primitive.S16,
    0x7B: Primitive.U16,
    0x7A: Primitive.S32,
    0x79: Primitive.U32,
    0x78: Primitive.S64,
    0x77: Primitive.U64,
    0x76: Primitive.F32,
    0x75: Primitive.F64,
    0x74: Primitive.CHAR,
    0x73: Primitive.STRING,
    0x64: Primitive.ERROR_CONTEXT,
}


class Types(Protocol):
    """
    A scope in which type indices mean something.
    """

    def value_type(self, index: int) -> Type:
        """
        The value type at *index*.
        """

    def resource(self, index: int) -> ResourceName:
        """
        The resource at *index*.
        """


ValueType = Primitive | int
Build = Callable[[Types], Type]


def read_value_type(reader: Reader) -> ValueType:
    """
    Read a reference to a type: a primitive or an index.
    """
    primitive = _PRIMITIVES.get(reader.peek())
    if primitive is not None:
        reader.byte()
        return primitive
    at = reader.at
    index = reader.s33()
    if index < 0:
        raise reader.error("an unknown value type", at)
    return index


def read_value(reader: Reader) -> Build:
    """
    Read the definition of a value type.
    """
    at = reader.at
    tag = reader.byte()
    if tag in _PRIMITIVES:
        primitive = _PRIMITIVES[tag]
        return lambda types: primitive
    read = _DEFINITIONS.get(tag)
    if read is None:
        raise reader.error(f"an unknown kind of type (0x{tag:02x})", at)
    return read(reader)


def read_function(reader: Reader, *, is_async: bool) -> Callable[[Types], Function]:
    """
    Read a function's type, behind its tag; the function has no name yet.
    """
    params = reader.several(_labelled)
    result = read_result(reader)

    def build(types: Types) -> Function:
        return Function(
            "",
            tuple(Param(name, _get(types, type_)) for name, type_ in params),
            _get_or_none(types, result),
            is_async=is_async,
        )

    return build


def read_result(reader: Reader) -> ValueType | None:
    """
    Read a function's result, if it has one.
    """
    at = reader.at
    match reader.byte():
        case 0:
            return read_value_type(reader)
        case 1 if reader.byte() == 0:
            return None
        case _:
            raise reader.error("a function with named results, which are no longer valid", at)


def _get(types: Types, reference: ValueType) -> Type:
    return types.value_type(reference) if isinstance(reference, int) else reference


def _get_or_none(types: Types, reference: ValueType | None) -> Type | None:
    return None if reference is None else _get(types, reference)


def _optional(reader: Reader) -> ValueType | None:
    at = reader.at
    match reader.byte():
        case 0:
            return None
        case 1:
            return read_value_type(reader)
        case tag:
            raise reader.error(f"0 or 1 expected, found {tag}", at)


def _labelled(reader: Reader) -> tuple[str, ValueType]:
    return reader.text(), read_value_type(reader)


def _case(reader: Reader) -> tuple[str, ValueType | None]:
    name = reader.text()
    type_ = _optional(reader)
    at = reader.at
    if reader.byte() != 0:
        raise reader.error("a variant's case that refines another", at)
    return name, type_


def _record(reader: Reader) -> Build:
    fields = reader.several(_labelled)
    return lambda types: Record("", "", tuple(Field(n, _get(types, t)) for n, t in fields))


def _variant(reader: Reader) -> Build:
    cases = reader.several(_case)
    return lambda types: Variant(
        "", "", tuple(Case(name, _get_or_none(types, type_)) for name, type_ in cases)
    )


def _enum(reader: Reader) -> Build:
    names = reader.several(Reader.text)
    return lambda types: Enum("", "", tuple(Case(name) for name in names))


def _flags(reader: Reader) -> Build:
    names = reader.several(Reader.text)
    return lambda types: Flags("", "", tuple(Flag(name) for name in names))


def _list(reader: Reader) -> Build:
    element = read_value_type(reader)
    return lambda types: List(_get(types, element))


def _fixed_list(reader: Reader) -> Build:
    element, length = read_value_type(reader), reader.u32()
    return lambda types: List(_get(types, element), length)


def _map(reader: Reader) -> Build:
    key, value = read_value_type(reader), read_value_type(reader)
    return lambda types: Map(_get(types, key), _get(types, value))


def _tuple(reader: Reader) -> Build:
    items = reader.several(read_value_type)
    return lambda types: Tuple(tuple(_get(types, item) for item in items))


def _option(reader: Reader) -> Build:
    some = read_value_type(reader)
    return lambda types: Option(_get(types, some))


def _result(reader: Reader) -> Build:
    ok, err = _optional(reader), _optional(reader)
    return lambda types: Result(_get_or_none(types, ok), _get_or_none(types, err))


def _own(reader: Reader) -> Build:
    index = reader.u32()

    def build(types: Types) -> Type:
        handle = types.value_type(index)
        if not isinstance(resolve_alias(handle), Own):
            types.resource(index)  # which says what is wrong
        return handle

    return build


def _borrow(reader: Reader) -> Build:
    index = reader.u32()
    return lambda types: Borrow(types.resource(index))


def _stream(reader: Reader) -> Build:
    payload = _optional(reader)
    return lambda types: Stream(_get_or_none(types, payload))


def _future(reader: Reader) -> Build:
    payload = _optional(reader)
    return lambda types: Future(_get_or_none(types, payload))


_DEFINITIONS: dict[int, Callable[[Reader], Build]] = {
    0x72: _record,
    0x71: _variant,
    0x70: _list,
    0x6F: _tuple,
    0x6E: _flags,
    0x6D: _enum,
    0x6B: _option,
    0x6A: _result,
    0x69: _own,
    0x68: _borrow,
    0x67: _fixed_list,
    0x66: _stream,
    0x65: _future,
    0x63: _map,
}
