"""
Keep names apart: two that a component could not tell from each other are refused.

Components compare names without case and hyphens, and know a resource's functions by names such
as `[method]file.read`.
"""

import difflib
from collections.abc import Iterable

import attrs

from otelwasm.wit.lexer import Source
from otelwasm.wit.syntax import FunctionNode, Id, TypeNode
from otelwasm.wit.types import FunctionKind

__all__ = ["NameScope", "did_you_mean", "same_name", "wire_name"]


def same_name(name: str) -> str:
    """
    What *name* is compared by: two names with the same answer cannot stand side by side.
    """
    return name.lower().replace("-", "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """
    The end of a message about an unknown *name*: the nearest known one, if one is near.
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def wire_name(kind: FunctionKind, name: str, *, resource: str | None = None) -> str:
    """
    What a component calls a function: `read`, `[method]file.read`, `[constructor]file`.
    """
    match kind:
        case FunctionKind.CONSTRUCTOR:
            return f"[constructor]{resource}"
        case FunctionKind.STATIC | FunctionKind.STATIC_GETTER | FunctionKind.STATIC_SETTER:
            prefix = "[static]"
        case _:
            prefix = "[method]" if resource else ""
    if kind in (FunctionKind.GETTER, FunctionKind.STATIC_GETTER):
        prefix += "[get]"
    if kind in (FunctionKind.SETTER, FunctionKind.STATIC_SETTER):
        prefix += "[set]"
    return f"{prefix}{resource}.{name}" if resource else f"{prefix}{name}"


@attrs.define
class NameScope:
    """
    The names of one interface, or of one world's imports or exports.
    """

    source: Source
    what: str = "name"
    _keys: dict[tuple[str, str], str] = attrs.field(factory=dict)
    _setters: list[tuple[str, Id]] = attrs.field(factory=list)
    _names: set[str] = attrs.field(factory=set)

    def add(self, name: str, place: Id, *, kind: FunctionKind | None = None) -> None:
        """
        Take *name* (as components spell it), or refuse it because another one is too close.
        """
        key = _key(name)
        if key in self._keys:
            other = self._keys[key]
            problem = "is there already" if other == name else f"is too close to `{other}`"
            raise self.source.error(
                place.at, f"{self.what} `{name}` {problem}", length=place.length
            )
        self._keys[key] = name
        self._names.add(name)
        if kind in (FunctionKind.SETTER, FunctionKind.STATIC_SETTER):
            self._setters.append((name, place))

    def add_function(self, function: FunctionNode, resource: str | None = None) -> None:
        """
        Take a function's name.
        """
        name = wire_name(function.kind, function.name.text, resource=resource)
        self.add(name, function.name, kind=function.kind)

    def add_type(self, node: TypeNode) -> None:
        """
        Take a type's name, and those of a resource's functions.
        """
        self.add(node.name.text, node.name)
        for function in node.functions:
            self.add_function(function, node.name.text)

    def check_setters(self) -> None:
        """
        Refuse a setter that has no getter beside it.
        """
        for name, place in self._setters:
            getter = name.replace("[set]", "[get]", 1)
            if getter not in self._names:
                raise self.source.error(
                    place.at, f"setter `{name}` has no getter `{getter}`", length=place.length
                )


def _key(name: str) -> tuple[str, str]:
    tags, _, label = name.rpartition("]")
    label = same_name(label)
    resource, dot, member = label.partition(".")
    if dot and resource == member:
        label = resource
    if tags.endswith("[constructor"):
        return "constructor", label
    return "set" if tags.endswith("[set") else "", label
