"""
The integers-only form of wit/direct.wit gives what the typed form gives, and is believed as little.
"""

import pytest

from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.processing import VerdictDrop, VerdictPass, VerdictReplace
from otelwasm.plugins._generated.types import FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.direct import INBOX_BYTES, Result
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.native_calls import load_native_calls
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.direct_guests import ECHO, OUT, RESERVE, Running, guest, outcome

OUTCOMES: dict[str, tuple[str, Result]] = {
    "pass": (outcome(0), Ok(VerdictPass())),
    "replace": (ECHO, Ok(VerdictReplace(b"payload"))),
    "drop": (outcome(2), Ok(VerdictDrop())),
    "permanent": (outcome(3, "2097152", "4"), Err(FailurePermanent("payl"))),
    "retryable": (outcome(4, "2097152", "3"), Err(FailureRetryable(Retry("pay", None)))),
    "later": (outcome(4, "2097152", "3", 1, 250), Err(FailureRetryable(Retry("pay", 250)))),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_outcome_arrives(running: Running, name: str) -> None:
    """
    Each kind of outcome arrives as the value that the typed form has for it.
    """
    body, expected = OUTCOMES[name]

    assert expected == running(guest(body)).run(Signal.TRACES, b"payload")


@pytest.mark.parametrize("number", (0, 1))
def test_a_receipt_of_all_arrives(running: Running, number: int) -> None:
    """
    An exporter that took all of it says so with or without a number.
    """
    instance = running(guest(outcome(5, has=number), world="exporter"), "exporter")

    assert Ok(Receipt(0, "")) == instance.run(Signal.LOGS, b"payload")


def test_a_receipts_text_is_in_the_memory(running: Running) -> None:
    """
    The text of a receipt lies in the memory even if it is empty.
    """
    instance = running(guest(outcome(5, OUT), world="exporter"), "exporter")

    with pytest.raises(Fault, match="lie outside of the memory"):
        instance.run(Signal.LOGS, b"payload")


def test_a_receipt_arrives(running: Running) -> None:
    """
    An exporter's receipt arrives with its number.
    """
    body = outcome(5, "2097152", "4", 1, 1 << 40)
    instance = running(guest(body, world="exporter"), "exporter")

    assert Ok(Receipt(1 << 40, "payl")) == instance.run(Signal.LOGS, b"payload")


@pytest.mark.parametrize("size", (0, 1, 428_000, 14_000_000))
def test_payloads_come_back_whole(running: Running, size: int) -> None:
    """
    Payloads of any size come back byte for byte.
    """
    instance = running(guest(ECHO))
    payload = bytes(range(256)) * (size // 256)

    for _ in range(2):
        assert Ok(VerdictReplace(payload)) == instance.run(Signal.TRACES, payload)


# Says where each length goes: the offset is 2 MiB and the length, once.
ONCE = """
    (if (i32.load8_u offset=64 (i32.shr_u (local.get $length) (i32.const 16))) (then unreachable))
    (i32.store8 offset=64 (i32.shr_u (local.get $length) (i32.const 16)) (i32.const 1))
    (i32.add (i32.const 2097152) (local.get $length))"""


def test_small_payloads_are_reserved_once(running: Running) -> None:
    """
    Where payloads of up to 64 KiB go is asked once, and for 64 KiB; for longer ones each time.
    """
    inbox = outcome(1, str(2097152 + INBOX_BYTES), "(local.get $length)")
    instance = running(guest(inbox, reserve=ONCE))
    for payload in (b"one", b"", b"three" * 10_000, bytes(INBOX_BYTES)):
        assert Ok(VerdictReplace(payload)) == instance.run(Signal.TRACES, payload)

    instance.run(Signal.TRACES, bytes(2 * INBOX_BYTES))
    instance.run(Signal.TRACES, b"small")

    with pytest.raises(Fault, match="unreachable"):
        instance.run(Signal.TRACES, bytes(2 * INBOX_BYTES))


def ready(at: str) -> str:
    """
    A body of `run` that answers what is at 4 MiB, and says that a buffer of 1 MiB stands ready.
    """
    number = 1 << 52 | int(at, 16)
    return outcome(1, "4194304", "(local.get $length)", 1, number)


@pytest.mark.parametrize("at", ["0x400000", "0xffff0000", "0xff0000"])
def test_long_payloads_come_whole_whatever_stands_ready(running: Running, at: str) -> None:
    """
    A buffer that a plugin has ready is used if it lies in the memory; what is wrong with it, or too
    short, is made good by asking again.
    """
    instance = running(guest(ready(at), reserve="(i32.const 4194304)"))
    for size in (428_000, 70_000, 1 << 20, 2_000_000, 100_000):
        payload = bytes(range(250)) * (size // 250)

        assert Ok(VerdictReplace(payload)) == instance.run(Signal.TRACES, payload)


def test_a_buffer_that_stands_ready_takes_no_crossing() -> None:
    """
    Where a long payload goes is not asked for if there is a buffer that is long enough; what is
    said to be ready is ready once.
    """
    once = (
        "(if (i32.load (i32.const 64)) (then unreachable))"
        "(i32.store (i32.const 64) (i32.const 1)) (i32.const 4194304)"
    )
    running = Running(load_native_calls())
    with running(guest(ready("0x400000"), reserve=once)) as instance:
        for size in (428_000, 70_000, 1 << 20):
            payload = b"x" * size

            assert Ok(VerdictReplace(payload)) == instance.run(Signal.TRACES, payload)

        with pytest.raises(Fault, match="unreachable"):
            instance.run(Signal.TRACES, bytes((1 << 20) + 1))

    with running(guest(outcome(0), reserve=once)) as instance:
        assert Ok(VerdictPass()) == instance.run(Signal.TRACES, bytes(70_000))

        with pytest.raises(Fault, match="unreachable"):
            instance.run(Signal.TRACES, bytes(70_000))


def test_the_inbox_is_checked_each_time(running: Running) -> None:
    """
    An inbox with room for one payload and not for the next is found out by the next.
    """
    instance = running(guest(outcome(0), reserve="(i32.const 0xfffff0)"))

    assert Ok(VerdictPass()) == instance.run(Signal.TRACES, b"x" * 16)

    with pytest.raises(Fault, match="17 bytes at 0xfffff0 lie outside of the memory"):
        instance.run(Signal.TRACES, b"x" * 17)


HOSTILE = {
    "an outcome outside of the memory": (f"(i32.const {OUT})", RESERVE),
    "an outcome that is not aligned": ("(i32.const 516)", RESERVE),
    "an outcome that does not exist": (outcome(9), RESERVE),
    "an exporter's outcome": (outcome(5), RESERVE),
    "a payload outside of the memory": (outcome(1, OUT, "100"), RESERVE),
    "a payload longer than the memory": (outcome(1, "0", "-1"), RESERVE),
    "a reason outside of the memory": (outcome(3, OUT, "100"), RESERVE),
    "a reason that is not UTF-8": (
        f"(i32.store8 (i32.const 64) (i32.const 255)) {outcome(4, '64', '1')}",
        RESERVE,
    ),
    "a buffer outside of the memory": (outcome(0), f"(i32.const {OUT})"),
    "a buffer across the end of the memory": (outcome(0), "(i32.const 0xffffff)"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_malformed_offsets_end_the_instance(running: Running, what: str) -> None:
    """
    An offset or a kind that cannot be ends the instance as malformed.
    """
    run, reserve = HOSTILE[what]
    instance = running(guest(run, reserve=reserve))

    with pytest.raises(Fault, match=r"plugin 'guest': its direct form") as caught:
        instance.run(Signal.TRACES, b"payload")

    assert "malformed" == caught.value.kind
    assert instance.is_dead


def test_a_plugin_is_believed_no_longer_than_its_memory(running: Running) -> None:
    """
    A replacement at the end of a memory that has just grown is taken; one byte more is not.
    """
    grown = "(drop (memory.grow (i32.const 16)))"
    at = "(i32.sub (i32.shl (memory.size) (i32.const 16)) (i32.const {}))"
    instance = running(guest(f"{grown}{outcome(1, at.format(4), '4')}"))

    assert Ok(VerdictReplace(bytes(4))) == instance.run(Signal.TRACES, b"payload")

    instance = running(guest(f"{grown}{outcome(1, at.format(4), '5')}"))

    with pytest.raises(Fault, match=r"5 bytes at .* lie outside of the memory"):
        instance.run(Signal.TRACES, b"payload")


def test_traps_and_limits_hold(running: Running) -> None:
    """
    A trap in `run` is a trap, one in `reserve` too.
    """
    for core in (guest("unreachable"), guest(outcome(0), reserve="unreachable")):
        with pytest.raises(Fault, match="unreachable") as caught:
            running(core).run(Signal.TRACES, b"payload")

        assert "trap" == caught.value.kind
