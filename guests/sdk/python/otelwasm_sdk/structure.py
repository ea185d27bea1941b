"""
Turn a plugin's configuration, decoded JSON, into its attrs class; say what does not fit.
"""

import enum
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Literal, get_args, get_origin

import attrs

__all__ = ["ConfigError", "structure"]


class ConfigError(Exception):
    """
    A key or value of the configuration that does not fit; the message names it.
    """


def structure(value: object, wanted: Any, *, where: str) -> Any:
    """
    Return *value* as *wanted*, a type; *where* is what messages call it.
    """
    origin = get_origin(wanted)
    if wanted is Any or wanted is object:
        return value
    if wanted is None or wanted is types.NoneType:
        return _exactly(value, types.NoneType, "null", where=where)
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, get_args(wanted), where=where)
    if origin is Literal:
        return _choice(value, {choice: choice for choice in get_args(wanted)}, where=where)
    if origin is typing.Annotated:
        return structure(value, get_args(wanted)[0], where=where)
    if wanted in _SCALARS:
        return _SCALARS[wanted](value, where)
    if isinstance(origin or wanted, type):
        return _of_class(value, wanted, origin or wanted, where=where)
    raise ConfigError(f"{where}: a plugin's configuration cannot hold {wanted!r}")


def _of_class(value: object, wanted: Any, kind: type, *, where: str) -> Any:
    if attrs.has(kind):
        return _attrs_class(value, kind, where=where)
    if issubclass(kind, enum.Enum):
        return _choice(value, {member.value: member for member in kind}, where=where)
    if issubclass(kind, re.Pattern):
        try:
            return re.compile(_exactly(value, str, "str", where=where))
        except re.error as error:
            raise ConfigError(f"{where}: {value!r} is no regular expression: {error}") from None
    arguments = get_args(wanted)
    if issubclass(kind, Mapping):
        given = _exactly(value, dict, "a mapping", where=where)
        member = arguments[1] if arguments else Any
        return {key: structure(item, member, where=f"{where}.{key}") for key, item in given.items()}
    if issubclass(kind, Sequence | Set):
        return _collection(value, kind, arguments, where=where)
    raise ConfigError(f"{where}: a plugin's configuration cannot hold {kind.__name__}")


def _collection(value: object, kind: type, arguments: tuple[Any, ...], *, where: str) -> Any:
    members = _exactly(value, list, "a list", where=where)
    if issubclass(kind, tuple) and arguments and arguments[-1] is not Ellipsis:
        if len(arguments) != len(members):
            raise ConfigError(f"{where}: expected {len(arguments)} values, got {len(members)}")
        wanted = list(arguments)
    else:
        wanted = [arguments[0] if arguments else Any] * len(members)
    made = [
        structure(member, want, where=f"{where}[{place}]")
        for place, (member, want) in enumerate(zip(members, wanted, strict=True))
    ]
    make = next((made for made in (list, frozenset, set) if issubclass(kind, made)), tuple)
    return make(made)


def _attrs_class(value: object, kind: type, *, where: str) -> Any:
    given = _exactly(value, dict, "a mapping", where=where)
    fields = {
        _alias(field): field for field in attrs.fields(attrs.resolve_types(kind)) if field.init
    }
    unknown = next((key for key in given if key not in fields), None)
    if unknown is not None:
        known = ", ".join(fields) or "none"
        raise ConfigError(f"{where}.{unknown}: unknown key; known keys: {known}")
    arguments = {}
    for key, field in fields.items():
        if key in given:
            # What has a converter takes what that takes.
            wanted = Any if field.converter or field.type is None else field.type
            arguments[key] = structure(given[key], wanted, where=f"{where}.{key}")
        elif field.default is attrs.NOTHING:
            raise ConfigError(f"{where}.{key}: missing; expected {_name(field.type)}")
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        # Raised by the class's own validators and converters.
        reason = error.args[0] if error.args else repr(error)
        raise ConfigError(f"{where}: {reason}") from error


def _alias(field: "attrs.Attribute[Any]") -> str:
    return field.alias or field.name


def _one_of(value: object, choices: tuple[Any, ...], *, where: str) -> Any:
    problems = []
    # An exact match first, so that 1 stays an int where both int and float will do.
    for choice in sorted(choices, key=lambda choice: type(value) is not choice):
        try:
            return structure(value, choice, where=where)
        except ConfigError as error:
            problems.append(error)
    nested = [error for error in problems if not str(error).startswith(f"{where}: expected")]
    if nested:
        raise nested[0]
    expected = " or ".join(_name(choice) for choice in choices)
    raise ConfigError(f"{where}: expected {expected}, got {_name(type(value))}")


def _choice(value: object, choices: Mapping[Any, object], *, where: str) -> Any:
    for key, member in choices.items():
        if value == key and type(value) is type(key):
            return member
    expected = ", ".join(repr(key) for key in choices)
    raise ConfigError(f"{where}: expected one of {expected}, got {value!r}")


def _exactly(value: object, kind: type, expected: str, *, where: str) -> Any:
    if type(value) is not kind:
        raise ConfigError(f"{where}: expected {expected}, got {_name(type(value))}")
    return value


def _float(value: object, where: str) -> float:
    if type(value) not in (int, float):
        raise ConfigError(f"{where}: expected float, got {_name(type(value))}")
    return float(typing.cast("float", value))


_SCALARS: dict[Any, Callable[[object, str], Any]] = {
    bool: lambda value, where: _exactly(value, bool, "bool", where=where),
    float: _float,
    int: lambda value, where: _exactly(value, int, "int", where=where),
    str: lambda value, where: _exactly(value, str, "str", where=where),
}


def _name(kind: Any) -> str:
    if kind in (None, types.NoneType):
        return "null"
    plain = get_origin(kind) or kind
    if isinstance(plain, type) and issubclass(plain, Mapping):
        return "a mapping"
    if isinstance(plain, type) and issubclass(plain, list | tuple | Set):
        return "a list"
    return getattr(kind, "__name__", None) or str(kind)
