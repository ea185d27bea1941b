"""
Read the parts of a component, each as a step that adds to a scope: a type, an alias, an export…
"""

from collections.abc import Callable

from otelwasm.errors import ComponentError
from otelwasm.wit.deftypes import read_function, read_result, read_value, read_value_type
from otelwasm.wit.reader import Reader
from otelwasm.wit.scope import (
    Component,
    ComponentType,
    Defined,
    Entity,
    Exports,
    Instance,
    InstanceType,
    Lazy,
    Scope,
    named,
)
from otelwasm.wit.types import Resource

__all__ = [
    "Step",
    "read_alias",
    "read_canonical",
    "read_export",
    "read_import",
    "read_instance",
    "read_type",
]

Step = Callable[[Scope], None]

_KINDS = {1: "func", 2: "value", 3: "type", 4: "component", 5: "instance"}
_MODULE = 0x11
_MAX_DEPTH = 100

# What follows each canonical function's opcode: u = index, b = byte, o = options, r = result.
_CANONICAL = {
    0x00: "buou",
    0x01: "buo",
    **dict.fromkeys((0x02, 0x03, 0x04, 0x0E, 0x13, 0x14, 0x15, 0x1A, 0x1B, 0x2E, 0x2F, 0x40), "u"),
    **dict.fromkeys((0x05, 0x0D, 0x1E, 0x1F, 0x22, 0x23, 0x24, 0x25, 0x26, 0x28, 0x42), ""),
    **dict.fromkeys((0x06, 0x08, 0x0C, 0x29, 0x2A, 0x2B, 0x2C, 0x2D), "b"),
    0x09: "ro",
    **dict.fromkeys((0x0A, 0x0B, 0x20, 0x21), "bu"),
    **dict.fromkeys((0x0F, 0x10, 0x16, 0x17), "uo"),
    **dict.fromkeys((0x11, 0x12, 0x18, 0x19), "ub"),
    **dict.fromkeys((0x1C, 0x1D), "o"),
    **dict.fromkeys((0x27, 0x41), "uu"),
}
_IMPLEMENTS, _VERSION_SUFFIX = 0, 1
_PLAIN_OPTIONS = (0, 1, 2, 6, 9)
_INDEX_OPTIONS = (3, 4, 5, 7, 8)


def read_type(reader: Reader, depth: int = 0) -> Step:
    """
    Read a type's definition.
    """
    make = _definition(reader, depth)
    return lambda scope: scope.add("type", Lazy(lambda: make(scope)))


def read_alias(reader: Reader) -> Step:
    """
    Read an alias of an instance's export or of something outside.
    """
    kind = _sort(reader)
    at = reader.at
    match reader.byte():
        case 0:
            index, name = reader.u32(), reader.text()
            return lambda scope: scope.add(kind, _export_of(scope, kind, index=index, name=name))
        case 1:
            reader.u32()
            reader.text()
            return _nothing
        case 2:
            count, index = reader.u32(), reader.u32()
            return lambda scope: scope.add(kind, scope.outer(count).entity(kind, index))
        case tag:
            raise reader.error(f"an unknown alias (0x{tag:02x})", at)


def read_import(reader: Reader) -> Step:
    """
    Read an import; an instantiation's argument takes its place.
    """
    name, owner = _name(reader)
    kind, describe = _description(reader)

    def step(scope: Scope) -> None:
        if scope.arguments is None:
            entity = describe(scope, owner)
        else:
            found, entity = scope.arguments.get(name, ("nothing", None))
            if found != kind:
                raise ComponentError(
                    f"bad component: an instantiation passes {found} for {kind} {name!r}"
                )
        scope.imports[name] = (kind, entity)
        scope.add(kind, entity)

    return step


def read_export(reader: Reader) -> Step:
    """
    Read an export of a component: something from within, perhaps seen as another type.
    """
    name, owner = _name(reader)
    kind, index = _sort(reader), reader.u32()
    at = reader.at
    describe = None
    match reader.byte():
        case 0:
            pass
        case 1:
            described, describe = _description(reader)
            if described != kind:
                raise reader.error(f"{kind} {name!r} is exported as {described}", at)
        case tag:
            raise reader.error(f"0 or 1 expected, found {tag}", at)

    def step(scope: Scope) -> None:
        if describe is None:
            entity = _under_name(scope, kind, entity=scope.entity(kind, index), name=owner)
        else:
            entity = describe(scope, owner)
        scope.exports[name] = (kind, entity)
        scope.add(kind, entity)

    return step


