"""
Say how values cross a component's boundary: the Canonical ABI's sizes, offsets and core types.

What a generator needs to read and write a batch's arguments in a plugin's memory. All of it is
for 32-bit memories. `tuple`, `option`, `result`, `enum` and `map` are looked at as the records,
variants and lists that they stand for.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import attrs

from otelwasm.wit.types import (
    Case,
    Enum,
    Flags,
    Function,
    List,
    Map,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = [
    "MAX_FLAT_PARAMS",
    "MAX_FLAT_RESULTS",
    "CoreSignature",
    "CoreType",
    "alignment",
    "cases",
    "core_signature",
    "discriminant_size",
    "element_types",
    "flat",
    "offsets",
    "payload_offset",
    "size",
]

MAX_FLAT_PARAMS = 16
MAX_FLAT_RESULTS = 1

CoreType = Literal["i32", "i64", "f32", "f64"]

_PRIMITIVES: dict[Primitive, tuple[int, CoreType]] = {
    Primitive.BOOL: (1, "i32"),
    Primitive.U8: (1, "i32"),
    Primitive.S8: (1, "i32"),
    Primitive.U16: (2, "i32"),
    Primitive.S16: (2, "i32"),
    Primitive.U32: (4, "i32"),
    Primitive.S32: (4, "i32"),
    Primitive.U64: (8, "i64"),
    Primitive.S64: (8, "i64"),
    Primitive.F32: (4, "f32"),
    Primitive.F64: (8, "f64"),
    Primitive.CHAR: (4, "i32"),
    Primitive.ERROR_CONTEXT: (4, "i32"),
}


def cases(type_: Type) -> tuple[Case, ...] | None:
    """
    The cases of a variant, enum, option or result, in discriminant order; None for others.
    """
    match resolve_alias(type_):
        case Variant(cases=named) | Enum(cases=named):
            return named
        case Option(some=some):
            return (Case("none"), Case("some", some))
        case Result(ok=ok, err=err):
            return (Case("ok", ok), Case("err", err))
        case _:
            return None


def element_types(type_: Type) -> tuple[Type, ...] | None:
    """
    The types that lie one after the other in a record, tuple or fixed-length list; else None.
    """
    match resolve_alias(type_):
        case Record(fields=fields):
            return tuple(field.type for field in fields)
        case Tuple(items=items):
            return items
        case List(element=element, length=int(length)):
            return (element,) * length
        case _:
            return None


def discriminant_size(count: int) -> int:
    """
    Bytes that tell *count* cases apart: 1, 2 or 4.
    """
    if count <= 1 << 8:
        return 1
    return 2 if count <= 1 << 16 else 4


def alignment(type_: Type) -> int:
    """
    Where a value may lie: its address is a multiple of this.
    """
    type_ = resolve_alias(type_)
    if isinstance(type_, Primitive):
        return 4 if type_ is Primitive.STRING else _PRIMITIVES[type_][0]
    if isinstance(type_, Flags):
        return _flags_size(type_)
    if isinstance(type_, List) and type_.length is not None:
        return alignment(type_.element)
    if (elements := element_types(type_)) is not None:
        return max(map(alignment, elements), default=1)
    if (named := cases(type_)) is not None:
        return max(discriminant_size(len(named)), _payload_alignment(named))
    return 4


def size(type_: Type) -> int:
    """
    Bytes that a value takes in memory, less what it points to.
    """
    type_ = resolve_alias(type_)
    if isinstance(type_, Primitive):
        return 8 if type_ is Primitive.STRING else _PRIMITIVES[type_][0]
    if isinstance(type_, Flags):
        return _flags_size(type_)
    if isinstance(type_, List) and type_.length is not None:
        return type_.length * size(type_.element)
    if (elements := element_types(type_)) is not None:
        end = 0
        for element in elements:
            end = _align(end, alignment(element)) + size(element)
        return _align(end, alignment(type_))
    if (named := cases(type_)) is not None:
        payload = max((size(case.type) for case in named if case.type is not None), default=0)
        return _align(payload_offset(type_) + payload, alignment(type_))
    return 8 if isinstance(type_, List | Map) else 4


def offsets(types: Iterable[Type]) -> tuple[int, ...]:
    """
    Where each value lies when *types* follow one another, as in a record or a parameter area.
    """
    found = []
    end = 0
    for type_ in types:
        start = _align(end, alignment(type_))
        found.append(start)
        end = start + size(type_)
    return tuple(found)


def payload_offset(type_: Type) -> int:
    """
    Where the payload of a variant, option or result begins, whatever the case.
    """
    named = cases(type_)
    if named is None:
        raise TypeError(f"{type_} has no cases")
    return _align(discriminant_size(len(named)), _payload_alignment(named))


def flat(type_: Type) -> tuple[CoreType, ...]:
    """
    The core values that a value becomes when it is passed outside of memory.
    """
    type_ = resolve_alias(type_)
    if isinstance(type_, Primitive):
        return ("i32", "i32") if type_ is Primitive.STRING else (_PRIMITIVES[type_][1],)
    if isinstance(type_, List) and type_.length is not None:
        return flat(type_.element) * type_.length
    if (elements := element_types(type_)) is not None:
        return tuple(core for element in elements for core in flat(element))
    if (named := cases(type_)) is not None:
        return ("i32", *_joined(flat(case.type) for case in named if case.type is not None))
    return ("i32", "i32") if isinstance(type_, List | Map) else ("i32",)


@attrs.frozen
class CoreSignature:
    """
    A function's core form, seen from the side that implements (*lift*) or calls it (*lower*).

    With *params_in_memory* one i32 points to the parameters, laid out as a tuple. With
    *result_in_memory* the result lies in memory: a lifted function returns its address, a
    lowered one is passed the address as its last parameter.
    """

    params: tuple[CoreType, ...]
    results: tuple[CoreType, ...]
    params_in_memory: bool
    result_in_memory: bool


def core_signature(function: Function, direction: Literal["lift", "lower"]) -> CoreSignature:
    """
    The core signature of a synchronous function: an export is lifted, an import lowered.
    """
    params: Sequence[CoreType] = [core for param in function.params for core in flat(param.type)]
    params_in_memory = len(params) > MAX_FLAT_PARAMS
    if params_in_memory:
        params = ("i32",)
    results = () if function.result is None else flat(function.result)
    result_in_memory = len(results) > MAX_FLAT_RESULTS
    if result_in_memory:
        results = ("i32",) if direction == "lift" else ()
        if direction == "lower":
            params = (*params, "i32")
    return CoreSignature(tuple(params), results, params_in_memory, result_in_memory)


def _joined(payloads: Iterable[tuple[CoreType, ...]]) -> list[CoreType]:
    """
    Core types wide enough for each of *payloads*, place by place.
    """
    joined: list[CoreType] = []
    for payload in payloads:
        for place, core in enumerate(payload):
            if place == len(joined):
                joined.append(core)
            elif joined[place] != core:
                joined[place] = "i32" if {joined[place], core} == {"i32", "f32"} else "i64"
    return joined


def _payload_alignment(named: tuple[Case, ...]) -> int:
    return max((alignment(case.type) for case in named if case.type is not None), default=1)


def _flags_size(flags: Flags) -> int:
    count = len(flags.flags)
    if count > 32:
        raise TypeError(f"flags {flags.name} has {count} flags; the Canonical ABI allows 32")
    if count <= 8:
        return 1
    return 2 if count <= 16 else 4


def _align(offset: int, boundary: int) -> int:
    return (offset + boundary - 1) // boundary * boundary
