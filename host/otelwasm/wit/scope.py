"""
Keep what the indices inside a component mean, and work it out when somebody asks.

A component numbers its types, functions, instances and components; aliases and instantiations
refer to them. Nothing is evaluated until it is needed, so that all that a component holds beside
its imports and exports costs nothing.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

from otelwasm.errors import ComponentError
from otelwasm.wit.types import (
    Alias,
    Function,
    NamedType,
    Own,
    Resource,
    ResourceName,
    Type,
    resolve_alias,
)
from otelwasm.wit.walk import Scale

__all__ = [
    "Component",
    "ComponentType",
    "Defined",
    "Entity",
    "Exports",
    "Instance",
    "InstanceType",
    "Lazy",
    "Scope",
    "Work",
    "named",
]

_T = TypeVar("_T")

_MAX_STEPS = 50_000


class Lazy(Generic[_T]):
    """
    A value that is made when it is first asked for.
    """

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make: Callable[[], _T] | None = make
        self._values: list[_T] = []

    def get(self) -> _T:
        """
        The value.
        """
        if not self._values:
            if self._make is None:
                raise ComponentError("bad component: a definition that refers to itself")
            make, self._make = self._make, None
            self._values.append(make())
        return self._values[0]


@attrs.define
class Work:
    """
    What the parts of one component share; *steps* bounds what a small file can ask for.
    """

    scale: Scale = attrs.field(factory=Scale)
    steps: int = 0

    def spend(self) -> None:
        """
        Count one definition.
        """
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise ComponentError(f"bad component: more than {_MAX_STEPS:,} definitions")


@attrs.frozen(eq=False)
class InstanceType:
    """
    The type of an instance; *run* adds its exports to a scope, as a part of *parent*.
    """

    parent: "Scope"
    run: "Callable[[Scope], None]"

    def exports(self, owner: str) -> "Exports":
        """
        What an instance of this type exports; its types belong to *owner*.
        """
        scope = Scope(self.parent.work, self.parent, owner=owner)
        self.run(scope)
        return scope.exports


@attrs.frozen(eq=False)
class ComponentType:
    """
    The type of a component; *run* adds its imports and exports to a scope, as a part of *parent*.
    """

    parent: "Scope"
    run: "Callable[[Scope], None]"

    def scope(self, owner: str) -> "Scope":
        """
        What a component of this type imports and exports; its own types belong to *owner*.
        """
        scope = Scope(self.parent.work, self.parent, owner=owner)
        self.run(scope)
        return scope

    def instantiate(self, arguments: "Exports", owner: str) -> "Exports":
        """
        Complain: there is a type, and no component of that type.
        """
        raise ComponentError("bad component: it instantiates a component that it does not contain")


@attrs.frozen(eq=False)
class Component:
    """
    A nested component; *run* executes its sections in a scope, as a part of *parent*.
    """

    parent: "Scope"
    run: "Callable[[Scope], None]"

    def instantiate(self, arguments: "Exports", owner: str) -> "Exports":
        """
        What it exports when its imports are *arguments*.
        """
        scope = Scope(self.parent.work, self.parent, owner=owner, arguments=arguments)
        self.run(scope)
        return scope.exports


class Instance:
    """
    Named exports; the types among them belong to *owner*, once it is known.
    """

    def __init__(self, exports: "Callable[[str], Exports]", owner: str | None = None) -> None:
        self.owner = owner
        self._exports = Lazy(lambda: exports(self.owner or ""))

    def belong_to(self, owner: str) -> None:
        """
        Let the types be *owner*'s, unless they have one already.
        """
        if self.owner is None:
            self.owner = owner

    def exports(self) -> "Exports":
        """
        All exports by name.
        """
        return self._exports.get()

    def export(self, kind: str, name: str) -> "Entity":
        """
        The export called *name*, which is of this *kind*.
        """
        found, entity = self.exports().get(name, ("", None))
        if found != kind:
            raise ComponentError(f"bad component: an instance has no {kind} {name!r}")
        return entity


Defined = Type | Function | InstanceType | ComponentType | None
# A lazy type, function or component; an instance; None for what has no part in types.
Entity = Lazy[Any] | Instance | None
Exports = dict[str, tuple[str, Entity]]


class Scope:
    """
    The index spaces of one component, or of one component's or instance's type.

    *arguments* are what an instantiation passes for the imports; without them an import stands
    for whatever its type says.
    """

    def __init__(
        self,
        work: Work,
        parent: "Scope | None",
        *,
        owner: str,
        arguments: "Exports | None" = None,
    ) -> None:
        self.work = work
        self.parent = parent
        self.owner = owner
        self.arguments = arguments
        self.types: list[Lazy[Defined]] = []
        self.functions: list[Lazy[Function]] = []
        self.instances: list[Instance] = []
        self.components: list[Lazy[Component | ComponentType]] = []
        self.imports: dict[str, tuple[str, Entity]] = {}
        self.exports: dict[str, tuple[str, Entity]] = {}

    def outer(self, count: int) -> "Scope":
        """
        The scope *count* levels out.
        """
        scope: Scope | None = self
        for _ in range(count):
            scope = scope.parent if scope is not None else None
        if scope is None:
            raise ComponentError("bad component: an alias to outside of the component")
        return scope

    def defined(self, index: int) -> Defined:
        """
        Whatever type stands at *index*.
        """
        return self.at(self.types, index, kind="type").get()

    def value_type(self, index: int) -> Type:
        """
        The value type at *index*.
        """
        found = self.defined(index)
        if found is None or isinstance(found, Function | InstanceType | ComponentType):
            raise ComponentError(f"bad component: type {index} is no value's type")
        if isinstance(found, Resource):
            return Own(ResourceName(found.owner, found.name))
        return found

    def function_type(self, index: int) -> Function:
        """
        The function type at *index*.
        """
        found = self.defined(index)
        if not isinstance(found, Function):
            raise ComponentError(f"bad component: type {index} is no function's type")
        return found

    def instance_type(self, index: int) -> InstanceType:
        """
        The instance type at *index*.
        """
        found = self.defined(index)
        if not isinstance(found, InstanceType):
            raise ComponentError(f"bad component: type {index} is no instance's type")
        return found

    def component_type(self, index: int) -> ComponentType:
        """
        The component type at *index*.
        """
        found = self.defined(index)
        if not isinstance(found, ComponentType):
            raise ComponentError(f"bad component: type {index} is no component's type")
        return found

    def resource(self, index: int) -> ResourceName:
        """
        The resource at *index*.
        """
        found = self.defined(index)
        if isinstance(found, Alias) and isinstance(handle := resolve_alias(found), Own):
            return handle.resource
        if not isinstance(found, Resource):
            raise ComponentError(f"bad component: type {index} is no resource")
        return ResourceName(found.owner, found.name)

    def entity(self, kind: str, index: int) -> Entity:
        """
        What stands at *index* among the things of this *kind*.
        """
        match kind:
            case "type":
                return self.at(self.types, index, kind=kind)
            case "func":
                return self.at(self.functions, index, kind=kind)
            case "instance":
                return self.at(self.instances, index, kind=kind)
            case "component":
                return self.at(self.components, index, kind=kind)
            case _:
                return None

    def add(self, kind: str, entity: Entity) -> None:
        """
        Give *entity* the next index among the things of its *kind*.
        """
        self.work.spend()
        match kind, entity:
            case "type", Lazy():
                self.types.append(entity)
            case "func", Lazy():
                self.functions.append(entity)
            case "instance", Instance():
                self.instances.append(entity)
            case "component", Lazy():
                self.components.append(entity)
            case (("type" | "func" | "instance" | "component"), _):
                raise ComponentError(f"bad component: a {kind} is expected, something else given")

    @staticmethod
    def at(things: list[_T], index: int, *, kind: str) -> _T:
        """
        The thing at *index*.
        """
        if index >= len(things):
            raise ComponentError(f"bad component: there is no {kind} {index}")
        return things[index]


def named(defined: Defined, name: str, *, owner: str) -> Defined:
    """
    What *defined* becomes when it is imported or exported as *name* of *owner*.

    A type gets its name where it is first exported; under a second name it is an alias, and in
    another interface it is used from where it comes.
    """
    if defined is None or isinstance(defined, Function | InstanceType | ComponentType):
        return defined
    if isinstance(defined, NamedType):
        if not defined.name:
            return attrs.evolve(defined, name=name, owner=owner)
        if defined.owner != owner:
            return defined
        if isinstance(defined, Resource):
            return Alias(name, owner, Own(ResourceName(owner, defined.name)))
    return Alias(name, owner, defined)
