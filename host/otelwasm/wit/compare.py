"""
Say in words where two functions differ, down to the field of a parameter.
"""

from collections.abc import Iterator, Sequence

import attrs

from otelwasm.wit.types import (
    Borrow,
    Enum,
    Flags,
    Function,
    Future,
    List,
    Map,
    NamedType,
    Option,
    Own,
    Record,
    Result,
    Stream,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = ["Difference", "differences"]


@attrs.frozen
class Difference:
    """
    One difference in words, and what is to be shown of it: the innermost type that has a name, or
    the function itself, as the component has it and as the contract says.
    """

    text: str
    found: Function | NamedType
    wanted: Function | NamedType


def differences(found: Function, wanted: Function) -> Iterator[Difference]:
    """
    Where a component's function differs from the contract's.
    """
    comparison = _Comparison([(found, wanted)])
    if found.kind is not wanted.kind:
        yield comparison.difference(
            f"is a {found.kind.value}, the contract says {wanted.kind.value}"
        )
        return
    if found.is_async is not wanted.is_async:
        words = ("async", "not async") if found.is_async else ("not async", "async")
        yield comparison.difference(f"is {words[0]}, the contract says {words[1]}")
    params = [(param.name, param.type) for param in found.params]
    wanted_params = [(param.name, param.type) for param in wanted.params]
    yield from comparison.members("", "parameter", found=params, wanted=wanted_params)
    yield from comparison.optional(
        found.result, wanted.result, path="the result", missing="nothing"
    )


@attrs.define
class _Comparison:
    """
    One comparison; a pair of types that was met before is not gone through again.

    *shown* ends with the pair that a difference found now is shown with.
    """

    shown: list[tuple[Function | NamedType, Function | NamedType]]
    _met: dict[tuple[int, int], tuple[Type, Type]] = attrs.field(factory=dict)

    def difference(self, text: str) -> Difference:
        """
        A difference at the place that is compared now.
        """
        return Difference(text, *self.shown[-1])

    def types(self, found: Type, wanted: Type, *, path: str) -> Iterator[Difference]:
        """
        Where *found* differs from *wanted*; *path* says what has these types.
        """
        found, wanted = resolve_alias(found), resolve_alias(wanted)
        if found is wanted or (id(found), id(wanted)) in self._met:
            return
        self._met[id(found), id(wanted)] = (found, wanted)
        if isinstance(found, NamedType) and isinstance(wanted, NamedType):
            self.shown.append((found, wanted))
            yield from self._parts(found, wanted, path=path)
            self.shown.pop()
        else:
            yield from self._parts(found, wanted, path=path)

    def _parts(self, found: Type, wanted: Type, *, path: str) -> Iterator[Difference]:
        shape, wanted_shape = _shape(found), _shape(wanted)
        if shape.head != wanted_shape.head:
            yield self.difference(
                f"{path} is {_described(found)}, the contract says {_described(wanted)}"
            )
        elif shape.word:
            inner = f"{path}, {_described(wanted)}"
            yield from self.members(inner, shape.word, found=shape.parts, wanted=wanted_shape.parts)
        else:
            for (name, part), (_, other) in zip(shape.parts, wanted_shape.parts, strict=True):
                yield from self.optional(part, other, path=f"{path}, {name}", missing="`_`")

    def optional(
        self, found: Type | None, wanted: Type | None, *, path: str, missing: str
    ) -> Iterator[Difference]:
        """
        As `types`, where a type may be missing.
        """
        if found is not None and wanted is not None:
            yield from self.types(found, wanted, path=path)
        elif found is not wanted:
            one = missing if found is None else _described(found)
            other = missing if wanted is None else _described(wanted)
            yield self.difference(f"{path} is {one}, the contract says {other}")

    def members(
        self,
        path: str,
        word: str,
        *,
        found: Sequence[tuple[str, Type | None]],
        wanted: Sequence[tuple[str, Type | None]],
    ) -> Iterator[Difference]:
        """
        Compare parts that have names; their order counts as well.
        """
        prefix = f"{path}, " if path else ""
        names, wanted_names = [name for name, _ in found], [name for name, _ in wanted]
        types, wanted_types = dict(found), dict(wanted)
        for name in wanted_names:
            if name not in types:
                yield self.difference(f"{prefix}{word} {name} is missing")
        for name in names:
            if name not in wanted_types:
                yield self.difference(f"{prefix}{word} {name} is not in the contract")
            else:
                yield from self.optional(
                    types[name],
                    wanted_types[name],
                    path=f"{prefix}{word} {name}",
                    missing="without a value",
                )
        if names != wanted_names and set(names) == set(wanted_names):
            yield self.difference(
                f"{prefix}the {word}s are in the order {', '.join(names)}, "
                f"the contract says {', '.join(wanted_names)}"
            )


@attrs.frozen
class _Shape:
    """
    A type taken apart: types with equal *head*s have as many parts, or parts that have names.

    *word* is what a part with a name is called; parts without names have a phrase instead.
    """

    head: str
    parts: Sequence[tuple[str, Type | None]] = ()
    word: str = ""


def _shape(type_: Type) -> _Shape:
    match type_:
        case List(element=element, length=length):
            return _Shape(f"list of {length}", [("its element", element)])
        case Option(some=some):
            return _Shape("option", [("its value", some)])
        case Map(key=key, value=value):
            return _Shape("map", [("its key", key), ("its value", value)])
        case Result(ok=ok, err=err):
            return _Shape("result", [("its ok", ok), ("its error", err)])
        case Stream(payload=payload):
            return _Shape("stream", [("its value", payload)])
        case Future(payload=payload):
            return _Shape("future", [("its value", payload)])
        case Tuple(items=items):
            parts = [(f"item {place}", item) for place, item in enumerate(items, start=1)]
            return _Shape(f"tuple of {len(items)}", parts)
        case Record(fields=fields):
            return _Shape("record", [(field.name, field.type) for field in fields], "field")
        case Variant(cases=cases):
            return _Shape("variant", [(case.name, case.type) for case in cases], "case")
        case Enum(cases=cases):
            return _Shape("enum", [(case.name, None) for case in cases], "case")
        case Flags(flags=flags):
            return _Shape("flags", [(flag.name, None) for flag in flags], "flag")
        case Own() | Borrow():
            return _Shape(f"{type(type_).__name__} {type_.resource.name}")
        case _:
            return _Shape(str(type_))


def _described(type_: Type) -> str:
    type_ = resolve_alias(type_)
    if isinstance(type_, NamedType):
        return f"{type(type_).__name__.lower()} {type_.name}".strip()
    return str(type_)
