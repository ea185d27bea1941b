"""
A host for tests: it notes what plugins ask of it and answers as it is told.
"""

from collections.abc import Callable
from typing import Any

from otelwasm.plugins._generated.http import Error, Request, Response
from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.types import Attributes, Failure
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal

__all__ = ["Notes"]


class Notes:
    """
    Every interface of the contract in one object; *calls* has what was called, in order.
    """

    def __init__(
        self, emit: Callable[[Signal, bytes], Ok[None] | Err[Failure]] = lambda *_: Ok(None)
    ) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.values: dict[str, bytes] = {}
        self.response: Ok[Response] | Err[Error] = Ok(Response(204, (), b""))
        self._emit = emit

    @property
    def pipeline(self) -> "Notes":
        return self

    @property
    def log(self) -> "Notes":
        return self

    @property
    def meter(self) -> "Notes":
        return self

    @property
    def state(self) -> "Notes":
        return self

    @property
    def http(self) -> "Notes":
        return self

    def emit(self, signal: Signal, payload: bytes) -> Ok[None] | Err[Failure]:
        self.calls.append(("emit", signal, payload))
        return self._emit(signal, payload)

    def write(self, level: Level, message: str, attributes: Attributes) -> None:
        self.calls.append(("write", level, message, attributes))

    def add(self, name: str, amount: float, attributes: Attributes) -> None:
        self.calls.append(("add", name, amount, attributes))

    def observe(self, name: str, value: float, attributes: Attributes) -> None:
        self.calls.append(("observe", name, value, attributes))

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        return Ok(self.values.get(key))

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        self.values[key] = value
        return Ok(None)

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        self.values.pop(key, None)
        return Ok(None)

    def send(self, request: Request) -> Ok[Response] | Err[Error]:
        self.calls.append(("send", request))
        return self.response
