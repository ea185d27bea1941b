"""
The guest's side of the direct form, with this process in the place of the host.
"""

import ctypes
import struct
import sys
from types import ModuleType

import pytest


def host_writes(offset: int, data: bytes) -> None:
    """
    What the host does with a payload, and with its answer to an emit.
    """
    ctypes.memmove(offset, data, len(data))


@pytest.mark.parametrize("payload", [b"", b"x", b"payload", bytes(100_000)])
def test_payload_comes_in_uncopied(native: ModuleType, payload: bytes) -> None:
    """
    What the host writes where `reserve` says is what `take` returns, be it empty.
    """
    offset = native.reserve(len(payload))
    host_writes(offset, payload)
    taken = native.take()

    assert payload == taken
    assert offset == native.offset_of(taken)


def test_payload_is_taken_once(native: ModuleType) -> None:
    """
    A second `take` has nothing to give.
    """
    native.reserve(1)
    native.take()

    with pytest.raises(RuntimeError, match="reserve"):
        native.take()


@pytest.mark.parametrize(
    ("kind", "data", "number", "has_number"),
    [(0, b"", None, 0), (1, b"payload", None, 0), (4, b"later", 0, 1), (5, b"", 2**64 - 1, 1)],
)
def test_outcome_is_the_contract_s(
    native: ModuleType, kind: int, data: bytes, number: int | None, has_number: int
) -> None:
    """
    An outcome is 24 bytes, little endian, 8-byte aligned, as wit/direct.wit says.
    """
    offset = native.outcome(kind, data, number)
    record = struct.unpack("<IIIIQ", ctypes.string_at(offset, 24))
    low = native.offset_of(data) & 0xFFFFFFFF

    assert 0 == offset % 8
    assert (kind, low, len(data), has_number, number or 0) == record


def test_result_lives_until_the_next_call(native: ModuleType) -> None:
    """
    The result is held while the host may read it, and released by what follows.
    """
    result = bytes(range(200)) * 2
    before = sys.getrefcount(result)
    native.outcome(1, result)

    assert before + 1 == sys.getrefcount(result)

    native.outcome(0, b"")

    assert before == sys.getrefcount(result)

    native.outcome(1, result)
    native.reserve(10)

    assert before == sys.getrefcount(result)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((6, b""), ValueError, "0 to 5, not 6"),
        ((-1, b""), ValueError, "0 to 5, not -1"),
        ((1, "text"), TypeError, "bytes"),
        ((4, b"", -1), OverflowError, "negative"),
        ((4, b"", 2**64), OverflowError, "too big"),
    ],
)
def test_wrong_outcomes_are_refused(
    native: ModuleType, arguments: tuple[object, ...], error: type[Exception], text: str
) -> None:
    """
    An outcome that the contract does not have is an error of the guest.
    """
    with pytest.raises(error, match=text):
        native.outcome(*arguments)


@pytest.mark.parametrize("length", [-1, 2**70, "1"])
def test_wrong_lengths_are_refused(native: ModuleType, length: object) -> None:
    """
    A length that cannot be is an error, not a crash.
    """
    with pytest.raises((ValueError, OverflowError, TypeError)):
        native.reserve(length)


@pytest.mark.parametrize(
    ("kind", "reason", "number"),
    [(3, "no such tenant", None), (4, "queue full", 1500), (4, "", 0), (3, "ü" * 100, None)],
)
def test_reply_to_an_emit_is_read(
    native: ModuleType, kind: int, reason: str, number: int | None
) -> None:
    """
    What the host writes into the reply buffer comes out as kind, reason and number.
    """
    offset, capacity = native.reply_buffer()
    text = reason.encode()
    record = struct.pack(
        "<IIIIQ",
        *(kind, (offset + 24) & 0xFFFFFFFF, len(text), number is not None, number or 0),
    )
    host_writes(offset, record + text)

    assert capacity >= 1024
    assert 0 == offset % 8
    assert (kind, reason, number) == native.reply()


def test_reason_cut_within_a_character_is_read(native: ModuleType) -> None:
    """
    A reason that the host cut by bytes still comes out.
    """
    offset, _ = native.reply_buffer()
    host_writes(offset, struct.pack("<IIIIQ", 3, (offset + 24) & 0xFFFFFFFF, 3, 0, 0) + b"ab\xc3")

    assert (3, "ab\ufffd", None) == native.reply()


@pytest.mark.parametrize(("shift", "length"), [(24, 1 << 20), (0, 5), (25, 5)])
def test_reply_outside_the_buffer_is_refused(native: ModuleType, shift: int, length: int) -> None:
    """
    A reply that points elsewhere is not followed.
    """
    offset, _ = native.reply_buffer()
    host_writes(offset, struct.pack("<IIIIQ", 3, (offset + shift) & 0xFFFFFFFF, length, 0, 0))

    with pytest.raises(RuntimeError, match="not in the reply buffer"):
        native.reply()
