"""
Reach the host by saying where bytes are (wit/direct.wit): nothing is converted, so nothing leaks.
"""

import otelwasm_native as native
from otelwasm_sdk.failures import Failure, Permanent, Retryable
from otelwasm_sdk.http import Failed, Refused, TimedOut
from otelwasm_sdk.messages import Request, Response
from otelwasm_sdk.parts import headers_of, pack, parts_of, unpack
from otelwasm_sdk.runner import DROP, PASS, PERMANENT, REPLACE, REPLY, RETRYABLE, milliseconds
from otelwasm_sdk.signals import Signal
from wit_world.imports import direct_host

__all__ = ["Direct"]

_EMIT, _SEND, _GET, _SET, _DELETE = range(5)


class Direct:
    """
    Calls with integers only.
    """

    def __init__(self) -> None:
        self._outcome_at = native.outcome_at()

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Hand a batch to the next step.
        """
        self._done(_EMIT, payload, signal)

    def http_send(self, request: Request) -> Response:
        """
        Send a request.
        """
        asked = pack(
            request.method.encode(),
            request.url.encode(),
            request.body,
            *parts_of(request.headers),
        )
        kind, data, status = self._call(_SEND, asked, milliseconds(request.timeout_s))
        if kind == REPLY:
            body, *headers = unpack(data)
            return Response(status or 0, body, headers_of(headers))
        if kind == PERMANENT:
            raise Refused(data.decode())
        if kind == RETRYABLE:
            raise Failed(data.decode())
        raise TimedOut(f"no answer of {request.url} in time")

    def state_get(self, key: str) -> bytes | None:
        """
        The value kept under *key*.
        """
        kind, data, after_ms = self._call(_GET, key.encode())
        if kind == REPLACE:
            return data
        if kind == DROP:
            return None
        raise _failure(kind, data, after_ms)

    def state_set(self, key: str, value: bytes) -> None:
        """
        Keep a value.
        """
        self._done(_SET, pack(key.encode(), value))

    def state_delete(self, key: str) -> None:
        """
        Forget a key.
        """
        self._done(_DELETE, key.encode())

    def _done(self, function: int, data: bytes, number: int = 0) -> None:
        kind, reason, after_ms = self._call(function, data, number)
        if kind != PASS:
            raise _failure(kind, reason, after_ms)

    def _call(self, function: int, data: bytes, number: int = 0) -> tuple[int, bytes, int | None]:
        """
        Call a function of the host with *data*; the kind, data and number of its outcome.
        """
        at = native.offset_of(data)
        length = direct_host.call(function, number, at, len(data), self._outcome_at)
        kind, found = native.outcome()
        if not length:
            return kind, b"", found
        direct_host.answer(native.room(length))
        return kind, native.filled(), found


def _failure(kind: int, reason: bytes, after_ms: int | None) -> Failure:
    if kind == RETRYABLE:
        return Retryable(reason.decode(), after_s=None if after_ms is None else after_ms / 1000)
    return Permanent(reason.decode())
