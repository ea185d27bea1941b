"""
Reach the real host, through the imports of the plugin's world.
"""

from collections.abc import Callable

import otelwasm_native as native
from componentize_py_types import Err
from otelwasm_sdk.failures import Failure, Permanent, Retryable
from otelwasm_sdk.host import Level, Pairs
from otelwasm_sdk.http import Failed, Refused, TimedOut
from otelwasm_sdk.messages import Request, Response
from otelwasm_sdk.runner import RETRYABLE, Outcome
from otelwasm_sdk.signals import Signal
from wit_world.imports import http, log, meter, state, types

__all__ = ["Emit", "WasmHost", "direct_emit", "error_of", "no_emit", "typed_emit"]

Emit = Callable[[Signal, bytes], None]

_LEVELS: dict[Level, log.Level] = {
    "debug": log.Level.DEBUG,
    "info": log.Level.INFO,
    "warn": log.Level.WARN,
    "error": log.Level.ERROR,
}


class WasmHost:
    """
    The host that runs this component.

    *emit* is the form of `pipeline.emit` that suits how the host calls: a host that moves
    payloads as offsets takes them as offsets, too.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def use(self, emit: Emit) -> None:
        """
        Emit like this from now on.
        """
        self._emit = emit

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Hand a batch to the next step.
        """
        self._emit(signal, payload)

    def log(self, level: Level, message: str, attributes: Pairs) -> None:
        """
        Write one line.
        """
        log.write(_LEVELS[level], message, list(attributes))

    def add(self, name: str, amount: float, attributes: Pairs) -> None:
        """
        Add to a counter.
        """
        meter.add(name, amount, list(attributes))

    def observe(self, name: str, value: float, attributes: Pairs) -> None:
        """
        Record one value of a distribution.
        """
        meter.observe(name, value, list(attributes))

    def http_send(self, request: Request) -> Response:
        """
        Send a request.
        """
        timeout_ms = min(max(1, round(request.timeout_s * 1000)), 2**32 - 1)
        try:
            response = http.send(
                http.Request(
                    request.method, request.url, list(request.headers), request.body, timeout_ms
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
            raise _failure_of(error.value) from None

    def state_set(self, key: str, value: bytes) -> None:
        """
        Keep a value.
        """
        try:
            state.set(key, value)
        except Err as error:
            raise _failure_of(error.value) from None

    def state_delete(self, key: str) -> None:
        """
        Forget a key.
        """
        try:
            state.delete(key)
        except Err as error:
            raise _failure_of(error.value) from None


def typed_emit() -> Emit:
    """
    Make what emits through the contract's own function, which any host has.
    """
    from wit_world.imports import pipeline

    def emit(signal: Signal, payload: bytes) -> None:
        try:
            pipeline.emit(types.Signal(signal), payload)
        except Err as error:
            raise _failure_of(error.value) from None

    return emit


def direct_emit() -> Emit:
    """
    Make what emits by saying where the payload is: nothing is converted, so nothing leaks.
    """
    from wit_world.imports import direct_host

    def emit(signal: Signal, payload: bytes) -> None:
        offset = native.offset_of(payload)
        if direct_host.emit(signal, offset, len(payload), *native.reply_buffer()):
            kind, reason, after_ms = native.reply()
            raise _failure(kind == RETRYABLE, reason, after_ms)

    return emit


def no_emit(signal: Signal, payload: bytes) -> None:
    """
    Refuse: nothing comes after an exporter.
    """
    raise Permanent("an exporter cannot emit: it stands at the end of its pipeline")


def _failure_of(value: object) -> Failure:
    if isinstance(value, types.Failure_Retryable):
        return _failure(True, value.value.reason, value.value.after_ms)
    return _failure(False, str(getattr(value, "value", value)), None)


def _failure(is_retryable: bool, reason: str, after_ms: int | None) -> Failure:
    if not is_retryable:
        return Permanent(reason)
    return Retryable(reason, after_s=None if after_ms is None else after_ms / 1000)


def error_of(outcome: Outcome) -> Err:
    """
    Turn a failed outcome into what the typed exports raise.
    """
    reason = outcome.data.decode()
    if outcome.kind == RETRYABLE:
        wait_ms = None if outcome.number is None else min(outcome.number, 2**32 - 1)
        return Err(types.Failure_Retryable(types.Retry(reason, wait_ms)))
    return Err(types.Failure_Permanent(reason))
