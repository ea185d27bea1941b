"""
Declare a function or a class as a plugin, and read off it what it is.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, Literal, TypeVar

import attrs

from otelwasm_sdk.signals import Signal
from otelwasm_sdk.signature import (
    DefinitionError,
    config_class,
    describe,
    handled_signals,
    parameters,
)

__all__ = ["Definition", "Kind", "define", "definitions_in", "exporter", "processor", "receiver"]

Kind = Literal["processor", "exporter", "receiver"]
T = TypeVar("T", bound=Callable[..., Any])

_MARK = "__otelwasm_kind__"
_METHODS: dict[Kind, tuple[str, ...]] = {
    "processor": ("process",),
    "exporter": ("send",),
    "receiver": ("receive", "poll"),
}


def processor(target: T) -> T:
    """
    Declare a function, or a class with `process`, as the plugin: it changes or drops batches.

    It returns the batch to send on, or None to send nothing on.
    """
    return _marked(target, "processor")


def exporter(target: T) -> T:
    """
    Declare a function, or a class with `send`, as the plugin: it delivers batches.

    It returns None, or a `Receipt` if some items were refused.
    """
    return _marked(target, "exporter")


def receiver(target: T) -> T:
    """
    Declare a function, or a class with `receive` or `poll`, as the plugin: it makes batches.

    `receive` gets a `Message` and returns a `Reply`, or None for an empty one. `poll` returns
    the seconds until its next call, or None.
    """
    return _marked(target, "receiver")


def _marked(target: T, kind: Kind) -> T:
    if not callable(target):
        raise DefinitionError(f"@{kind} stands before a function or a class, not {target!r}")
    setattr(target, _MARK, kind)
    return target


@attrs.frozen
class Definition:
    """
    What a plugin is, before it has a configuration.
    """

    kind: Kind
    target: Callable[..., Any]
    signals: frozenset[Signal]
    takes_bytes: bool
    config_class: type | None

    @property
    def name(self) -> str:
        """
        What the plugin's function or class is called.
        """
        return self.target.__name__

    def create(self, config: object) -> Any:
        """
        Make an object with the kind's methods; *config* counts only if the plugin takes one.
        """
        arguments = () if self.config_class is None else (config,)
        if isinstance(self.target, type):
            return self.target(*arguments)
        function = self.target
        method = _METHODS[self.kind][0]
        if not arguments:
            return SimpleNamespace(**{method: function})
        return SimpleNamespace(**{method: lambda *batch: function(*batch, *arguments)})


def definitions_in(module: ModuleType) -> list[Definition]:
    """
    Find the plugins that *module* declares, or imports from the plugin's other modules.
    """
    # In __dict__: a subclass does not become a plugin by what its parent is.
    marked = {id(value): value for value in vars(module).values() if _MARK in _own(value)}
    return [define(value) for value in marked.values()]


def _own(value: object) -> Any:
    return getattr(value, "__dict__", {})


def define(target: Callable[..., Any]) -> Definition:
    """
    Read what *target*, a function or class declared as a plugin, is.

    Raises DefinitionError if its annotations do not say it.
    """
    kind: Kind | None = _own(target).get(_MARK)
    if kind is None:
        raise DefinitionError(
            f"{describe(target)} is no plugin: put @processor, @exporter or @receiver before it"
        )
    if isinstance(target, type):
        method = next((found for name in _METHODS[kind] if (found := _method(target, name))), None)
        if method is None:
            needed = " or ".join(f"`{name}`" for name in _METHODS[kind])
            raise DefinitionError(f"{describe(target)}: a class that is a {kind} has {needed}")
        given = parameters(method)[1:]
        made = _method(target, "__init__")
        settings = [] if made in (None, object.__init__) else parameters(made)[1:]
    else:
        method = target
        given = parameters(target)
        taken = 2 if given and given[0].annotation is bytes else 1
        given, settings = given[:taken], given[taken:]
    if kind == "receiver":
        signals, takes_bytes = frozenset(Signal), False
    else:
        signals, takes_bytes = handled_signals(method, given)
    return Definition(
        kind=kind,
        target=target,
        signals=signals,
        takes_bytes=takes_bytes,
        config_class=config_class(target, settings),
    )


def _method(target: type, name: str) -> Callable[..., Any] | None:
    return getattr(target, name, None)
