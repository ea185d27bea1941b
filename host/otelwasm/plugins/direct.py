"""
Call a plugin in the integers-only form of wit/direct.wit, through the plugin's own memory.

    host                                   plugin
    reserve(length)                  ──►   a buffer of its own; for small payloads always the same
                                     ◄──   one, so it is asked for once
    buffer in range?  copy           ──►   (the payload)
    run(what, length)                ──►   its code; what that calls comes in by imports.py
                                     ◄──   where its outcome lies
    outcome in range?  kind known?
    data in range?  budget?  copy    ◄──   (the data)

All of it lies in the plugin's one memory, whose bytes the host maps (memory.py) and the plugin
alone gives out. No offset is believed: each is checked against the memory's current size right
before the bytes are copied, the inbox's again for each payload. Nothing of the plugin's memory is
kept: what the host goes on with is a copy.

Nearly all batches pass through native/guest.c, which does this without Python. It leaves to this
module whatever is unusual: failures, and everything that is wrong.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

from otelwasm.plugins import _ffi
from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.processing import Verdict, VerdictDrop, VerdictPass, VerdictReplace
from otelwasm.plugins._generated.receiving import Message, Reply
from otelwasm.plugins._generated.types import Failure
from otelwasm.plugins.abi import MalformedError, Memory, case_error
from otelwasm.plugins.contract import DIRECT
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.native_calls import Guest, NativeCalls
from otelwasm.plugins.outcome import (
    AGAIN,
    DROP,
    PASS,
    PERMANENT,
    RECEIPT,
    REPLACE,
    REPLY,
    RETRYABLE,
    Outcome,
    failure_in,
    read_outcome,
)
from otelwasm.plugins.parts import header_parts, header_texts, joined, read_parts
from otelwasm.plugins.sandbox import Sandbox
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal

__all__ = ["INBOX_BYTES", "Direct", "Result"]

Result = Ok[Verdict] | Ok[Receipt] | Err[Failure]
_R = TypeVar("_R")

# Where payloads of at most so many bytes go a plugin says once (wit/direct.wit).
INBOX_BYTES = 1 << 16
_FUNCTIONS = ("reserve", "run")
_RECEIVE, _POLL = range(2)
_PASSED: Result = Ok(VerdictPass())
_DROPPED: Result = Ok(VerdictDrop())
_TAKEN: Result = Ok(Receipt(0, ""))
_U16 = 1 << 16
_U32 = 1 << 32


class Direct:
    """
    The plugin's `reserve` and `run`. A small payload takes one crossing, a long one two.
    """

    def __init__(
        self, sandbox: Sandbox, *, world: str, budget_bytes: int, native: NativeCalls | None
    ) -> None:
        self._sandbox = sandbox
        self._budget_bytes = budget_bytes
        self._load = _receipt if world == "exporter" else _verdict
        self._functions = tuple(sandbox.integer_function(DIRECT, each) for each in _FUNCTIONS)
        self._inbox: int | None = None
        self.guest: Guest | None = None
        if native is not None and world != "receiver":
            self.guest = sandbox.guest(native, *self._functions, is_exporter=world == "exporter")
            self._untried, self._faulted = native.UNTRIED, native.FAULTED
        self._nothing: Result = _TAKEN if world == "exporter" else _DROPPED

    @functools.cached_property
    def _calls(self) -> "_Calls":
        return _Calls(self._sandbox, *self._functions)

    def run(self, signal: Signal, payload: bytes) -> Result:
        """
        Process or send one batch.
        """
        guest = self.guest
        if guest is None:
            return self._call(signal, payload, self._load)
        answer = self._sandbox.cross(guest, signal, payload)
        if answer is True:
            return _PASSED
        if answer is None:
            return self._nothing
        if isinstance(answer, bytes):
            return Ok(VerdictReplace(answer))
        if answer == self._untried:
            return self._call(signal, payload, self._load)
        if answer == self._faulted:
            raise self._sandbox.ended(guest.error)
        return self._outcome(self._sandbox.guest_memory(), guest.outcome_at, self._load)

    def receive(self, message: Message) -> Ok[Reply] | Err[Failure]:
        """
        Let a receiver handle one message.
        """
        parts = [
            message.peer.encode(),
            message.method.encode(),
            message.target.encode(),
            message.body,
            *header_parts(message.headers),
        ]
        return self._call(_RECEIVE, joined(parts), _reply)

    def poll(self) -> Ok[int | None] | Err[Failure]:
        """
        Let a receiver look for what is new.
        """
        return self._call(_POLL, b"", _pace)

    def _call(
        self, what: int, data: bytes, load: Callable[[Memory, Outcome], _R]
    ) -> _R | Err[Failure]:
        sandbox = self._sandbox
        memory = sandbox.begin()
        length = len(data)
        at = self._inbox
        if at is None or length > INBOX_BYTES:
            at = self._reserved(length)
        try:
            memory.place(at, length, alignment=1)
            # Safety: in range, and only this thread can grow the memory.
            memory.region.view[at : at + length] = data
        except MalformedError as error:
            raise self._malformed(error) from None
        calls = self._calls
        calls.arguments.set((what, length))
        sandbox.enter(calls.run)
        return self._outcome(memory, int(calls.at.get()), load)

    def _outcome(
        self, memory: Memory, at: int, load: Callable[[Memory, Outcome], _R]
    ) -> _R | Err[Failure]:
        """
        Read the outcome *at* an offset.
        """
        memory.left_bytes = self._budget_bytes
        try:
            outcome = read_outcome(memory, at)
            if outcome[0] == PERMANENT or outcome[0] == RETRYABLE:
                return failure_in(memory, outcome)
            return load(memory, outcome)
        except MalformedError as error:
            raise self._malformed(error) from None

    def _malformed(self, error: MalformedError) -> Fault:
        text = f"its direct form gave a malformed value: {error}"
        return self._sandbox.end(Fault(text, kind="malformed"))

    def _reserved(self, length: int) -> int:
        """
        Ask where a payload of *length* bytes may go; where any small one may, only once.
        """
        is_small = length <= INBOX_BYTES
        calls = self._calls
        calls.length.set((INBOX_BYTES if is_small else length,))
        self._sandbox.enter(calls.reserve)
        at = int(calls.at.get())
        if is_small:
            self._inbox = at
        return at


class _Calls:
    """
    The two functions as Python calls them, made where that is needed.
    """

    def __init__(self, sandbox: Sandbox, reserve: int, run: int) -> None:
        self.length = _ffi.Numbers(("i32",))
        self.arguments = _ffi.Numbers(("i32", "i32"))
        self.at = _ffi.Numbers(("i32",))
        self.reserve = sandbox.prepared(reserve, self.length, self.at)
        self.run = sandbox.prepared(run, self.arguments, self.at)


def _verdict(memory: Memory, outcome: Outcome) -> Result:
    kind, at, length, _ = outcome
    if kind == PASS:
        return _PASSED
    if kind == REPLACE:
        return Ok(VerdictReplace(memory.octets(at, length)))
    if kind == DROP:
        return _DROPPED
    raise case_error("outcome", kind)


def _receipt(memory: Memory, outcome: Outcome) -> Result:
    kind, at, length, number = outcome
    if kind != RECEIPT:
        raise case_error("outcome", kind)
    return Ok(Receipt(number or 0, memory.text(at, length)))


def _reply(memory: Memory, outcome: Outcome) -> Ok[Reply]:
    kind, at, length, status = outcome
    if kind != REPLY:
        raise case_error("outcome", kind)
    if status is None or status >= _U16:
        raise MalformedError(f"a reply of the status {status}")
    body, *headers = read_parts(memory, at, length, least=1)
    return Ok(Reply(status, header_texts(memory, headers), memory.octets(*body)))


def _pace(memory: Memory, outcome: Outcome) -> Ok[int | None]:
    kind, _, _, after_ms = outcome
    if kind != AGAIN:
        raise case_error("outcome", kind)
    if after_ms is not None and after_ms >= _U32:
        raise MalformedError(f"a poll in {after_ms} ms")
    return Ok(after_ms)
