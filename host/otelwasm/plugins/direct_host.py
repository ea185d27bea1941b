"""
Answer a plugin that calls the host in the integers-only form of wit/direct.wit.

What it passes are offsets into its own memory, checked right before the bytes are copied. What
the host answers waits here until the plugin has made room for it.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from otelwasm.plugins._generated import http, pipeline, state
from otelwasm.plugins._generated.receiver import Host
from otelwasm.plugins._generated.types import Failure, FailurePermanent, lift_signal
from otelwasm.plugins.abi import MalformedError, Memory, case_error
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.outcome import (
    DROP,
    PASS,
    PERMANENT,
    REPLACE,
    REPLY,
    RETRYABLE,
    TIMED_OUT,
    write_outcome,
)
from otelwasm.plugins.parts import header_parts, header_texts, joined, read_parts
from otelwasm.plugins.sandbox import Sandbox
from otelwasm.plugins.values import Err, Ok

__all__ = ["DirectHost"]

_T = TypeVar("_T")
_E = TypeVar("_E")


class _Answer(NamedTuple):
    """
    What a call answered.
    """

    kind: int
    data: bytes = b""
    number: int | None = None


class DirectHost:
    """
    The host's `call` and `answer`, for a plugin of one world.
    """

    def __init__(self, host: Host, *, world: str, budget_bytes: int) -> None:
        self._host = host
        self._emits = world != "exporter"
        self._budget_bytes = budget_bytes
        self._sandbox: Sandbox | None = None
        self._data = b""
        # In the order of their numbers.
        self._functions = (self._emit, self._send, self._get, self._set, self._delete)

    @property
    def integers(self) -> tuple[Callable[..., int], ...]:
        """
        The functions, in the order of `contract.INTEGERS`.
        """
        return (self.call, self.answer)

    def attach(self, sandbox: Sandbox) -> None:
        """
        Serve the plugin in *sandbox*.
        """
        self._sandbox = sandbox

    def call(self, function: int, number: int, start: int, length: int, outcome: int) -> int:
        """
        Call a function; the length of what it answered, which is written to *outcome*.
        """
        memory = self._serving.guest_memory()
        memory.left_bytes = self._budget_bytes
        if function >= len(self._functions):
            raise case_error("function", function)
        try:
            kind, data, value = self._functions[function](memory, number, start, length)
            if not isinstance(data, bytes):
                raise TypeError(f"{type(data).__name__}, not bytes")
            write_outcome(memory, outcome, (kind, 0, len(data), value))
        except MalformedError:
            raise
        except Exception as error:
            self._serving.host_failed(error)
            text = f"the host answered what cannot be passed on: {error}"
            raise Fault(text, kind="trap") from None
        self._data = data
        return len(data)

    def answer(self, start: int) -> int:
        """
        Copy what the last call answered.
        """
        memory = self._serving.guest_memory()
        data, self._data = self._data, b""
        memory.place(start, len(data), alignment=1)
        # Safety: in range, and only this thread can grow the memory.
        memory.view[start : start + len(data)] = data
        return len(data)

    @property
    def _serving(self) -> Sandbox:
        if self._sandbox is None:
            raise MalformedError("something, before it was ready")
        return self._sandbox

    def _emit(self, memory: Memory, number: int, start: int, length: int) -> _Answer:
        if not self._emits:
            return _failed(
                FailurePermanent("an exporter cannot emit: it stands at the end of its pipeline")
            )
        signal, payload = lift_signal(number), memory.octets(start, length)
        return self._done(pipeline.fail_emit, lambda: self._host.pipeline.emit(signal, payload))

    def _send(self, memory: Memory, number: int, start: int, length: int) -> _Answer:
        method, url, body, *headers = read_parts(memory, start, length, least=3)
        request = http.Request(
            method=memory.text(*method),
            url=memory.text(*url),
            headers=header_texts(memory, headers),
            body=memory.octets(*body),
            timeout_ms=number,
        )
        result = self._ask(http.fail_send, lambda: self._host.http.send(request))
        if isinstance(result, Ok):
            response = result.value
            data = joined((response.body, *header_parts(response.headers)))
            return _Answer(REPLY, data, response.status)
        if isinstance(result.error, http.ErrorTimeout):
            return _Answer(TIMED_OUT)
        kind = PERMANENT if isinstance(result.error, http.ErrorRefused) else RETRYABLE
        return _Answer(kind, _utf8(result.error.value))

    def _get(self, memory: Memory, number: int, start: int, length: int) -> _Answer:
        key = memory.text(start, length)
        result = self._ask(state.fail_get, lambda: self._host.state.get(key))
        if isinstance(result, Err):
            return _failed(result.error)
        return _Answer(DROP) if result.value is None else _Answer(REPLACE, result.value)

    def _set(self, memory: Memory, number: int, start: int, length: int) -> _Answer:
        parts = read_parts(memory, start, length, least=2)
        key, value = memory.text(*parts[0]), memory.octets(*parts[1])
        return self._done(state.fail_set, lambda: self._host.state.set(key, value))

    def _delete(self, memory: Memory, number: int, start: int, length: int) -> _Answer:
        key = memory.text(start, length)
        return self._done(state.fail_delete, lambda: self._host.state.delete(key))

    def _done(
        self, fail: Callable[[str], Err[Failure]], ask: Callable[[], Ok[None] | Err[Failure]]
    ) -> _Answer:
        result = self._ask(fail, ask)
        return _failed(result.error) if isinstance(result, Err) else _Answer(PASS)

    def _ask(
        self, fail: Callable[[str], Err[_E]], ask: Callable[[], Ok[_T] | Err[_E]]
    ) -> Ok[_T] | Err[_E]:
        """
        Ask the host; what it raises is counted, and answered as its own failure.
        """
        try:
            return ask()
        except Exception as error:
            self._serving.host_failed(error)
            return fail(f"{type(error).__name__}: {error}")


def _failed(failure: Failure) -> _Answer:
    if isinstance(failure, FailurePermanent):
        return _Answer(PERMANENT, _utf8(failure.value))
    return _Answer(RETRYABLE, _utf8(failure.value.reason), failure.value.after_ms)


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")
