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
STANDING_BYTES = 1 << 20


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


@pytest.mark.parametrize("length", [-1, 100_001 + INBOX_BYTES])
def test_only_what_was_reserved_runs(native: ModuleType, length: int) -> None:
    """
    A large payload is taken in no length that there is no room for.
    """
    came = answering(native, 0, b"")
    for _ in range(2):
        native.reserve(STANDING_BYTES)  # more than stands ready from before, in any test
        native.reserve(STANDING_BYTES + 1)
        came.clear()
        native.run(0, STANDING_BYTES + 1)
        came.clear()
        native.reserve(100_000)
        with pytest.raises(RuntimeError, match=f"{length} bytes that reserve"):
            native.run(0, length)

    assert [] == came


def standing(native: ModuleType, what: int, length: int) -> tuple[int, int] | None:
    """
    Run *length* bytes; where the outcome says that a buffer stands ready, and of which length.
    """
    at = native.run(what, length)
    _, _, _, has_number, number = struct.unpack("<IIIIQ", ctypes.string_at(at, 24))
    return (number & 0xFFFFFFFF, number >> 32) if has_number else None


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_buffer_that_nobody_has_stands_ready(native: ModuleType, kind: int) -> None:
    """
    A large payload that the plugin lets go makes room for the next, of another length, which is
    another payload: equal to what was written, with a hash of its own.
    """
    digests = []

    def answer(signal: int, payload: bytes) -> tuple[int, bytes]:
        digests.append((len(payload), hash(payload), payload[-1:]))
        return kind, b""

    native.answer_with(answer)
    offset = native.reserve(428_000)
    payloads = [b"a" * 428_000, b"b" * 70_000, b"c" * 440_000]
    for payload in payloads:
        host_writes(offset, payload)
        told = standing(native, 0, len(payload))

        assert told is not None
        assert (offset & 0xFFFFFFFF, True) == (told[0], told[1] >= 440_000)

    assert [(len(payload), hash(payload), payload[-1:]) for payload in payloads] == digests
    assert offset == native.reserve(440_000)


def test_small_payloads_leave_it_ready(native: ModuleType) -> None:
    """
    What stands ready does so, whatever comes through the inbox, until the next large one.
    """
    native.answer_with(lambda signal, payload: (0, b""))
    native.reserve(100_000)
    told = standing(native, 0, 100_000)
    answering(native, 4, b"later", 5)
    native.run(0, 10)
    native.answer_with(lambda signal, payload: (0, b""))

    assert told is not None
    assert told == standing(native, 0, 10)


def test_what_a_plugin_keeps_stays_as_it_is(native: ModuleType) -> None:
    """
    No buffer stands ready while the plugin has it, be it as its answer; the next is another one.
    """
    came = answering(native, 0, b"")
    first = native.reserve(100_000)
    host_writes(first, b"x" * 100_000)
    told = standing(native, 0, 100_000)
    second = native.reserve(100_000)
    host_writes(second, b"y" * 100_000)
    native.answer_with(lambda signal, payload: (1, payload))

    assert (None, None) == (told, standing(native, 0, 100_000))
    assert [(0, b"x" * 100_000)] == came
    assert first != second


@pytest.mark.parametrize("length", [STANDING_BYTES + 1, 5 << 20])
def test_a_huge_buffer_is_let_go(native: ModuleType, length: int) -> None:
    """
    What only a huge payload needs does not stay with an instance.
    """
    native.answer_with(lambda signal, payload: (0, b""))
    native.reserve(length)

    assert standing(native, 0, length) is None


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
        ((8, b""), ValueError, "0 to 7, not 8"),
        ((-1, b""), ValueError, "0 to 7, not -1"),
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
    ("kind", "number"), [(0, None), (4, 1500), (4, 0), (6, 200), (8, None), (1, 2**64 - 1)]
)
def test_a_hosts_outcome_is_read(native: ModuleType, kind: int, number: int | None) -> None:
    """
    What the host writes as the outcome of a call comes out as its kind and number.
    """
    offset = native.outcome_at()
    record = struct.pack("<IIIIQ", kind, 0, 7, number is not None, number or 0)
    host_writes(offset, record)

    assert 0 == offset % 8
    assert offset == native.outcome_at()
    assert (kind, number) == native.outcome()


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 1000])
def test_an_answer_fills_the_room_for_it(native: ModuleType, data: bytes) -> None:
    """
    What the host writes into the room comes out, uncopied and once.
    """
    offset = native.room(len(data))
    host_writes(offset, data)
    found = native.filled()

    assert data == found
    assert not data or offset == native.offset_of(found)
    with pytest.raises(RuntimeError, match=r"room\(\), which comes first"):
        native.filled()


@pytest.mark.parametrize("length", [-1, 2**70, "1"])
def test_impossible_room_is_refused(native: ModuleType, length: object) -> None:
    """
    A length that cannot be is an error, not a crash.
    """
    with pytest.raises((ValueError, OverflowError, TypeError)):
        native.room(length)
