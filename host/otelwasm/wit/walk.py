"""
Go through the types that a type is made of, and refuse those that grow beyond reason.
"""

from collections.abc import Iterator

import attrs

from otelwasm.wit.types import (
    Alias,
    Borrow,
    Future,
    List,
    Map,
    NamedType,
    Option,
    Record,
    Result,
    Stream,
    Tuple,
    Type,
    Variant,
)

__all__ = ["Scale", "children", "in_dependency_order", "lends"]

_MAX_DEPTH = 100
_MAX_PARTS = 1_000_000


def children(type_: Type) -> tuple[Type, ...]:
    """
    The types that *type_* is made of, one step down.
    """
    match type_:
        case Alias(target=inner) | List(element=inner) | Option(some=inner):
            return (inner,)
        case Record(fields=fields):
            return tuple(field.type for field in fields)
        case Variant(cases=cases):
            return tuple(case.type for case in cases if case.type is not None)
        case Tuple(items=items):
            return items
        case Map(key=key, value=value):
            return (key, value)
        case Result(ok=ok, err=err):
            return tuple(part for part in (ok, err) if part is not None)
        case Future(payload=payload) | Stream(payload=payload):
            return () if payload is None else (payload,)
        case _:
            return ()


def lends(type_: Type) -> bool:
    """
    Whether a `borrow<…>` is anywhere in *type_*.
    """
    seen: dict[int, Type] = {}
    queue = [type_]
    while queue:
        one = queue.pop()
        if isinstance(one, Borrow):
            return True
        if id(one) not in seen:
            seen[id(one)] = one
            queue.extend(children(one))
    return False


def in_dependency_order(types: tuple[NamedType, ...]) -> Iterator[NamedType]:
    """
    *types* so that each comes after those of them that it is made of; else in their own order.
    """
    waiting = {id(type_): type_ for type_ in types}

    def visit(type_: Type) -> Iterator[NamedType]:
        mine = waiting.pop(id(type_), None)
        if mine is None and isinstance(type_, NamedType):
            return
        for child in children(type_):
            yield from visit(child)
        if mine is not None:
            yield mine

    for type_ in types:
        yield from visit(type_)


@attrs.define
class Scale:
    """
    Knows how deep types are nested and how many parts they have when written out in full.

    A few lines can define a type of 2^1000 parts; every walk over one would never end.
    """

    _known: dict[int, tuple[Type, int, int]] = attrs.field(factory=dict)

    def problem(self, type_: Type) -> str | None:
        """
        Why *type_* is too large, if it is; the types in it were asked about before.
        """
        depth, parts = self._weigh(type_)
        if depth > _MAX_DEPTH:
            return f"types are nested more than {_MAX_DEPTH} deep"
        if parts > _MAX_PARTS:
            return f"a type has more than {_MAX_PARTS:,} parts"
        return None

    def _weigh(self, type_: Type) -> tuple[int, int]:
        known = self._known.get(id(type_))
        if known is not None:
            return known[1:]
        depth, parts = 0, 1
        for child in children(type_):
            deep, several = self._weigh(child)
            depth, parts = max(depth, deep), parts + several
        # The type itself is kept so that no other one gets its id.
        self._known[id(type_)] = (type_, depth + 1, parts)
        return depth + 1, parts
