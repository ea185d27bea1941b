"""
Write types and functions as WIT text, for messages and for people who look into a component.
"""

from collections.abc import Sequence

from otelwasm.wit.types import (
    Alias,
    Enum,
    Flags,
    Function,
    FunctionKind,
    NamedType,
    Param,
    Record,
    Resource,
    Variant,
)

__all__ = ["function_text", "type_lines"]

_STATIC = {FunctionKind.STATIC, FunctionKind.STATIC_GETTER, FunctionKind.STATIC_SETTER}
_WORDS = {
    FunctionKind.GETTER: "get",
    FunctionKind.STATIC_GETTER: "get",
    FunctionKind.SETTER: "set",
    FunctionKind.STATIC_SETTER: "set",
}


def function_text(function: Function) -> str:
    """
    A function on one line: `read: func(limit: u32) -> result<list<u8>, error>;`
    """
    params = ", ".join(f"{param.name}: {param.type}" for param in _written(function))
    if function.kind is FunctionKind.CONSTRUCTOR:
        return f"constructor({params});"
    words = ["static"] if function.kind in _STATIC else []
    words += ["async"] if function.is_async else []
    words.append(_WORDS.get(function.kind, "func"))
    result = "" if function.result is None else f" -> {function.result}"
    return f"{function.name}: {' '.join(words)}({params}){result};"


def _written(function: Function) -> Sequence[Param]:
    """
    The parameters less a method's `self`, which the text leaves out.
    """
    is_method = function.params and function.params[0].name == "self"
    return function.params[1:] if is_method else function.params


def type_lines(type_: NamedType) -> list[str]:
    """
    A named type's definition, a line for each field, case, flag or function.
    """
    match type_:
        case Alias(target=target):
            return [f"type {type_.name} = {target};"]
        case Record(fields=fields):
            return _block("record", type_, [f"{field.name}: {field.type}," for field in fields])
        case Variant(cases=cases):
            lines = [
                f"{case.name}," if case.type is None else f"{case.name}({case.type}),"
                for case in cases
            ]
            return _block("variant", type_, lines)
        case Enum(cases=cases):
            return _block("enum", type_, [f"{case.name}," for case in cases])
        case Flags(flags=flags):
            return _block("flags", type_, [f"{flag.name}," for flag in flags])
        case Resource(functions=()):
            return [f"resource {type_.name};"]
        case Resource(functions=functions):
            return _block("resource", type_, [function_text(function) for function in functions])


def _block(word: str, type_: NamedType, lines: list[str]) -> list[str]:
    return [f"{word} {type_.name} {{", *(f"  {line}" for line in lines), "}"]
