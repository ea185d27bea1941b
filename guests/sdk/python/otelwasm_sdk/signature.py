"""
Understand a plugin's annotations: which signals it takes, and what configures it.
"""

import dis
import inspect
import sys
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args, get_origin

import attrs

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.batches import Logs, Metrics, Traces
from otelwasm_sdk.messages import Message
from otelwasm_sdk.profiles import Profiles
from otelwasm_sdk.signals import Signal

__all__ = [
    "BATCHES",
    "DefinitionError",
    "Parameter",
    "check_message",
    "check_nothing",
    "config_class",
    "describe",
    "handled_signals",
    "is_config",
    "may_return_none",
    "parameters",
]

BATCHES: dict[Signal, type[Batch[Any]]] = {
    Signal.TRACES: Traces,
    Signal.METRICS: Metrics,
    Signal.LOGS: Logs,
    Signal.PROFILES: Profiles,
}


class DefinitionError(TypeError):
    """
    A plugin whose signature does not say what is needed; the message says what does.
    """


@attrs.frozen
class Parameter:
    """
    One parameter of a plugin's function.
    """

    name: str
    annotation: Any


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """
    List the parameters of *function* that a plain call fills, with what they are annotated with.
    """
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _NOT_PLAIN:
        raise DefinitionError(
            f"{describe(function)}: is called as a plain function: write it without `async` and"
            " `yield`, and send several batches with emit(...)"
        )
    hints = _hints(function)
    found = inspect.signature(function).parameters
    for name, parameter in found.items():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            raise DefinitionError(
                f"{describe(function)}: `{name}` stands behind `*`, but all are given by their"
                " place: take the `*` away"
            )
    return [
        Parameter(name, hints.get(name, parameter.empty))
        for name, parameter in found.items()
        if parameter.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD)
    ]


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError as error:
        raise DefinitionError(
            f"{describe(function)}: an annotation names what is not there: {error}"
        ) from None


def may_return_none(function: Callable[..., Any]) -> bool:
    """
    Whether *function*, which returns a batch or None to drop it, may do the latter.

    Its annotation says so. Without one it may; but if it never returns anything, it was forgotten.
    """
    hint = _hints(function).get("return", inspect.Parameter.empty)
    says_none = any(each in _SAY_NONE for each in _members(hint))
    if not says_none and _returns_nothing(function):
        raise DefinitionError(
            f"{describe(function)}: returns nothing, which drops every batch; end it with"
            " `return batch`, or annotate it with `-> None` if that is meant"
        )
    return says_none or hint is inspect.Parameter.empty


