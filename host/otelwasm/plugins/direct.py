"""
Pass batches in the integers-only form of wit/direct.wit, through the plugin's own memory.

The plugin says where a payload may go, and where its outcome lies; every offset is checked
against the memory's current size right before the bytes are copied.
"""

import struct
from collections.abc import Callable

from otelwasm.plugins import _ffi
from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.processing import Verdict, VerdictDrop, VerdictPass, VerdictReplace
from otelwasm.plugins._generated.types import (
    Failure,
    FailurePermanent,
    FailureRetryable,
    Retry,
    lift_signal,
)
from otelwasm.plugins.abi import MalformedError, Memory, case_error
from otelwasm.plugins.component import DIRECT
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.sandbox import Sandbox
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal

__all__ = ["INBOX_BYTES", "Direct", "DirectHost", "Outcome"]

Outcome = Ok[Verdict] | Ok[Receipt] | Err[Failure]

_PASS, _REPLACE, _DROP, _PERMANENT, _RETRYABLE, _RECEIPT = range(6)
_KINDS = {
    "processor": frozenset((_PASS, _REPLACE, _DROP, _PERMANENT, _RETRYABLE)),
    "exporter": frozenset((_PERMANENT, _RETRYABLE, _RECEIPT)),
}
_RECORD = struct.Struct("<IIIIQ")
_ALIGNMENT = 8
# Where payloads of at most so many bytes go a plugin says once (wit/direct.wit).
INBOX_BYTES = 1 << 16
_PASSED: Outcome = Ok(VerdictPass())
_DROPPED: Outcome = Ok(VerdictDrop())


class Direct:
    """
    The plugin's `reserve` and `run`. A small payload takes one crossing, a long one two.
    """

    def __init__(self, sandbox: Sandbox, *, world: str, budget_bytes: int) -> None:
        self._sandbox = sandbox
        self._budget_bytes = budget_bytes
        self._kinds = _KINDS[world]
        self._reserve = sandbox.integer_function(DIRECT, "reserve")
        self._run = sandbox.integer_function(DIRECT, "run")
        self._length = _ffi.Numbers(("i32",))
        self._batch = _ffi.Numbers(("i32", "i32"))
        self._signal_cell, self._length_cell = self._batch.cells
        self._at = _ffi.Numbers(("i32",))
        (self._at_cell,) = self._at.cells
        self._inbox: int | None = None

    def run(self, signal: Signal, payload: bytes) -> Outcome:
        """
        Process or send one batch.
        """
        sandbox = self._sandbox
        memory = sandbox.begin()
        length = len(payload)
        at = self._inbox
        if at is None or length > INBOX_BYTES:
            at = self._reserved(length)
        try:
            memory.place(at, length, alignment=1)
            # Safety: in range, and only this thread can grow the memory.
            memory.region.view[at : at + length] = payload
            self._signal_cell[0] = signal
            self._length_cell[0] = length
            sandbox.enter(self._run, self._batch, self._at)
            return self._outcome(memory, self._at_cell[0])
        except MalformedError as error:
            text = f"its direct form gave a malformed value: {error}"
            raise sandbox.end(Fault(text, kind="malformed")) from None

    def _reserved(self, length: int) -> int:
        """
        Ask where a payload of *length* bytes may go; where any small one may, only once.
        """
        is_small = length <= INBOX_BYTES
        self._length.set((INBOX_BYTES if is_small else length,))
        self._sandbox.enter(self._reserve, self._length, self._at)
        at = int(self._at.get())
        if is_small:
            self._inbox = at
        return at

    def _outcome(self, memory: Memory, at: int) -> Outcome:
        memory.left_bytes = self._budget_bytes
        memory.place(at, _RECORD.size, alignment=_ALIGNMENT)
        # Safety: in range, and only this thread can grow the memory.
        kind, start, length, has_number, number = _RECORD.unpack_from(memory.region.view, at)
        if kind not in self._kinds:
            raise case_error("outcome", kind)
        if kind == _PASS:
            return _PASSED
        if kind == _REPLACE:
            return Ok(VerdictReplace(memory.octets(start, length)))
        if kind == _DROP:
            return _DROPPED
        text = memory.text(start, length)
        if kind == _PERMANENT:
            return Err(FailurePermanent(text))
        if kind == _RETRYABLE:
            return Err(FailureRetryable(Retry(text, number if has_number else None)))
        return Ok(Receipt(number, text))


class DirectHost:
    """
    The host's `emit`, on bytes that stay in the plugin's memory.
    """

    def __init__(
        self, emit: Callable[[Signal, bytes], Ok[None] | Err[Failure]], *, budget_bytes: int
    ) -> None:
        self._emit = emit
        self._budget_bytes = budget_bytes
        self._sandbox: Sandbox | None = None

    def attach(self, sandbox: Sandbox) -> None:
        """
        Serve the plugin in *sandbox*.
        """
        self._sandbox = sandbox

    def emit(self, signal: int, start: int, length: int, reply: int, capacity: int) -> int:
        """
        Emit; 0 when it is taken, else the kind of the failure, which is written to *reply*.
        """
        sandbox = self._sandbox
        if sandbox is None:
            raise MalformedError("a batch, before it was ready")
        memory = sandbox.guest_memory()
        memory.left_bytes = self._budget_bytes
        payload = memory.octets(start, length)
        try:
            result = self._emit(lift_signal(signal), payload)
        except MalformedError:
            raise
        except Exception as error:
            sandbox.host_failed(error)
            result = Err(FailurePermanent(f"{type(error).__name__}: {error}"))
        if isinstance(result, Ok):
            return 0
        return _reply(memory, result.error, reply, capacity)


def _reply(memory: Memory, failure: Failure, reply: int, capacity: int) -> int:
    """
    Write *failure*, its reason cut to the room there is; returns its kind.
    """
    memory.place(reply, capacity, alignment=_ALIGNMENT)
    if capacity < _RECORD.size:
        raise MalformedError(f"room for {capacity} bytes of an answer, {_RECORD.size} are needed")
    if isinstance(failure, FailurePermanent):
        kind, reason, after_ms = _PERMANENT, failure.value, None
    else:
        kind, reason, after_ms = _RETRYABLE, failure.value.reason, failure.value.after_ms
    start = reply + _RECORD.size
    room = capacity - _RECORD.size
    text = reason.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").encode()
    # Safety: reply + capacity is in range, and the record and the text are within capacity.
    _RECORD.pack_into(
        memory.view, reply, kind, start, len(text), int(after_ms is not None), after_ms or 0
    )
    memory.view[start : start + len(text)] = text
    return kind