def read_instance(reader: Reader) -> Step:
    """
    Read an instance: a component with arguments, or a bag of exports.
    """
    at = reader.at
    match reader.byte():
        case 0:
            index = reader.u32()
            given = reader.several(lambda r: (r.text(), _sort(r), r.u32()))
            return lambda scope: scope.add(
                "instance",
                Instance(lambda owner: _instantiate(scope, index, given=given, owner=owner)),
            )
        case 1:
            bag = reader.several(lambda r: (_name(r)[0], _sort(r), r.u32()))
            return lambda scope: scope.add(
                "instance", Instance(lambda owner: _bag(scope, bag, owner=owner))
            )
        case tag:
            raise reader.error(f"an unknown kind of instance (0x{tag:02x})", at)


def read_canonical(reader: Reader) -> Step:
    """
    Read a canonical function; only lifted ones are functions of the component.
    """
    at = reader.at
    opcode = reader.byte()
    operands = _CANONICAL.get(opcode)
    if operands is None:
        raise reader.error(f"an unknown canonical function (0x{opcode:02x})", at)
    last = 0
    for operand in operands:
        match operand:
            case "u":
                last = reader.u32()
            case "b":
                reader.byte()
            case "o":
                reader.several(_option)
            case "r":
                read_result(reader)
    if opcode != 0:
        return _nothing
    return lambda scope: scope.add("func", Lazy(lambda: scope.function_type(last)))


def _definition(reader: Reader, depth: int) -> Callable[[Scope], Defined]:
    at = reader.at
    match reader.peek():
        case 0x3F:
            reader.byte()
            reader.byte()
            if reader.byte():
                reader.u32()
            return lambda scope: Resource("", "")
        case 0x40 | 0x43 as tag:
            reader.byte()
            return read_function(reader, is_async=tag == 0x43)
        case 0x41 | 0x42 as tag:
            reader.byte()
            if depth >= _MAX_DEPTH:
                raise reader.error(f"types are nested more than {_MAX_DEPTH} deep", at)
            steps = reader.several(lambda r: _declaration(r, depth + 1))
            if tag == 0x41:
                return lambda scope: ComponentType(scope, lambda inner: _run(steps, inner))
            return lambda scope: InstanceType(scope, lambda inner: _run(steps, inner))
        case _:
            build = read_value(reader)

    def make(scope: Scope) -> Defined:
        type_ = build(scope)
        problem = scope.work.scale.problem(type_)
        if problem:
            raise ComponentError(f"bad component: {problem}")
        return type_

    return make


def _declaration(reader: Reader, depth: int) -> Step:
    """
    Read one item of an instance's or component's type.
    """
    at = reader.at
    match reader.byte():
        case 1:
            return read_type(reader, depth)
        case 2:
            return read_alias(reader)
        case 3:
            return read_import(reader)
        case 4:
            name, owner = _name(reader)
            kind, describe = _description(reader)

            def export(scope: Scope) -> None:
                entity = describe(scope, owner)
                scope.exports[name] = (kind, entity)
                scope.add(kind, entity)

            return export
        case 0:
            raise reader.error("a type that mentions core modules, which is not supported", at)
        case tag:
            raise reader.error(f"an unknown declaration (0x{tag:02x})", at)


