"""
Sizes, offsets and core types are those of the Canonical ABI.
"""

import itertools

import pytest
from hypothesis import given

from otelwasm.wit import abi, parse_text
from otelwasm.wit.types import (
    Case,
    Enum,
    Field,
    Flag,
    Flags,
    Function,
    FunctionKind,
    List,
    NamedType,
    Option,
    Own,
    Param,
    Primitive,
    Record,
    ResourceName,
    Result,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)
from unit.wit.model_strategies import functions

U8, U32, U64 = Primitive.U8, Primitive.U32, Primitive.U64
F32, F64, STRING = Primitive.F32, Primitive.F64, Primitive.STRING


@pytest.mark.parametrize(
    ("type_", "size", "alignment", "flat"),
    [
        (Primitive.BOOL, 1, 1, "i32"),
        (U8, 1, 1, "i32"),
        (Primitive.S16, 2, 2, "i32"),
        (Primitive.CHAR, 4, 4, "i32"),
        (U64, 8, 8, "i64"),
        (F32, 4, 4, "f32"),
        (F64, 8, 8, "f64"),
        (STRING, 8, 4, "i32 i32"),
        (List(U64), 8, 4, "i32 i32"),
        (List(Primitive.S16, 3), 6, 2, "i32 i32 i32"),
        (Own(ResourceName("a:b/i", "r")), 4, 4, "i32"),
        (Tuple((U8, U64, U8)), 24, 8, "i32 i64 i32"),
        (Record("r", "", (Field("a", U8), Field("b", U32), Field("c", U8))), 12, 4, "i32 i32 i32"),
        (Option(U8), 2, 1, "i32 i32"),
        (Option(U64), 16, 8, "i32 i64"),
        (Result(), 1, 1, "i32"),
        (Result(None, STRING), 12, 4, "i32 i32 i32"),
        (Result(F32, U32), 8, 4, "i32 i32"),
        (Result(F64, U32), 16, 8, "i32 i64"),
        (Result(F32, F64), 16, 8, "i32 i64"),
        (Result(Tuple((F32, F32)), STRING), 12, 4, "i32 i32 i32"),
        (Variant("v", "", (Case("a", F32), Case("b"), Case("c", F32))), 8, 4, "i32 f32"),
        (Enum("e", "", tuple(Case(f"c{n}") for n in range(256))), 1, 1, "i32"),
        (Enum("e", "", tuple(Case(f"c{n}") for n in range(257))), 2, 2, "i32"),
        (Flags("f", "", tuple(Flag(f"f{n}") for n in range(8))), 1, 1, "i32"),
        (Flags("f", "", tuple(Flag(f"f{n}") for n in range(9))), 2, 2, "i32"),
        (Flags("f", "", tuple(Flag(f"f{n}") for n in range(17))), 4, 4, "i32"),
    ],
)
def test_types_are_laid_out_as_specified(type_: Type, size: int, alignment: int, flat: str) -> None:
    """
    Each kind of type has the size, alignment and core types that the specification gives it.
    """
    assert size == abi.size(type_)
    assert alignment == abi.alignment(type_)
    assert tuple(flat.split()) == abi.flat(type_)


def drawn_out(type_: Type) -> str:
    """
    A value's memory, a character for each byte: a digit where something begins, which is its
    alignment, `-` where it goes on, `.` for padding. Slow and plain, to compare with.
    """
    type_ = resolve_alias(type_)
    if isinstance(type_, Primitive):
        return _DRAWN.get(type_.value) or _DRAWN[type_.value[1:]]
    if isinstance(type_, Flags):
        return _DRAWN["8" if len(type_.flags) <= 8 else "16" if len(type_.flags) <= 16 else "32"]
    if isinstance(type_, List):
        return _DRAWN["string"]
    drawn = ""
    if isinstance(type_, Record | Tuple):
        for part in abi.element_types(type_) or ():
            drawn = followed_by(drawn, drawn_out(part))
    else:
        cases = abi.cases(type_) or ()
        payloads = [drawn_out(case.type) for case in cases if case.type is not None]
        over_one_another = map(max, itertools.zip_longest(*payloads, fillvalue="-"))
        drawn = followed_by("1" if len(cases) <= 256 else "2-", "".join(over_one_another))
    return drawn + "." * (-len(drawn) % widest(drawn))


