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
    Parameter,
    check_message,
    check_nothing,
    config_class,
    describe,
    handled_signals,
    is_config,
    may_return_none,
    parameters,
)

__all__ = [
    "Call",
    "Definition",
    "Kind",
    "define",
    "definitions_in",
    "exporter",
    "processor",
    "receiver",
]

Kind = Literal["processor", "exporter", "receiver"]
Call = Literal["tick", "receive", "poll"]
T = TypeVar("T", bound=Callable[..., Any])

_MARK = "__otelwasm_kind__"
_METHODS: dict[Kind, tuple[str, ...]] = {
    "processor": ("process",),
    "exporter": ("send",),
    "receiver": ("receive", "poll"),
}
_MOMENTS = ("tick", "stop")
_CALLS: tuple[Call, ...] = ("tick", "receive", "poll")


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
    Declare a function, or a class with `receive`, `poll` or both, as the plugin: it makes batches.

    `receive` gets a `Message` and returns a `Reply`, or None for an empty one. `poll` returns
    the seconds until its next call, or None. A function that takes a `message: Message` is a
    `receive`, one that does not is a `poll`.
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
    method: str
    signals: frozenset[Signal]
    calls: frozenset[Call]
    takes_bytes: bool
    may_drop: bool
    config_class: type | None

    @property
    def name(self) -> str:
        """
        What the plugin's function or class is called.
        """
        return self.target.__name__

    @property
    def place(self) -> str:
        """
        The function that gets the batches or messages, with its file and line.
        """
        is_class = isinstance(self.target, type)
        return describe(getattr(self.target, self.method) if is_class else self.target)

    def create(self, config: object) -> Any:
        """
        Make an object with the kind's methods; *config* counts only if the plugin takes one.
        """
        arguments = () if self.config_class is None else (config,)
        if isinstance(self.target, type):
            return self.target(*arguments)
        function = self.target
        if not arguments:
            return SimpleNamespace(**{self.method: function})
        return SimpleNamespace(**{self.method: lambda *batch: function(*batch, *arguments)})


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
        names = (*_METHODS[kind], *_MOMENTS)
        methods = {name: made for name in names if callable(made := getattr(target, name, None))}
        given = {name: parameters(method)[1:] for name, method in methods.items()}
        made = target.__init__  # type: ignore[misc]  # its parameters are only looked at
        settings = [] if made is object.__init__ else parameters(made)[1:]
    else:
        name, taken, settings = _divided(parameters(target), kind)
        methods, given = {name: target}, {name: taken}
    main = next((name for name in _METHODS[kind] if name in methods), None)
    if main is None:
        needed = " or ".join(f"`{name}`" for name in _METHODS[kind])
        has = ", ".join(f"`{name}`" for name in vars(target) if not name.startswith("_"))
        raise DefinitionError(
            f"{describe(target)}: a class with @{kind} has a method {needed};"
            f" this one has {has or 'none'}"
        )
    for name, method in methods.items():
        if name == "receive":
            check_message(method, given[name])
        elif name in ("poll", *_MOMENTS):
            check_nothing(method, given[name])
    signals, takes_bytes, may_drop = frozenset(Signal), False, True
    if kind != "receiver":
        signals, takes_bytes = handled_signals(methods[main], given[main])
    if kind == "processor":
        may_drop = may_return_none(methods[main])
    return Definition(
        kind=kind,
        target=target,
        method=main,
        signals=signals,
        calls=frozenset(call for call in _CALLS if call in methods),
        takes_bytes=takes_bytes,
        may_drop=may_drop,
        config_class=config_class(target, settings),
    )


def _divided(given: list[Parameter], kind: Kind) -> tuple[str, list[Parameter], list[Parameter]]:
    """
    Say which method a function stands for, and tell its parameters from its configuration.
    """
    if kind == "receiver":
        if not given or is_config(given[0]):
            return "poll", [], given
        return "receive", given[:1], given[1:]
    taken = 2 if given and given[0].annotation is bytes else 1
    return _METHODS[kind][0], given[:taken], given[taken:]