def _description(reader: Reader) -> tuple[str, Callable[[Scope, str], Entity]]:
    """
    Read what an import or export is said to be; gives its kind and how to make one of it.
    """
    kind = _sort(reader)
    at = reader.at
    if kind == "value":
        read_value_type(reader)
        return kind, lambda scope, name: None
    if kind == "type":
        match reader.byte():
            case 0:
                index = reader.u32()
                return kind, lambda scope, name: Lazy(
                    lambda: named(scope.defined(index), name, owner=scope.owner)
                )
            case 1:
                return kind, lambda scope, name: Lazy(lambda: Resource(name, scope.owner))
            case tag:
                raise reader.error(f"an unknown bound of a type (0x{tag:02x})", at)
    index = reader.u32()
    match kind:
        case "func":
            return kind, lambda scope, name: Lazy(lambda: scope.function_type(index))
        case "instance":
            return kind, lambda scope, name: Instance(
                lambda owner: scope.instance_type(index).exports(owner), name
            )
        case "component":
            return kind, lambda scope, name: Lazy(lambda: scope.component_type(index))
        case _:
            return kind, lambda scope, name: None


def _under_name(scope: Scope, kind: str, *, entity: Entity, name: str) -> Entity:
    """
    What *entity* is once it has a name: types and the types of instances take it on.
    """
    if kind == "type" and isinstance(entity, Lazy):
        return Lazy(lambda: named(entity.get(), name, owner=scope.owner))
    if isinstance(entity, Instance):
        entity.belong_to(name)
    return entity


def _export_of(scope: Scope, kind: str, *, index: int, name: str) -> Entity:
    instance = scope.at(scope.instances, index, kind="instance")
    if kind == "instance":

        def exports(owner: str) -> Exports:
            inner = instance.export(kind, name)
            if not isinstance(inner, Instance):
                return {}
            inner.belong_to(owner)
            return inner.exports()

        return Instance(exports)

    def get() -> object:
        entity = instance.export(kind, name)
        return entity.get() if isinstance(entity, Lazy) else None

    return Lazy(get) if kind in _KINDS.values() and kind != "value" else None


def _instantiate(
    scope: Scope, index: int, *, given: list[tuple[str, str, int]], owner: str
) -> Exports:
    component: Component | ComponentType = scope.at(scope.components, index, kind="component").get()
    arguments = {name: (kind, scope.entity(kind, at)) for name, kind, at in given}
    return component.instantiate(arguments, owner)


def _bag(scope: Scope, bag: list[tuple[str, str, int]], *, owner: str) -> Exports:
    exports: Exports = {}
    for name, kind, index in bag:
        entity = scope.entity(kind, index)
        if kind == "type" and isinstance(entity, Lazy):
            entity = _renamed(entity, name, owner=owner)
        exports[name] = (kind, entity)
    return exports


def _renamed(entity: Lazy[Defined], name: str, *, owner: str) -> Lazy[Defined]:
    return Lazy(lambda: named(entity.get(), name, owner=owner))


def _run(steps: list[Step], scope: Scope) -> None:
    for step in steps:
        step(scope)


def _nothing(scope: Scope) -> None:
    """
    Core things have no part in a component's types.
    """


def _sort(reader: Reader) -> str:
    """
    Read what kind of thing an index is about.
    """
    at = reader.at
    tag = reader.byte()
    if tag == 0:
        return "module" if reader.byte() == _MODULE else "core"
    kind = _KINDS.get(tag)
    if kind is None:
        raise reader.error(f"an unknown kind of thing (0x{tag:02x})", at)
    return kind


def _name(reader: Reader) -> tuple[str, str]:
    """
    Read the name of an import or export, and the interface that it stands for: mostly itself.
    """
    at = reader.at
    tag = reader.byte()
    if tag > 2:
        raise reader.error(f"an unknown kind of name (0x{tag:02x})", at)
    name = reader.text()
    if tag < 2:
        return name, name
    options = dict(reader.several(lambda r: (r.byte(), r.text())))
    suffix = options.get(_VERSION_SUFFIX, "")
    if _IMPLEMENTS in options:
        return name, _with_suffix(options[_IMPLEMENTS], suffix)
    return (_with_suffix(name, suffix),) * 2


def _with_suffix(name: str, suffix: str) -> str:
    return name + suffix if "@" in name else name


def _option(reader: Reader) -> None:
    at = reader.at
    tag = reader.byte()
    if tag in _INDEX_OPTIONS:
        reader.u32()
    elif tag not in _PLAIN_OPTIONS:
        raise reader.error(f"an unknown option of a canonical function (0x{tag:02x})", at)
