"""
Turn plain values into typed settings; nothing is converted silently, and every mistake is kept.
"""

import difflib
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from otelwasm.config.document import KeyPath, Mistake, plain_value
from otelwasm.config.environment import Substituted
from otelwasm.config.values import ByteSize, Duration

__all__ = ["SHORT_FORM", "did_you_mean", "structure", "unknown_key"]

# Metadata of the one field of a settings class that text in place of the keys stands for:
# `http: "localhost:80"` is `http: {endpoint: "localhost:80"}`.
SHORT_FORM = {"is_short_form": True}

_T = TypeVar("_T")

_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}


def structure(
    value: object, kind: type[_T], *, path: KeyPath, folder: Path
) -> tuple[_T | None, list[Mistake]]:
    """
    Make a *kind* of *value*; return it, or None and what is wrong with it.

    Relative file paths in it are taken from *folder*.
    """
    structurer = _Structurer(folder)
    made = structurer.make(value, kind, path)
    return (None if structurer.mistakes else made), structurer.mistakes


def unknown_key(key: str, known: Iterable[str]) -> str:
    """
    Say that a key is not known, which are, and which was probably meant.
    """
    known = sorted(known)
    return f"unknown key;{did_you_mean(key, known)} known keys: {', '.join(known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    Return ` did you mean …?` with the known word nearest to *word*, or nothing.
    """
    by_lower_case = {each.lower(): each for each in known}
    matches = difflib.get_close_matches(word.lower(), by_lower_case, n=1, cutoff=0.7)
    return f" did you mean {by_lower_case[matches[0]]}?" if matches else ""


class _Structurer:
    """
    Follows a type's annotations through a value; returns None where it notes a mistake.
    """

    def __init__(self, folder: Path) -> None:
        self.mistakes: list[Mistake] = []
        self._folder = folder

    def make(self, value: object, kind: Any, path: KeyPath, *, base: object = None) -> Any:
        """
        Make a *kind* of the *value* at *path*; settings begin as *base*, if that is one.
        """
        if kind is object or kind is Any:
            return _plain(value)
        if kind in _WORDS:
            return self._word(value, kind, path)
        if kind in (Duration, ByteSize):
            return self._quantity(value, kind, path)
        if kind is Path:
            text = value if isinstance(value, Path) else self._word(value, str, path)
            return None if text is None else self._folder / Path(text).expanduser()
        if attrs.has(kind):
            return self._settings(value, kind, path, base=base)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return self._choice(value, arguments, path)
        if origin in (Union, types.UnionType) and len(arguments) == 2:
            return self._optional(value, arguments, path)
        if origin is tuple:
            return self._list(value, arguments[0], path)
        if origin is Mapping:
            return self._mapping(value, arguments[1], path)
        raise TypeError(f"settings cannot have the type {kind}")

    def _word(self, value: object, kind: Any, path: KeyPath) -> Any:
        if isinstance(value, Substituted) and kind is not str:
            value = plain_value(value)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if kind is float and is_number:
            return float(value)  # type: ignore[arg-type] # is_number says so
        if is_number if kind is int else isinstance(value, kind):
            return str(value) if kind is str else value
        return self._note(path, f"expected {_WORDS[kind]}, not {_shown(value)}")

    def _quantity(self, value: object, kind: type[Duration | ByteSize], path: KeyPath) -> Any:
        try:
            return kind.parse(value)
        except ValueError as error:
            return self._note(path, f"{error}; not {_shown(value)}")

    def _choice(self, value: object, choices: tuple[object, ...], path: KeyPath) -> object:
        if value in choices:
            return str(value) if isinstance(value, str) else value
        words = [str(choice) for choice in choices]
        guess = did_you_mean(value, words) if isinstance(value, str) else ""
        text = f"expected one of {', '.join(words)}, not {_shown(value)}"
        return self._note(path, f"{text};{guess}" if guess else text)

    def _optional(self, value: object, arms: tuple[Any, ...], path: KeyPath) -> Any:
        (inner,) = (arm for arm in arms if arm is not types.NoneType)
        # As in the Collector, `grpc:` without a value asks for gRPC with its defaults.
        if value is None and not attrs.has(inner):
            return None
        return self.make(value, inner, path)

    def _list(self, value: object, kind: Any, path: KeyPath) -> Any:
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            return self._note(path, f"expected a list, not {_shown(value)}")
        return tuple(self.make(item, kind, (*path, index)) for index, item in enumerate(value))

    def _mapping(self, value: object, kind: Any, path: KeyPath) -> Any:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            return self._note(path, f"expected keys and values, not {_shown(value)}")
        return {key: self.make(item, kind, (*path, key)) for key, item in value.items()}

    def _settings(self, value: object, kind: Any, path: KeyPath, *, base: object) -> Any:
        fields = {field.name: field for field in attrs.fields(kind)}
        short = next((name for name in fields if fields[name].metadata.get("is_short_form")), None)
        if value is None:
            value = {}
        if short is not None and isinstance(value, str):
            value = {short: value}
        if not isinstance(value, Mapping):
            keys = f"keys and values ({', '.join(sorted(fields))})"
            expected = keys if short is None else f"text, for the {short}, or {keys}"
            return self._note(path, f"expected {expected}, not {_shown(value)}")
        before = len(self.mistakes)
        hints = get_type_hints(kind)
        for key in value:
            if key not in fields:
                self._note((*path, key), unknown_key(key, fields))
        for name, field in fields.items():
            if field.default is attrs.NOTHING and name not in value:
                self._note((*path, name), "missing; this key has no default")
        made = {
            key: self.make(item, hints[key], (*path, key), base=fields[key].default)
            for key, item in value.items()
            if key in fields
        }
        if len(self.mistakes) > before:
            return None
        if isinstance(base, kind):
            made = {name: getattr(base, name) for name in fields} | made
        return self._construct(kind, made, path)

    def _construct(self, kind: Any, made: dict[str, Any], path: KeyPath) -> Any:
        """
        Make the settings; run their validators one by one, to name the field that one refuses.
        """
        try:
            with attrs.validators.disabled():
                settings = kind(**made)
        except ValueError as error:
            return self._note(path, str(error))
        for field in attrs.fields(kind):
            if field.validator is None:
                continue
            try:
                field.validator(settings, field, getattr(settings, field.name))
            except ValueError as error:
                text = str(error).removeprefix(f"{field.name}: ")
                self._note((*path, field.name), text)
        return settings

    def _note(self, path: KeyPath, text: str) -> Any:
        self.mistakes.append(Mistake(path, text))
        return None


def _plain(value: object) -> object:
    if isinstance(value, Substituted):
        return plain_value(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "keys and values"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