def _returns_nothing(function: Callable[..., Any]) -> bool:
    """
    Whether the function returns, and only ever None.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    returned = []
    before = None
    for each in dis.get_instructions(code):
        # `RETURN_CONST` is Python 3.12's and 3.13's.
        if each.opname == "RETURN_CONST":
            returned.append(each.argval)
        elif each.opname == "RETURN_VALUE":
            is_constant = before is not None and before.opname == "LOAD_CONST"
            returned.append(before.argval if before and is_constant else before)
        before = each
    return bool(returned) and all(each is None for each in returned)


def handled_signals(
    function: Callable[..., Any], given: Sequence[Parameter]
) -> tuple[frozenset[Signal], bool]:
    """
    Say which signals *function* takes, and whether as bytes, by its parameters.
    """
    if not given:
        raise DefinitionError(f"{describe(function)}: takes no batch; {_WANTED}")
    batch = given[0]
    if batch.annotation is bytes:
        if len(given) != 2 or not (signals := _listed(given[1].annotation)):
            raise DefinitionError(
                f"{describe(function)}: `{batch.name}: bytes` is followed by `signal: Signal`,"
                " or `signal: Literal[Signal.TRACES]` to take only some"
            )
        return signals, True
    if len(given) > 1:
        raise DefinitionError(f"{describe(function)}: `{given[1].name}` is one parameter too many")
    choices = _members(batch.annotation)
    signals = frozenset(
        signal
        for signal, made in BATCHES.items()
        if any(isinstance(choice, type) and issubclass(made, choice) for choice in choices)
    )
    strange = [choice for choice in choices if not _is_batch(choice)]
    if strange or not signals:
        raise DefinitionError(f"{describe(function)}: {_found(batch)}; {_WANTED}")
    return signals, False


_NOT_PLAIN = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_SAY_NONE = (types.NoneType, Any, object, typing.NoReturn, typing.Never)
_WANTED_MESSAGE = "write `message: Message`"
_WANTED = (
    "write `batch: Traces`, `Metrics`, `Logs`, `Profiles`, a union as `Traces | Logs`,"
    " `Batch` for all signals, or `payload: bytes, signal: Signal`"
)


def check_message(function: Callable[..., Any], given: Sequence[Parameter]) -> None:
    """
    Make sure that *function* takes a message, and nothing else.
    """
    if not given:
        raise DefinitionError(f"{describe(function)}: takes no message; {_WANTED_MESSAGE}")
    message = given[0]
    if message.annotation is not Message:
        raise DefinitionError(f"{describe(function)}: {_found(message)}; {_WANTED_MESSAGE}")
    if len(given) > 1:
        raise DefinitionError(f"{describe(function)}: `{given[1].name}` is one parameter too many")


def check_nothing(function: Callable[..., Any], given: Sequence[Parameter]) -> None:
    """
    Make sure that *function* takes nothing.
    """
    if given:
        raise DefinitionError(
            f"{describe(function)}: is called without arguments, but takes `{given[0].name}`;"
            " configuration goes to `__init__`"
        )


def is_config(parameter: Parameter) -> bool:
    """
    Whether *parameter* is for a configuration: its annotation is an attrs class, but no message.
    """
    annotation = parameter.annotation
    return isinstance(annotation, type) and attrs.has(annotation) and annotation is not Message


def config_class(target: Callable[..., Any], settings: Sequence[Parameter]) -> type | None:
    """
    Say which class configures *target*, by the parameters that are left for that.
    """
    if not settings:
        return None
    if len(settings) > 1:
        extra = ", ".join(f"`{parameter.name}`" for parameter in settings[1:])
        raise DefinitionError(f"{describe(target)}: parameters nobody fills: {extra}")
    if not is_config(settings[0]):
        raise DefinitionError(
            f"{describe(target)}: `{settings[0].name}` is annotated with an attrs class"
            " (@attrs.frozen), whose fields are the configuration's keys"
        )
    annotation: type = settings[0].annotation
    return annotation


def describe(target: Any) -> str:
    """
    Name a function or class with its file and line, as far as they are known.
    """
    name = getattr(target, "__qualname__", None)
    if name is None:
        return repr(target)
    code = getattr(target, "__code__", None)
    if code is None:
        module = getattr(target, "__module__", "?")
        file = getattr(sys.modules.get(module), "__file__", None)
        # A class knows its line from Python 3.13 on, as in every component.
        line = getattr(target, "__firstlineno__", None)
        return f"{module}.{name}" if file is None or line is None else f"{file}:{line}: {name}"
    return f"{code.co_filename}:{code.co_firstlineno}: {name}"


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _is_batch(choice: Any) -> bool:
    return isinstance(choice, type) and issubclass(choice, Batch)


def _listed(annotation: Any) -> frozenset[Signal]:
    if annotation is Signal:
        return frozenset(Signal)
    if get_origin(annotation) is Literal:
        return frozenset(choice for choice in get_args(annotation) if isinstance(choice, Signal))
    return frozenset()


def _found(parameter: Parameter) -> str:
    if parameter.annotation is inspect.Parameter.empty:
        return f"`{parameter.name}` has no annotation"
    return f"the annotation of `{parameter.name}` is `{_text(parameter.annotation)}`"


def _text(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
