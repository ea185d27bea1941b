"""
Make the configuration's reference out of the classes that it is read into.

What a key means stands below its field, as a string; what a class is for is its docstring.
"""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from otelwasm.config.settings import ServiceConfig
from otelwasm.config.values import ByteSize, Duration
from otelwasm.pipeline.delivery import DeliveryConfig
from otelwasm.registry import Registry

__all__ = ["page"]

_OPENING = """# Configuration

This page is for looking up a key: every one that a pipeline's YAML may have, with its type and
its default. It is made from the classes that the YAML is read into. `otelwasm check pipeline.yaml`
names each mistake with its line.

```yaml
receivers:   {ID: SETTINGS}     # where batches come from
processors:  {ID: SETTINGS}     # what changes, drops or makes them
exporters:   {ID: SETTINGS}     # where they go
service:
  pipelines: {traces/NAME: {receivers: [ID], processors: [ID], exporters: [ID]}}
```

An id is a kind, `otlp`, or a kind and a name of your own, `otlp/backup`. A pipeline's id begins
with its signal: `traces`, `metrics`, `logs` or `profiles`, with `/NAME` where there are several.

Types
:   A *duration* has its unit: `200ms`, `5s`, `1m30s`, `1h`. A *size* in bytes has one, too
    (`64MiB`, `10kB`), or is a whole number from 64 KiB on. A *path* is relative to the YAML's
    folder.

Environment
:   `${env:NAME}` and `${env:NAME:-default}` are substituted in values; `$$` is a dollar,
    and the Collector's other forms, as `${NAME}`, are mistakes.

Short forms
:   Where a key is marked *short form*, text in place of the mapping stands for it:
    `http: "127.0.0.1:8088"` is `http: {endpoint: "127.0.0.1:8088"}`.
"""
_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    Duration: "duration",
    ByteSize: "size",
    object: "anything",
    Any: "anything",
}
_SECTIONS = {"receivers": "receiver", "processors": "processor", "exporters": "exporter"}


def page() -> str:
    """
    The page: a table for each kind of component, and one for `service`.
    """
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _OPENING
    registry = Registry.built_in()
    for section, one in _SECTIONS.items():
        yield from ("", f"## {section.capitalize()} {{ #{section} }}", "")
        names: dict[type[Any], list[str]] = {}
        for name, kind in getattr(registry, section).items():
            names.setdefault(kind().config, []).append(name)
        for config, aliases in names.items():
            yield f"### `{aliases[0]}` {one} {{ #{one}-{aliases[0]} }}"
            yield ""
            if aliases[1:]:
                yield f"Also called {', '.join(f'`{name}`' for name in aliases[1:])}."
                yield ""
            yield from _table(config)
        if section == "exporters":
            yield "### All exporters { #exporter }"
            yield ""
            yield from _table(DeliveryConfig)
    yield from ("", "## Service { #service }", "")
    yield from _table(ServiceConfig)


def _table(config: type[Any]) -> Iterator[str]:
    yield _paragraph(inspect.getdoc(config) or "")
    yield ""
    yield "| key | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    yield from _rows(config, "", None)
    yield ""


def _rows(config: type[Any], prefix: str, given: object) -> Iterator[str]:
    """
    A row for each key, those of settings inside of it right after it.
    """
    hints, meanings = get_type_hints(config), described(config)
    for field in attrs.fields(config):
        kind, default = hints[field.name], field.default
        if isinstance(given, config):
            default = getattr(given, field.name)
        key = f"{prefix}{field.name}"
        inner, opening = _settings(kind)
        meaning = meanings.get(field.name) or (_first(inner) if inner else "")
        if not meaning:
            raise LookupError(f"{config.__name__}.{field.name} does not say what it means")
        if field.metadata.get("is_short_form"):
            meaning = f"{meaning} *Short form.*"
        word = _word(kind).replace("|", "\\|")
        yield f"| `{key}` | {word} | {_default(default, inner)} | {_paragraph(meaning)} |"
        if inner is not None:
            yield from _rows(inner, f"{key}{opening}.", default)


def described(config: type[Any]) -> dict[str, str]:
    """
    What the fields of *config* mean: the string below each, in its class or the one it extends.
    """
    found: dict[str, str] = {}
    for each in reversed(config.__mro__):
        if not attrs.has(each):
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for before, after in zip(body.body, body.body[1:], strict=False):
            match before, after:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = inspect.cleandoc(text)
                case _:
                    pass
    return found


def _settings(kind: Any) -> tuple[type[Any] | None, str]:
    """
    The settings class inside of a type, if there is one, and how a key goes on into it.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if attrs.has(kind):
        return kind, ""
    if origin in (Union, types.UnionType):
        return _settings(next(arm for arm in arguments if arm is not types.NoneType))
    if origin is tuple and attrs.has(arguments[0]):
        return arguments[0], "[]"
    if origin is Mapping and attrs.has(arguments[1]):
        return arguments[1], ".ID"
    return None, ""


def _word(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind]
    if attrs.has(kind):
        return "keys"
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, types.UnionType):
        return _word(next(arm for arm in arguments if arm is not types.NoneType))
    if origin is tuple:
        return f"list of {_word(arguments[0])}"
    if origin is Mapping:
        return f"keys with {_word(arguments[1])}"
    raise TypeError(f"no word for {kind}")


def _default(default: object, inner: type[Any] | None) -> str:
    if default is attrs.NOTHING:
        return "**required**"
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type] # a class, whatever it says
        default = default.factory()
    if default is None:
        return "off" if inner else "none"
    if inner is not None and not isinstance(default, tuple):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`[{', '.join(map(str, default))}]`"
    if isinstance(default, Mapping):
        return "`{}`"
    return f"`{str(default).replace(' ', '')}`" if not isinstance(default, str) else f"`{default}`"


def _first(config: type[Any]) -> str:
    """
    A class's first sentence.
    """
    return re.split(r"(?<=\.)\s", _paragraph(inspect.getdoc(config) or ""), maxsplit=1)[0]


def _paragraph(text: str) -> str:
    """
    Lines joined, `*field*` shown as the key it is.
    """
    joined = re.sub(r"\s*\n\s*", " ", text)
    return re.sub(r"(?<![*\w])\*([a-z_0-9]+)\*(?!\*)", r"`\1`", joined)
