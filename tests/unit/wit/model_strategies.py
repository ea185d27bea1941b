"""
Draw WIT types and interfaces at random, and write them as text.
"""

from hypothesis import strategies as st

from otelwasm.wit.types import (
    Alias,
    Case,
    Enum,
    Field,
    Flag,
    Flags,
    Function,
    List,
    NamedType,
    Option,
    Param,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
)

__all__ = ["OWNER", "a_type", "functions", "interface_text", "named_types"]

OWNER = "a:b/i@0.1.0"

_PRIMITIVES = [kind for kind in Primitive if kind is not Primitive.ERROR_CONTEXT]
_KINDS = st.sampled_from(["leaf", "leaf", "list", "option", "result", "tuple"])
_NAMED_KINDS = st.sampled_from(["record", "variant", "enum", "flags", "alias"])
_FEW = st.integers(1, 3)


def a_type(draw: st.DrawFn, named: list[NamedType], depth: int = 0) -> Type:
    """
    Draw a value type, perhaps out of *named*.
    """
    kind = draw(_KINDS) if depth < 3 else "leaf"
    match kind:
        case "list":
            return List(a_type(draw, named, depth + 1))
        case "option":
            return Option(a_type(draw, named, depth + 1))
        case "result":
            return Result(_perhaps(draw, named, depth + 1), _perhaps(draw, named, depth + 1))
        case "tuple":
            count = draw(_FEW)
            return Tuple(tuple(a_type(draw, named, depth + 1) for _ in range(count)))
        case _:
            leaves = [*_PRIMITIVES, *named]
            return leaves[-1 - draw(st.integers(0, len(leaves) - 1))]


def _perhaps(draw: st.DrawFn, named: list[NamedType], depth: int = 0) -> Type | None:
    return a_type(draw, named, depth) if draw(st.booleans()) else None


@st.composite
def named_types(draw: st.DrawFn) -> list[NamedType]:
    """
    Up to four named types; later ones may be made of earlier ones.
    """
    found: list[NamedType] = []
    for place in range(draw(st.integers(0, 4))):
        name, count = f"t{place}", draw(_FEW)
        labels = [f"m{n}" for n in range(count)]
        match draw(_NAMED_KINDS):
            case "record":
                fields = tuple(Field(label, a_type(draw, found)) for label in labels)
                found.append(Record(name, OWNER, fields))
            case "variant":
                cases = tuple(Case(label, _perhaps(draw, found)) for label in labels)
                found.append(Variant(name, OWNER, cases))
            case "enum":
                found.append(Enum(name, OWNER, tuple(Case(f"c{n}") for n in range(count**6))))
            case "flags":
                found.append(Flags(name, OWNER, tuple(Flag(f"f{n}") for n in range(count * 10))))
            case _:
                found.append(Alias(name, OWNER, a_type(draw, found)))
    return found


@st.composite
def functions(draw: st.DrawFn) -> tuple[list[NamedType], Function]:
    """
    Named types, and a function that uses some of them.
    """
    named = draw(named_types())
    count = draw(st.integers(0, 3))
    params = tuple(Param(f"p{place}", a_type(draw, named)) for place in range(count))
    return named, Function("f", params, _perhaps(draw, named))


def interface_text(named: list[NamedType], function: Function) -> str:
    """
    The WIT of an interface with these types and this function.
    """
    params = ", ".join(f"{param.name}: {param.type}" for param in function.params)
    result = "" if function.result is None else f" -> {function.result}"
    lines = [*map(_definition, named), f"f: func({params}){result};"]
    return "interface i {\n" + "\n".join(lines) + "\n}"


def _definition(type_: NamedType) -> str:
    match type_:
        case Record(fields=fields):
            body = ", ".join(f"{field.name}: {field.type}" for field in fields)
            return f"record {type_.name} {{ {body} }}"
        case Variant(cases=cases):
            body = ", ".join(
                case.name if case.type is None else f"{case.name}({case.type})" for case in cases
            )
            return f"variant {type_.name} {{ {body} }}"
        case Enum(cases=cases):
            return f"enum {type_.name} {{ {', '.join(case.name for case in cases)} }}"
        case Flags(flags=flags):
            return f"flags {type_.name} {{ {', '.join(flag.name for flag in flags)} }}"
        case Alias(target=target):
            return f"type {type_.name} = {target};"
        case _:
            raise NotImplementedError(type_)
