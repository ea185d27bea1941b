"""
Write types and functions as WIT text, for messages and for people who look into a component.
"""

from collections.abc import Iterable

import attrs

from otelwasm.wit.lexer import is_keyword
from otelwasm.wit.types import (
    Alias,
    Borrow,
    Case,
    Enum,
    Flags,
    Function,
    FunctionKind,
    Future,
    List,
    Map,
    NamedType,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stability,
    Stream,
    Tuple,
    Type,
    Variant,
)

__all__ = ["Speller", "indented", "notes", "spelled"]

_OF_AN_INSTANCE = {FunctionKind.METHOD, FunctionKind.GETTER, FunctionKind.SETTER}
_STATIC = {FunctionKind.STATIC, FunctionKind.STATIC_GETTER, FunctionKind.STATIC_SETTER}
_WORDS = {
    FunctionKind.GETTER: "get",
    FunctionKind.STATIC_GETTER: "get",
    FunctionKind.SETTER: "set",
    FunctionKind.STATIC_SETTER: "set",
}


@attrs.frozen
class Speller:
    """
    Writes what stands in one interface or world.

    *names* are what types are called there, by owner and name; others keep their own name. With
    *has_notes* doc comments and gates are written before what they are about.
    """

    names: dict[tuple[str, str], str] = attrs.field(factory=dict)
    has_notes: bool = False

    def type(self, type_: Type) -> str:
        """
        A reference to a type.
        """
        match type_:
            case Primitive():
                return type_.value
            case List(element=element, length=length):
                return f"list<{self.type(element)}{'' if length is None else f', {length}'}>"
            case Map(key=key, value=value):
                return f"map<{self.type(key)}, {self.type(value)}>"
            case Option(some=some):
                return f"option<{self.type(some)}>"
            case Result(ok=None, err=None):
                return "result"
            case Result(ok=ok, err=None) if ok is not None:
                return f"result<{self.type(ok)}>"
            case Result(ok=ok, err=err) if err is not None:
                return f"result<{'_' if ok is None else self.type(ok)}, {self.type(err)}>"
            case Tuple(items=items):
                return f"tuple<{', '.join(map(self.type, items))}>"
            case Future(payload=payload):
                return "future" if payload is None else f"future<{self.type(payload)}>"
            case Stream(payload=payload):
                return "stream" if payload is None else f"stream<{self.type(payload)}>"
            case Own(resource=resource):
                return self.name(resource.owner, resource.name)
            case Borrow(resource=resource):
                return f"borrow<{self.name(resource.owner, resource.name)}>"
            case _:
                assert isinstance(type_, NamedType)
                return self.name(type_.owner, type_.name)

    def name(self, owner: str, name: str) -> str:
        """
        What a type is called here.
        """
        return spelled(self.names.get((owner, name), name))

    def function(self, function: Function) -> str:
        """
        A function on one line: `read: func(limit: u32) -> result<list<u8>, error>;`
        """
        params = function.params
        if params and function.kind in _OF_AN_INSTANCE and isinstance(params[0].type, Borrow):
            params = params[1:] if params[0].name == "self" else params
        inside = ", ".join(f"{spelled(param.name)}: {self.type(param.type)}" for param in params)
        result = "" if function.result is None else f" -> {self.type(function.result)}"
        if function.kind is FunctionKind.CONSTRUCTOR:
            return f"constructor({inside}){result if isinstance(function.result, Result) else ''};"
        words = ["static"] if function.kind in _STATIC else []
        words += ["async"] if function.is_async else []
        words.append(_WORDS.get(function.kind, "func"))
        return f"{spelled(function.name)}: {' '.join(words)}({inside}){result};"

    def functions(self, functions: Iterable[Function]) -> list[str]:
        """
        Functions, a line each, with what is noted about them.
        """
        lines: list[str] = []
        for function in functions:
            lines += [*self._notes(function.docs, function.stability), self.function(function)]
        return lines

    def definition(self, type_: NamedType) -> list[str]:
        """
        A named type's definition, a line for each field, case, flag or function.
        """
        return [*self._notes(type_.docs, type_.stability), *self._definition(type_)]

    def _definition(self, type_: NamedType) -> list[str]:
        name = spelled(type_.name)
        match type_:
            case Alias(target=target):
                return [f"type {name} = {self.type(target)};"]
            case Resource(functions=()):
                return [f"resource {name};"]
            case Resource(functions=functions):
                lines = self.functions(functions)
            case Record(fields=fields):
                parts = [(f.docs, f"{spelled(f.name)}: {self.type(f.type)},") for f in fields]
                lines = self._parts(parts)
            case Variant(cases=cases) | Enum(cases=cases):
                lines = self._parts([(case.docs, self._case(case)) for case in cases])
            case Flags(flags=flags):
                lines = self._parts([(flag.docs, f"{spelled(flag.name)},") for flag in flags])
        word = type(type_).__name__.lower()
        return [f"{word} {name} {{", *indented(lines), "}"]

    def _case(self, case: Case) -> str:
        payload = "" if case.type is None else f"({self.type(case.type)})"
        return f"{spelled(case.name)}{payload},"

    def _parts(self, parts: Iterable[tuple[str, str]]) -> list[str]:
        return [line for docs, part in parts for line in (*self._notes(docs, None), part)]

    def _notes(self, docs: str, stability: Stability | None) -> list[str]:
        return notes(docs, stability) if self.has_notes else []


def spelled(name: str) -> str:
    """
    A name as WIT text has it: a keyword gets its `%`.
    """
    return f"%{name}" if is_keyword(name) else name


def notes(docs: str, stability: Stability | None) -> list[str]:
    """
    The lines before an item: its doc comment and its gates.
    """
    lines = [f"/// {line}".rstrip() for line in docs.split("\n")] if docs else []
    if stability is not None:
        if stability.since is not None:
            lines.append(f"@since(version = {stability.since})")
        if stability.feature is not None:
            lines.append(f"@unstable(feature = {stability.feature})")
        if stability.deprecated is not None:
            lines.append(f"@deprecated(version = {stability.deprecated})")
    return lines


def indented(lines: Iterable[str]) -> list[str]:
    """
    *lines* one step further in.
    """
    return [f"  {line}" if line else "" for line in lines]
