"""
Write the Python values of a world's types: enums, flags, frozen classes and aliases.

    enum -> IntEnum                 list<u8> -> bytes             option<t> -> T | None
    flags -> IntFlag                list<t> -> tuple[T, ...]      result<t, e> -> Ok[T] | Err[E]
    record -> frozen class          tuple<a, b> -> tuple[A, B]    char, string -> str
    variant -> a frozen class a case, `{Variant}{Case}`, and their union under the variant's name

An option of an option is `Some[T | None] | None`, so that nothing is lost.
"""

from otelwasm.bindgen.module import Module, docstring
from otelwasm.bindgen.names import Scope, constant, pascal, snake
from otelwasm.bindgen.shape import is_octets
from otelwasm.wit.types import (
    Alias,
    Enum,
    Flags,
    List,
    NamedType,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
    resolve_alias,
)

__all__ = ["Types", "field_names", "is_nullable"]

_PRIMITIVES = {Primitive.BOOL: "bool", Primitive.F32: "float", Primitive.F64: "float"}
_PRIMITIVES |= {Primitive.CHAR: "str", Primitive.STRING: "str"}


class Types:
    """
    Where every named type's Python value is, and how it is written down.

    *external* maps `interface-id#type` to `module:name` for values that exist already.
    """

    def __init__(self, modules: dict[str, Module], external: dict[str, str]) -> None:
        self._modules = modules
        self._external = external
        self._names: dict[NamedType, str] = {}
        self._cases: dict[Variant, tuple[str, ...]] = {}

    def module_of(self, type_: NamedType) -> Module:
        """
        The module of the interface that defines *type_*.
        """
        return self._modules[type_.owner]

    def name(self, type_: NamedType, module: Module) -> str:
        """
        What *module* writes for a named type, imported as needed.
        """
        external = self._external.get(f"{type_.owner}#{type_.name}")
        if external is not None:
            place, name = external.split(":")
            return module.use(place, name)
        return module.sibling(self.module_of(type_), self._names[type_])

    def case(self, variant: Variant, number: int, module: Module) -> str:
        """
        The class of one case of *variant*.
        """
        return module.sibling(self.module_of(variant), self._cases[variant][number])

    def annotation(self, type_: Type | None, module: Module) -> str:
        """
        The Python type of *type_*.
        """
        match type_:
            case None:
                return "None"
            case Primitive():
                return _PRIMITIVES.get(type_, "int")
            case List(element=element):
                if is_octets(type_):
                    return "bytes"
                return f"tuple[{self.annotation(element, module)}, ...]"
            case Tuple(items=items):
                return f"tuple[{', '.join(self.annotation(item, module) for item in items)}]"
            case Option(some=some):
                inner = self.annotation(some, module)
                if is_nullable(some):
                    inner = f"{module.runtime('values', 'Some')}[{inner}]"
                return f"{inner} | None"
            case Result(ok=ok, err=err):
                good = f"{module.runtime('values', 'Ok')}[{self.annotation(ok, module)}]"
                bad = f"{module.runtime('values', 'Err')}[{self.annotation(err, module)}]"
                return f"{good} | {bad}"
            case Record() | Variant() | Enum() | Flags() | Alias():
                return self.name(type_, module)
            case _:
                raise TypeError(f"{type_} has no Python value")

    def define(self, type_: NamedType) -> None:
        """
        Write the value of *type_* into its module.
        """
        if f"{type_.owner}#{type_.name}" in self._external:
            return
        module = self.module_of(type_)
        name = module.publish(module.scope.fresh(pascal(type_.name)))
        self._names[type_] = name
        match type_:
            case Alias(target=target):
                alias = module.use("typing", "TypeAlias")
                comment = _comment(type_.docs, "")
                module.values.append(
                    f"{comment}{name}: {alias} = {self.annotation(target, module)}"
                )
            case Enum(cases=cases):
                members = [(case.name, case.docs, number) for number, case in enumerate(cases)]
                module.values.append(_numbered(module, name, "IntEnum", type_.docs, members))
            case Flags(flags=flags):
                members = [(flag.name, flag.docs, 1 << bit) for bit, flag in enumerate(flags)]
                module.values.append(_numbered(module, name, "IntFlag", type_.docs, members))
            case Record(fields=fields):
                lines = [
                    f"{_comment(field.docs, '    ')}    {field_name}: "
                    f"{self.annotation(field.type, module)}\n"
                    for field, field_name in zip(fields, field_names(type_), strict=True)
                ]
                module.values.append(_frozen(module, name, type_.docs, lines))
            case Variant():
                self._define_variant(type_, name, module)

    def _define_variant(self, variant: Variant, name: str, module: Module) -> None:
        classes = []
        for case in variant.cases:
            class_ = module.publish(module.scope.fresh(f"{name}{pascal(case.name).rstrip('_')}"))
            classes.append(class_)
            fields = []
            if case.type is not None:
                fields.append(f"    value: {self.annotation(case.type, module)}\n")
            docs = case.docs or f"Case `{case.name}` of `{variant.name}`."
            module.values.append(_frozen(module, class_, docs, fields))
        alias = module.use("typing", "TypeAlias")
        union = " | ".join(classes)
        line = f"{name}: {alias} = {union}"
        if len(line) > 100:
            line = f"{name}: {alias} = (\n    " + "\n    | ".join(classes) + "\n)"
        module.values.append(_comment(variant.docs, "") + line)
        self._cases[variant] = tuple(classes)


def field_names(record: Record) -> tuple[str, ...]:
    """
    The Python names of a record's fields.
    """
    scope = Scope()
    return tuple(scope.fresh(snake(field.name)) for field in record.fields)


def is_nullable(type_: Type) -> bool:
    """
    May the Python value of *type_* be None?
    """
    return isinstance(resolve_alias(type_), Option)


def _numbered(
    module: Module, name: str, kind: str, docs: str, members: list[tuple[str, str, int]]
) -> str:
    module.use("enum")
    lines = [
        f"{_comment(docs, '    ')}    {constant(member)} = {number}\n"
        for member, docs, number in members
    ]
    body = docstring(docs, "    ") + ("\n" if docs else "") + "".join(lines)
    return f"class {name}(enum.{kind}):\n{body}".rstrip("\n")


def _frozen(module: Module, name: str, docs: str, lines: list[str]) -> str:
    module.use("attrs")
    text = docstring(docs, "    ")
    gap = "\n" if text and lines else ""
    return f"@attrs.frozen\nclass {name}:\n{text}{gap}{''.join(lines) or ''}".rstrip("\n") + (
        "" if text or lines else "    pass"
    )


def _comment(docs: str, indent: str) -> str:
    return "".join(f"{indent}# {line}".rstrip() + "\n" for line in docs.splitlines())
