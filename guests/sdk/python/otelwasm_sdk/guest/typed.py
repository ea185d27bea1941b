"""
Reach the host through the contract's own functions, which any host has.
"""

from collections.abc import Callable

from componentize_py_types import Err
from otelwasm_sdk.definition import Kind
from otelwasm_sdk.failures import Failure, Permanent, Retryable
from otelwasm_sdk.http import Failed, Refused, TimedOut
from otelwasm_sdk.messages import Request, Response
from otelwasm_sdk.runner import RETRYABLE, Outcome, milliseconds
from otelwasm_sdk.signals import Signal
from wit_world.imports import http, state, types

__all__ = ["Typed", "error_of"]


class Typed:
    """
    Calls with typed arguments. componentize-py 0.25.1 leaks the byte lists among them.
    """

    def __init__(self, kind: Kind) -> None:
        self._emit: Callable[[types.Signal, bytes], None] = _no_emit
        if kind != "exporter":
            # The world of exporters has none. It is made while the component is built.
            from wit_world.imports import pipeline

            self._emit = pipeline.emit

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Hand a batch to the next step.
        """
        try:
            self._emit(types.Signal(signal), payload)
        except Err as error:
            raise _failure(error) from None

    def http_send(self, request: Request) -> Response:
        """
        Send a request.
        """
        try:
            response = http.send(
                http.Request(
                    request.method,
                    request.url,
                    list(request.headers),
                    request.body,
                    milliseconds(request.timeout_s),
                )
            )
        except Err as error:
            value = error.value
            if isinstance(value, http.Error_Refused):
                raise Refused(value.value) from None
            if isinstance(value, http.Error_Failed):
                raise Failed(value.value) from None
            raise TimedOut(f"no answer of {request.url} in time") from None
        return Response(response.status, response.body, response.headers)

    def state_get(self, key: str) -> bytes | None:
        """
        The value kept under *key*.
        """
        try:
            return state.get(key)
        except Err as error:
            raise _failure(error) from None

    def state_set(self, key: str, value: bytes) -> None:
        """
        Keep a value.
        """
        try:
            state.set(key, value)
        except Err as error:
            raise _failure(error) from None

    def state_delete(self, key: str) -> None:
        """
        Forget a key.
        """
        try:
            state.delete(key)
        except Err as error:
            raise _failure(error) from None


def _no_emit(signal: types.Signal, payload: bytes) -> None:
    raise Permanent("an exporter cannot emit: it stands at the end of its pipeline")


def _failure(error: Err) -> Failure:
    value = error.value
    if isinstance(value, types.Failure_Retryable):
        after_ms = value.value.after_ms
        return Retryable(value.value.reason, after_s=None if after_ms is None else after_ms / 1000)
    return Permanent(str(getattr(value, "value", value)))


def error_of(outcome: Outcome) -> Err:
    """
    Turn a failed outcome into what the typed exports raise.
    """
    reason = outcome.data.decode()
    if outcome.kind == RETRYABLE:
        return Err(types.Failure_Retryable(types.Retry(reason, outcome.number)))
    return Err(types.Failure_Permanent(reason))
