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


INBOX_BYTES = 65536


def answering(native: ModuleType, *outcome: object) -> list[tuple[int, bytes]]:
    """
    Answer every payload by *outcome*; what comes in is in the list that this returns.
    """
    came: list[tuple[int, bytes]] = []

    def answer(signal: int, payload: bytes) -> tuple[object, ...]:
        came.append((signal, payload))
        return outcome

    native.answer_with(answer)
    return came


@pytest.mark.parametrize("size", [0, 1, 700, INBOX_BYTES, INBOX_BYTES + 1, 428_000])
def test_payload_comes_in_whole(native: ModuleType, size: int) -> None:
    """
    What the host writes where `reserve` says is what is answered, be it empty.
    """
    came = answering(native, 0, b"")
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    offset = native.reserve(size)
    host_writes(offset, payload)
    native.run(2, size)

    assert [(2, payload)] == came


def test_small_payloads_share_one_buffer(native: ModuleType) -> None:
    """
    The host asks once where small payloads go; each is a copy of its own, whatever comes next.
    """
    came = answering(native, 0, b"")
    inbox = native.reserve(INBOX_BYTES)
    native.reserve(INBOX_BYTES + 1)
    for payload in (b"first", b"second", b""):
        host_writes(inbox, payload)
        native.run(0, len(payload))

    assert [(0, b"first"), (0, b"second"), (0, b"")] == came
    assert inbox == native.reserve(1) == native.reserve(0)


def test_large_payloads_come_in_uncopied(native: ModuleType) -> None:
    """
    A payload that does not fit into the inbox is the buffer that the host wrote to.
    """
    came = answering(native, 0, b"")
    offset = native.reserve(100_000)
    native.run(0, 100_000)

    assert offset == native.offset_of(came[0][1])


@pytest.mark.parametrize("length", [INBOX_BYTES + 1, -1, 100_001])
def test_only_what_was_reserved_runs(native: ModuleType, length: int) -> None:
    """
    A large payload is taken once, and only in the length that was asked for.
    """
    came = answering(native, 0, b"")
    native.reserve(100_000)
    native.run(0, 100_000)
    came.clear()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=f"{length} bytes that reserve"):
            native.run(0, length)
        native.reserve(100_000)

    assert [] == came


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
    answering(native, kind, data, number)
    offset = native.run(0, 0)
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
    for follows in (lambda: native.run(0, 0), lambda: native.reserve(100_000)):
        native.answer_with(lambda signal, payload: (1, result))
        native.run(0, 0)

        assert before + 1 == sys.getrefcount(result)

        answering(native, 0, b"")
        follows()

        assert before == sys.getrefcount(result)


@pytest.mark.parametrize(
    ("outcome", "error", "text"),
    [
        ((6, b""), ValueError, "0 to 5, not 6"),
        ((-1, b""), ValueError, "0 to 5, not -1"),
        ((1, "text"), TypeError, "bytes"),
        ((4, b"", -1), OverflowError, "negative"),
        ((4, b"", 2**64), OverflowError, "too big"),
        ((), TypeError, "0 given"),
    ],
)
def test_wrong_outcomes_are_refused(
    native: ModuleType, outcome: tuple[object, ...], error: type[Exception], text: str
) -> None:
    """
    An outcome that the contract does not have is an error of the guest.
    """
    answering(native, *outcome)

    with pytest.raises(error, match=text):
        native.run(0, 0)


def test_what_answers_may_raise(native: ModuleType) -> None:
    """
    An exception of the answering function comes through, and the next payload is answered.
    """
    native.answer_with(lambda signal, payload: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        native.run(0, 0)

    came = answering(native, 0, b"")
    native.run(0, 0)

    assert [(0, b"")] == came


@pytest.mark.parametrize("length", [-1, 2**70, "1"])
def test_wrong_lengths_are_refused(native: ModuleType, length: object) -> None:
    """
    A length that cannot be is an error, not a crash.
    """
    with pytest.raises((ValueError, OverflowError, TypeError)):
        native.reserve(length)
    with pytest.raises((RuntimeError, OverflowError, TypeError)):
        native.run(0, length)


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
