"""
Give the types of an included world to the world that includes it, perhaps under other names.
"""

from collections.abc import Callable

import attrs

from otelwasm.wit.types import (
    Alias,
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
    Resource,
    ResourceName,
    Result,
    Stream,
    Tuple,
    Type,
    Variant,
)

__all__ = ["Renaming"]


@attrs.define
class Renaming:
    """
    Moves types from world *old* to world *new*; `label` gives a type's new name.
    """

    old: str
    new: str
    label: Callable[[str], str]
    _done: dict[int, tuple[Type, Type]] = attrs.field(factory=dict)

    def named(self, type_: NamedType) -> NamedType:
        """
        *type_* as the new world has it; a type of an interface stays what it is.
        """
        moved = self.type(type_)
        assert isinstance(moved, NamedType)
        return moved

    def function(self, function: Function) -> Function:
        """
        *function* with the types that the new world has.
        """
        params = tuple(attrs.evolve(param, type=self.type(param.type)) for param in function.params)
        return attrs.evolve(function, params=params, result=self._optional(function.result))

    def type(self, type_: Type) -> Type:
        """
        *type_* as the new world has it.
        """
        known = self._done.get(id(type_))
        if known is None:
            known = (type_, self._moved(type_))
            self._done[id(type_)] = known
        return known[1]

    def _moved(self, type_: Type) -> Type:
        match type_:
            case Own(resource=resource):
                return Own(self._resource(resource))
            case Borrow(resource=resource):
                return Borrow(self._resource(resource))
            case List():
                return attrs.evolve(type_, element=self.type(type_.element))
            case Option():
                return Option(self.type(type_.some))
            case Map():
                return Map(self.type(type_.key), self.type(type_.value))
            case Tuple():
                return Tuple(tuple(self.type(item) for item in type_.items))
            case Result():
                return Result(self._optional(type_.ok), self._optional(type_.err))
            case Future():
                return Future(self._optional(type_.payload))
            case Stream():
                return Stream(self._optional(type_.payload))
            case Record() | Variant() | Enum() | Flags() | Alias() | Resource():
                return self._moved_name(type_) if type_.owner == self.old else type_
            case _:
                return type_

    def _moved_name(self, type_: NamedType) -> NamedType:
        named = attrs.evolve(type_, name=self.label(type_.name), owner=self.new)
        match named:
            case Record():
                fields = [attrs.evolve(field, type=self.type(field.type)) for field in named.fields]
                return attrs.evolve(named, fields=tuple(fields))
            case Variant():
                cases = [attrs.evolve(case, type=self._optional(case.type)) for case in named.cases]
                return attrs.evolve(named, cases=tuple(cases))
            case Alias():
                return attrs.evolve(named, target=self.type(named.target))
            case Resource():
                functions = [self.function(function) for function in named.functions]
                return attrs.evolve(named, functions=tuple(functions))
            case _:
                return named

    def _optional(self, type_: Type | None) -> Type | None:
        return None if type_ is None else self.type(type_)

    def _resource(self, resource: ResourceName) -> ResourceName:
        if resource.owner != self.old:
            return resource
        return ResourceName(self.new, self.label(resource.name))
