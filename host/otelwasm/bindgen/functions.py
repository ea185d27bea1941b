"""
Keep the functions that generated code needs, each written once, where its type belongs.
"""

from collections.abc import Callable

from otelwasm.bindgen.module import Module
from otelwasm.bindgen.names import snake
from otelwasm.bindgen.types import Types
from otelwasm.wit.types import (
    Alias,
    List,
    NamedType,
    Option,
    Primitive,
    Result,
    Tuple,
    Type,
)

__all__ = ["Functions", "type_name"]


class Functions:
    """
    A named type's functions stand in its own module and are public; others are private.
    """

    def __init__(self, types: Types) -> None:
        self._types = types
        self._names: dict[tuple[str, str, Type], str] = {}

    def name(
        self, verb: str, type_: Type, module: Module, write: Callable[[Module, str], str]
    ) -> str:
        """
        What *module* calls the function that does *verb* with *type_*, written if it is new.
        """
        while isinstance(type_, Alias) and isinstance(type_.target, NamedType):
            type_ = type_.target
        is_named = isinstance(type_, NamedType)
        owner = self._types.module_of(type_) if isinstance(type_, NamedType) else module
        key = (owner.name, verb, type_)
        if key not in self._names:
            name = owner.scope.fresh(f"{'' if is_named else '_'}{verb}_{type_name(type_)}")
            self._names[key] = owner.publish(name) if is_named else name
            owner.functions.append(write(owner, name))
        return module.sibling(owner, self._names[key])


def type_name(type_: Type | None) -> str:
    """
    A name for *type_* that is legal in Python: `list_of_tuple_string_u32`.
    """
    match type_:
        case None:
            return "none"
        case Primitive():
            return type_.value
        case List(element=element):
            return f"list_of_{type_name(element)}"
        case Option(some=some):
            return f"option_{type_name(some)}"
        case Result(ok=ok, err=err):
            return f"result_{type_name(ok)}_{type_name(err)}"
        case Tuple(items=items):
            return f"tuple_{'_'.join(map(type_name, items))}"
        case _:
            return snake(str(type_))
