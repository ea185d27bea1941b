"""
Read and write the one record that both sides of wit/direct.wit answer with.
"""

import struct

from otelwasm.plugins._generated.types import Failure, FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.abi import Memory
from otelwasm.plugins.values import Err

__all__ = [
    "AGAIN",
    "DROP",
    "PASS",
    "PERMANENT",
    "RECEIPT",
    "REPLACE",
    "REPLY",
    "RETRYABLE",
    "TIMED_OUT",
    "Outcome",
    "failure_in",
    "read_outcome",
    "write_outcome",
]

PASS, REPLACE, DROP, PERMANENT, RETRYABLE, RECEIPT, REPLY, AGAIN, TIMED_OUT = range(9)

_RECORD = struct.Struct("<IIIIQ")
_ALIGNMENT = 8


# Kind, offset and length of the data, number. A plain tuple: it is made for every batch.
Outcome = tuple[int, int, int, int | None]


def read_outcome(memory: Memory, at: int) -> Outcome:
    """
    Copy an outcome out; whether its data are where it says is yet to be checked.
    """
    memory.place(at, _RECORD.size, alignment=_ALIGNMENT)
    # Safety: in range, and only this thread can grow the memory.
    kind, start, length, has_number, number = _RECORD.unpack_from(memory.region.view, at)
    return kind, start, length, number if has_number else None


def write_outcome(memory: Memory, at: int, outcome: Outcome) -> None:
    """
    Copy an outcome in.
    """
    kind, start, length, number = outcome
    memory.place(at, _RECORD.size, alignment=_ALIGNMENT)
    # Safety: in range, and only this thread can grow the memory.
    _RECORD.pack_into(memory.view, at, kind, start, length, int(number is not None), number or 0)


def failure_in(memory: Memory, outcome: Outcome) -> Err[Failure]:
    """
    The failure that an outcome of one of the two kinds is.
    """
    kind, at, length, number = outcome
    reason = memory.text(at, length)
    if kind == PERMANENT:
        return Err(FailurePermanent(reason))
    return Err(FailureRetryable(Retry(reason, number)))
