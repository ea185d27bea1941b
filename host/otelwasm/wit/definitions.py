"""
Resolve the types and functions of one interface or world: names become what they stand for.
"""

from collections.abc import Callable, Iterable

import attrs

from otelwasm.wit.gates import Gatekeeper
from otelwasm.wit.lexer import Source
from otelwasm.wit.model import Interface, PackageName, Use
from otelwasm.wit.names import did_you_mean, same_name
from otelwasm.wit.syntax import FunctionNode, Gate, Id, Member, Path, TypeExpr, TypeNode, UseNode
from otelwasm.wit.types import (
    Alias,
    Borrow,
    Case,
    Enum,
    Field,
    Flag,
    Flags,
    Function,
    FunctionKind,
    Future,
    List,
    Map,
    NamedType,
    Option,
    Own,
    Param,
    Primitive,
    Record,
    Resource,
    ResourceName,
    Result,
    Stream,
    Tuple,
    Type,
    Variant,
)
from otelwasm.wit.walk import Scale, lends

__all__ = ["Definitions"]

_MAX_FLAGS = 32
_KEYS = frozenset(Primitive) - {Primitive.F32, Primitive.F64, Primitive.ERROR_CONTEXT}
_SELF = frozenset({FunctionKind.METHOD, FunctionKind.GETTER, FunctionKind.SETTER})


@attrs.frozen
class _Entry:
    """
    A type's name in scope; *resource* is set where it stands for a resource.
    """

    type: NamedType
    resource: ResourceName | None = None


