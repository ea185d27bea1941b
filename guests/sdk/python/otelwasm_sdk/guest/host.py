"""
Reach the real host, through the imports of the plugin's world.
"""

from typing import Protocol

from otelwasm_sdk.definition import Kind
from otelwasm_sdk.guest.direct import Direct
from otelwasm_sdk.guest.typed import Typed
from otelwasm_sdk.host import Level, Pairs
from otelwasm_sdk.messages import Request, Response
from otelwasm_sdk.signals import Signal
from wit_world.imports import log, meter

__all__ = ["WasmHost", "sayable"]

_LEVELS: dict[Level, log.Level] = {
    "debug": log.Level.DEBUG,
    "info": log.Level.INFO,
    "warn": log.Level.WARN,
    "error": log.Level.ERROR,
}


class _Form(Protocol):
    def emit(self, signal: Signal, payload: bytes) -> None: ...
    def http_send(self, request: Request) -> Response: ...
    def state_get(self, key: str) -> bytes | None: ...
    def state_set(self, key: str, value: bytes) -> None: ...
    def state_delete(self, key: str) -> None: ...


class WasmHost:
    """
    The host that runs this component.

    What carries bytes has two forms. A host that calls in the integers-only form is called in that
    form, too; any other in the typed one.
    """

    def __init__(self, kind: Kind) -> None:
        self._typed = Typed(kind)
        self._direct = Direct()
        self._form: _Form = self._typed

    def use_typed(self) -> None:
        """
        Call in the typed form from now on.
        """
        self._form = self._typed

    def use_direct(self) -> None:
        """
        Call in the integers-only form from now on.
        """
        self._form = self._direct

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Hand a batch to the next step.
        """
        self._form.emit(signal, payload)

    def log(self, level: Level, message: str, attributes: Pairs) -> None:
        """
        Write one line.
        """
        log.write(_LEVELS[level], sayable(message), _sayable(attributes))

    def add(self, name: str, amount: float, attributes: Pairs) -> None:
        """
        Add to a counter.
        """
        meter.add(sayable(name), amount, _sayable(attributes))

    def observe(self, name: str, value: float, attributes: Pairs) -> None:
        """
        Record one value of a distribution.
        """
        meter.observe(sayable(name), value, _sayable(attributes))

    def http_send(self, request: Request) -> Response:
        """
        Send a request.
        """
        return self._form.http_send(request)

    def state_get(self, key: str) -> bytes | None:
        """
        The value kept under *key*.
        """
        return self._form.state_get(key)

    def state_set(self, key: str, value: bytes) -> None:
        """
        Keep a value.
        """
        self._form.state_set(key, value)

    def state_delete(self, key: str) -> None:
        """
        Forget a key.
        """
        self._form.state_delete(key)


def sayable(text: str) -> str:
    """
    Replace what UTF-8 cannot say: a lone surrogate, as JSON may hold, would be a trap.
    """
    return text if text.isascii() else text.encode(errors="replace").decode()


def _sayable(attributes: Pairs) -> list[tuple[str, str]]:
    return [(sayable(name), sayable(value)) for name, value in attributes]