_DRAWN = {
    **{"bool": "1", "8": "1", "16": "2-", "32": "4---", "64": "8-------"},
    **{"char": "4---", "string": "4---4---"},
}


def followed_by(drawn: str, more: str) -> str:
    """
    A drawing with another one behind it, at the place that its alignment asks for.
    """
    return drawn + "." * (-len(drawn) % widest(more)) + more


def widest(drawn: str) -> int:
    """
    The alignment that a drawing asks for.
    """
    return max((int(char) for char in drawn if char.isdigit()), default=1)


@given(functions())
def test_layouts_are_what_drawing_them_gives(drawn: tuple[list[NamedType], Function]) -> None:
    """
    Size and alignment of any type are those of a drawing made byte by byte.
    """
    named, function = drawn
    for type_ in [*named, *(param.type for param in function.params)]:
        picture = drawn_out(type_)

        assert len(picture) == abi.size(type_)
        assert widest(picture) == abi.alignment(type_)


@given(functions())
def test_parts_neither_overlap_nor_stand_askew(
    drawn: tuple[list[NamedType], Function],
) -> None:
    """
    Values that follow one another start at their alignment, behind the one before, with a gap
    that is smaller than the alignment.
    """
    _, function = drawn
    types = [param.type for param in function.params]
    end = 0
    for type_, start in zip(types, abi.offsets(types), strict=True):
        assert start % abi.alignment(type_) == 0
        assert 0 <= start - end < abi.alignment(type_)

        end = start + abi.size(type_)


@given(functions())
def test_payloads_begin_behind_the_discriminant(
    drawn: tuple[list[NamedType], Function],
) -> None:
    """
    Every case's payload fits between the payload's offset and the end of the variant.
    """
    for type_ in drawn[0]:
        for case in abi.cases(type_) or ():
            if case.type is not None:
                start = abi.payload_offset(type_)

                assert start % abi.alignment(case.type) == 0
                assert start + abi.size(case.type) <= abi.size(type_)
                assert len(abi.flat(case.type)) < len(abi.flat(type_))


def test_functions_pass_much_through_memory() -> None:
    """
    More than 16 core parameters become one pointer, more than one core result another.
    """
    few = Function("f", tuple(Param(f"p{n}", STRING) for n in range(8)), U32)
    many = Function("f", (*few.params, Param("q", F64)), STRING)

    assert abi.CoreSignature(("i32",) * 16, ("i32",), False, False) == abi.core_signature(
        few, "lift"
    )
    assert abi.CoreSignature(("i32",), ("i32",), True, True) == abi.core_signature(many, "lift")
    assert abi.CoreSignature(("i32", "i32"), (), True, True) == abi.core_signature(many, "lower")


def test_functions_without_result_give_nothing_back() -> None:
    """
    Neither form of a function without result has a core result.
    """
    function = Function("f", (Param("p", F32),), kind=FunctionKind.FREE)

    assert abi.CoreSignature(("f32",), (), False, False) == abi.core_signature(function, "lift")
    assert abi.CoreSignature(("f32",), (), False, False) == abi.core_signature(function, "lower")


def test_aliases_are_what_they_stand_for() -> None:
    """
    An alias has the layout of its target, through any number of names.
    """
    interface = parse_text(
        "package a:b; interface i { type t = option<u64>; type u = t; }"
    ).interface("i")

    assert 16 == abi.size(interface.type("u"))
    assert 8 == abi.payload_offset(interface.type("u"))


def test_questions_that_make_no_sense_are_refused() -> None:
    """
    A payload's offset is asked of types with cases; flags beyond 32 have no layout.
    """
    with pytest.raises(TypeError, match="u8 has no cases"):
        abi.payload_offset(U8)
    with pytest.raises(TypeError, match="flags f has 33 flags"):
        abi.size(Flags("f", "", tuple(Flag(f"f{n}") for n in range(33))))