class Definitions:
    """
    The names that the types of one interface or world see, and those types.
    """

    def __init__(
        self,
        source: Source,
        package: PackageName,
        *,
        owner: str,
        gatekeeper: Gatekeeper,
        scale: Scale,
        interface_at: "Callable[[Path], tuple[Interface, Definitions]]",
    ) -> None:
        self._source = source
        self._package = package
        self._owner = owner
        self._gatekeeper = gatekeeper
        self._scale = scale
        self._interface_at = interface_at
        self._nodes: dict[str, TypeNode] = {}
        self._entries: dict[str, _Entry] = {}
        self._excluded: set[str] = set()
        self._resolving: list[str] = []
        self._functions: frozenset[str] = frozenset()
        self.uses: list[Use] = []
        self.used: list[Interface] = []
        self.types: tuple[NamedType, ...] = ()

    def define(
        self,
        uses: Iterable[UseNode],
        types: Iterable[TypeNode],
        *,
        functions: Iterable[FunctionNode] = (),
    ) -> None:
        """
        Resolve all of an interface's or world's types.
        """
        self._functions = frozenset(function.name.text for function in functions)
        for use in uses:
            self._use(use)
        admitted = []
        for node in types:
            name = node.name.text
            if name in self._nodes or name in self._entries:
                raise self._error(node.name, f"the name `{name}` is defined twice")
            stability = self._gatekeeper.read(node.gates, self._package, source=self._source)
            if self._gatekeeper.admits(stability):
                self._nodes[name] = node
                admitted.append(node)
            else:
                self._excluded.add(name)
                for function in node.functions:
                    if self._admits(function.gates):
                        raise self._error(
                            function.name, f"resource `{name}` is behind a feature, so this is too"
                        )
        self.types = tuple(self._named(node.name).type for node in admitted)

    def entry(self, name: Id, source: Source) -> _Entry:
        """
        What another interface's `use` finds under *name*.
        """
        entry = self._entries.get(name.text)
        if entry is not None:
            return entry
        if name.text in self._excluded:
            problem = f"type `{name.text}` of {self._owner} is behind a feature that is not on"
        elif name.text in self._functions:
            problem = f"`{name.text}` of {self._owner} is a function, not a type"
        else:
            hint = did_you_mean(name.text, [*self._entries, *self._nodes])
            problem = f"{self._owner} has no type `{name.text}`{hint}"
        raise source.error(name.at, problem, length=name.length)

    def function(self, node: FunctionNode) -> Function | None:
        """
        A function outside of resources; None if its gates keep it out.
        """
        return self._function(node, None)

    def _admits(self, gates: tuple[Gate, ...]) -> bool:
        return self._gatekeeper.admits(
            self._gatekeeper.read(gates, self._package, source=self._source)
        )

    def _use(self, use: UseNode) -> None:
        if not self._admits(use.gates):
            self._excluded.update(name.text for _, name in use.names)
            return
        interface, definitions = self._interface_at(use.path)
        if interface not in self.used:
            self.used.append(interface)
        for original, name in use.names:
            if name.text in self._entries:
                raise self._error(name, f"the name `{name.text}` is defined twice")
            entry = definitions.entry(original, self._source)
            self._entries[name.text] = entry
            self.uses.append(Use(name.text, entry.type))

    def _named(self, name: Id) -> _Entry:
        entry = self._entries.get(name.text)
        if entry is not None:
            return entry
        node = self._nodes.get(name.text)
        if node is None:
            raise self._error(name, self._unknown(name.text))
        if name.text in self._resolving:
            chain = self._resolving[self._resolving.index(name.text) :]
            path = " -> ".join(f"`{link}`" for link in [*chain, name.text])
            raise self._error(name, f"a type may not contain itself: {path}")
        self._resolving.append(name.text)
        entry = self._define(node)
        if problem := self._scale.problem(entry.type):
            raise self._error(node.name, problem)
        self._resolving.pop()
        self._entries[name.text] = entry
        return entry

    def _unknown(self, name: str) -> str:
        if name in self._excluded:
            return f"type `{name}` is behind a feature that is not on"
        if name in self._functions:
            return f"`{name}` is a function, not a type"
        renamed = {"float32": "f32", "float64": "f64"}.get(name)
        if renamed:
            return f"unknown type `{name}`; it is called `{renamed}` now"
        return f"unknown type `{name}`{did_you_mean(name, [*self._entries, *self._nodes])}"

    def _define(self, node: TypeNode) -> _Entry:
        name, docs = node.name.text, node.docs
        stability = self._gatekeeper.read(node.gates, self._package, source=self._source)
        if node.kind == "resource":
            return self._resource(node)
        if node.kind == "type":
            assert node.target is not None
            target = self._type(node.target)
            alias = Alias(name, self._owner, target, docs=docs, stability=stability)
            is_name = node.target.is_name
            return _Entry(alias, self._named(node.target.id).resource if is_name else None)
        if not node.members:
            raise self._error(node.name, f"{node.kind} `{name}` is empty")
        self._refuse_twins(node.kind, node.members)
        if node.kind == "flags":
            if len(node.members) > _MAX_FLAGS:
                raise self._error(node.members[_MAX_FLAGS].name, "more than 32 flags in one type")
            flags = tuple(Flag(member.name.text, docs=member.docs) for member in node.members)
            return _Entry(Flags(name, self._owner, flags, docs=docs, stability=stability))
        types = [
            None if member.type is None else self._type(member.type) for member in node.members
        ]
        if node.kind == "record":
            fields = tuple(
                Field(member.name.text, type_, docs=member.docs)
                for member, type_ in zip(node.members, types, strict=True)
                if type_ is not None
            )
            return _Entry(Record(name, self._owner, fields, docs=docs, stability=stability))
        cases = tuple(
            Case(member.name.text, type_, docs=member.docs)
            for member, type_ in zip(node.members, types, strict=True)
        )
        make = Variant if node.kind == "variant" else Enum
        return _Entry(make(name, self._owner, cases, docs=docs, stability=stability))

    def _resource(self, node: TypeNode) -> _Entry:
        name = node.name.text
        own = ResourceName(self._owner, name)
        stability = self._gatekeeper.read(node.gates, self._package, source=self._source)
        bare = Resource(name, self._owner, docs=node.docs, stability=stability)
        # Its functions mention the resource, and types that do, so its name is known first.
        self._entries[name] = _Entry(bare, own)
        found = [self._function(function, own) for function in node.functions]
        functions = tuple(function for function in found if function is not None)
        return _Entry(attrs.evolve(bare, functions=functions), own)

    def _function(self, node: FunctionNode, resource: ResourceName | None) -> Function | None:
        stability = self._gatekeeper.read(node.gates, self._package, source=self._source)
        if not self._gatekeeper.admits(stability):
            return None
        params = []
        if resource is not None and node.kind in _SELF:
            params.append(Param("self", Borrow(resource)))
        seen = {param.name for param in params}
        for member in node.params:
            assert member.type is not None
            if same_name(member.name.text) in seen:
                raise self._error(member.name, f"parameter `{member.name.text}` is defined twice")
            seen.add(same_name(member.name.text))
            params.append(Param(member.name.text, self._type(member.type)))
        result = None if node.result is None else self._type(node.result)
        if node.kind is FunctionKind.CONSTRUCTOR and resource is not None:
            result = self._constructed(node, resource, result=result)
        self._check_accessor(node, result)
        if node.result is not None and result is not None and lends(result):
            raise self._error(node.result.id, "a function cannot return a `borrow<…>`")
        return Function(
            node.name.text,
            tuple(params),
            result,
            kind=node.kind,
            is_async=node.is_async,
            docs=node.docs,
            stability=stability,
        )

    def _constructed(
        self, node: FunctionNode, resource: ResourceName, *, result: Type | None
    ) -> Type:
        if node.result is None or result is None:
            return Own(resource)
        if not isinstance(result, Result):
            raise self._error(node.result.id, "a constructor returns nothing or a `result<…>`")
        if result.ok != Own(resource):
            raise self._error(
                node.result.id, f"a constructor's result has `{resource.name}` as its first type"
            )
        return result

    def _check_accessor(self, node: FunctionNode, result: Type | None) -> None:
        if node.kind in (FunctionKind.GETTER, FunctionKind.STATIC_GETTER):
            if node.params:
                raise self._error(node.params[0].name, "a getter has no parameters")
            if result is None:
                raise self._error(node.name, "a getter returns a value")
        if node.kind in (FunctionKind.SETTER, FunctionKind.STATIC_SETTER):
            if len(node.params) != 1:
                raise self._error(node.name, "a setter has one parameter")
            if node.result and not (isinstance(result, Result) and result.ok is None):
                raise self._error(
                    node.result.id, "a setter returns nothing, `result` or `result<_, …>`"
                )

    def _type(self, expr: TypeExpr) -> Type:
        if expr.is_name:
            entry = self._named(expr.id)
            if isinstance(entry.type, Resource) and entry.resource is not None:
                return Own(entry.resource)
            return entry.type
        if not expr.arguments and expr.word not in ("result", "future", "stream", "tuple"):
            return Primitive(expr.word)
        if expr.word in ("own", "borrow"):
            target = expr.arguments[0]
            assert target is not None
            resource = self._named(target.id).resource
            if resource is None:
                raise self._error(target.id, f"`{target.word}` is no resource")
            return (Own if expr.word == "own" else Borrow)(resource)
        types = [None if part is None else self._type(part) for part in expr.arguments]
        type_ = self._built(expr, types)
        if problem := self._scale.problem(type_):
            raise self._error(expr.id, problem)
        return type_

    def _built(self, expr: TypeExpr, types: list[Type | None]) -> Type:
        match expr.word, types:
            case "result", _:
                ok, err = [*types, None, None][:2]
                return Result(ok, err)
            case "future", _:
                return Future(types[0] if types else None)
            case "stream", _:
                return Stream(types[0] if types else None)
            case "tuple", []:
                raise self._error(expr.id, "a tuple has at least one type")
            case "tuple", _:
                return Tuple(tuple(type_ for type_ in types if type_ is not None))
            case "option", [some] if some is not None:
                return Option(some)
            case "list", [element] if element is not None:
                return List(element, expr.length)
            case "map", [key, value] if key is not None and value is not None:
                if key not in _KEYS:
                    raise self._error(expr.id, "a map's key is bool, an integer, char or string")
                return Map(key, value)
        raise AssertionError(expr)

    def _refuse_twins(self, kind: str, members: tuple[Member, ...]) -> None:
        word = {"record": "field", "flags": "flag"}.get(kind, "case")
        seen: dict[str, str] = {}
        for member in members:
            key = same_name(member.name.text)
            if key in seen:
                problem = (
                    "is there already"
                    if seen[key] == member.name.text
                    else (f"is too close to `{seen[key]}`")
                )
                raise self._error(member.name, f"{word} `{member.name.text}` {problem}")
            seen[key] = member.name.text

    def _error(self, place: Id, message: str) -> Exception:
        return self._source.error(place.at, message, length=place.length)
