"""
What a plugin's code reaches outside itself: the pipeline, the log, the meter, state and http.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Literal, Protocol

from otelwasm_sdk.messages import Request, Response
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.texts import text_of

__all__ = ["HOST", "Host", "Level", "Pairs", "current_host", "pairs_of"]

Level = Literal["debug", "info", "warn", "error"]
Pairs = Sequence[tuple[str, str]]


class Host(Protocol):
    """
    The imports of a plugin's world: in Wasm the real ones, in tests a record of what was called.
    """

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Hand a batch to the next step; raises Permanent or Retryable if that refuses it.
        """

    def log(self, level: Level, message: str, attributes: Pairs) -> None:
        """
        Write one line.
        """

    def add(self, name: str, amount: float, attributes: Pairs) -> None:
        """
        Add to a counter.
        """

    def observe(self, name: str, value: float, attributes: Pairs) -> None:
        """
        Record one value of a distribution.
        """

    def http_send(self, request: Request) -> Response:
        """
        Send a request; raises http.Refused, http.TimedOut or http.Failed.
        """

    def state_get(self, key: str) -> bytes | None:
        """
        The value kept under *key*; as the others, raises Permanent or Retryable.
        """

    def state_set(self, key: str, value: bytes) -> None:
        """
        Keep a value.
        """

    def state_delete(self, key: str) -> None:
        """
        Forget a key.
        """


HOST: ContextVar[Host] = ContextVar("otelwasm_host")


def current_host() -> Host:
    """
    The host of the plugin whose code runs now.
    """
    try:
        return HOST.get()
    except LookupError:
        raise RuntimeError(
            "emit, log, meter, http and state work only while the host runs the plugin;"
            " in a test, call the plugin through otelwasm.testing"
        ) from None


def pairs_of(attributes: dict[str, object]) -> Pairs:
    """
    Write keyword arguments as names and values.
    """
    return [(name, text_of(value)) for name, value in attributes.items()]
