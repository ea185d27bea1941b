"""
Types can be walked through in an order that suits generators.
"""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from otelwasm.wit.types import Alias, Borrow, List, NamedType, Option, Primitive, ResourceName
from otelwasm.wit.walk import Scale, children, in_dependency_order, lends
from unit.wit.model_strategies import named_types


@given(named_types(), st.randoms(use_true_random=False))
def test_types_come_after_what_they_are_made_of(types: list[NamedType], random: Random) -> None:
    """
    Whatever their order was, each type comes once, behind those that it is made of.
    """
    shuffled = list(types)
    random.shuffle(shuffled)
    ordered = list(in_dependency_order(tuple(shuffled)))

    assert {id(type_) for type_ in types} == {id(type_) for type_ in ordered}
    assert len(types) == len(ordered)
    for place, type_ in enumerate(ordered):
        later = {id(other) for other in ordered[place:]}
        assert not any(id(child) in later for child in children(type_))


def test_independent_types_keep_their_order() -> None:
    """
    Nothing moves that need not.
    """
    types = tuple(Alias(name, "a:b/i", Primitive.U8) for name in "dbca")

    assert types == tuple(in_dependency_order(types))


def test_borrowed_handles_are_found_anywhere() -> None:
    """
    A borrow deep within a type is found; its absence too.
    """
    borrow = Borrow(ResourceName("a:b/i", "r"))

    assert lends(Alias("t", "a:b/i", List(Option(borrow))))
    assert not lends(List(Option(Primitive.U8)))


def test_scales_know_large_types_without_writing_them_out() -> None:
    """
    A type is large by its parts or by its depth; neither takes long to find out.
    """
    scale = Scale()
    deep: List | Primitive = Primitive.U8
    problems = []
    for _ in range(101):
        deep = List(deep)
        problems.append(scale.problem(deep))

    assert [None] * 99 == problems[:99]
    assert "types are nested more than 100 deep" == problems[-1]
