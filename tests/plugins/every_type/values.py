"""
Draw random Python values of WIT types, as the generated bindings have them.
"""

import struct
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from otelwasm.plugins.values import Err, Ok, Some
from otelwasm.wit.types import (
    Alias,
    Enum,
    Flags,
    List,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = ["values_of"]

_BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "s8": 8, "s16": 16, "s32": 32, "s64": 64}
_CHARACTERS = st.characters(exclude_categories=("Cs",))
_TEXTS = st.text(_CHARACTERS, max_size=20)


def values_of(type_: Type, shapes: ModuleType) -> st.SearchStrategy[Any]:
    """
    Values of *type_*; named types are in the generated module *shapes*.
    """
    match type_:
        case Primitive():
            return _primitives(type_)
        case Alias(target=target):
            return values_of(target, shapes)
        case List(element=Primitive.U8):
            return st.binary(max_size=40)
        case List(element=element):
            return st.lists(values_of(element, shapes), max_size=5).map(tuple)
        case Tuple(items=items):
            return st.tuples(*(values_of(item, shapes) for item in items))
        case Option(some=some):
            inner = values_of(some, shapes)
            is_nested = isinstance(resolve_alias(some), Option)
            return st.none() | (inner.map(Some) if is_nested else inner)
        case Result(ok=ok, err=err):
            good = st.none() if ok is None else values_of(ok, shapes)
            bad = st.none() if err is None else values_of(err, shapes)
            return good.map(Ok) | bad.map(Err)
        case Record(name=name, fields=fields):
            class_ = getattr(shapes, _pascal(name))
            return st.tuples(*(values_of(field.type, shapes) for field in fields)).map(
                lambda values: class_(*values)
            )
        case Variant(name=name, cases=cases):
            return st.one_of(
                *(
                    _case(getattr(shapes, _pascal(name) + _pascal(case.name)), case.type, shapes)
                    for case in cases
                )
            )
        case Enum(name=name):
            return st.sampled_from(getattr(shapes, _pascal(name)))
        case Flags(name=name, flags=flags):
            return st.integers(0, (1 << len(flags)) - 1).map(getattr(shapes, _pascal(name)))
    raise TypeError(type_)


def _case(class_: Any, payload: Type | None, shapes: ModuleType) -> st.SearchStrategy[Any]:
    if payload is None:
        return st.just(class_())
    return values_of(payload, shapes).map(class_)


def _primitives(type_: Primitive) -> st.SearchStrategy[Any]:
    if type_.value in _BITS:
        bits = _BITS[type_.value]
        low = -(1 << (bits - 1)) if type_.value.startswith("s") else 0
        return st.integers(low, low + (1 << bits) - 1)
    match type_:
        case Primitive.BOOL:
            return st.booleans()
        case Primitive.F32:
            # What a 32-bit float can hold, as a Python float.
            return st.floats(width=32, allow_nan=False).map(
                lambda number: float(struct.unpack("<f", struct.pack("<f", number))[0])
            )
        case Primitive.F64:
            return st.floats(allow_nan=False)
        case Primitive.CHAR:
            return _CHARACTERS
    return _TEXTS


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("-"))
