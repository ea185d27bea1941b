"""
The integers-only form of wit/direct.wit gives what the typed form gives, and is believed as little.
"""

from collections.abc import Iterator

import pytest

from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.processing import VerdictDrop, VerdictPass, VerdictReplace
from otelwasm.plugins._generated.types import (
    Failure,
    FailurePermanent,
    FailureRetryable,
    Retry,
)
from otelwasm.plugins.component import Component
from otelwasm.plugins.direct import INBOX_BYTES, Outcome
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.guests import LIFECYCLE
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES
from plugins.wat import component

OUT = "0xfffffff0"
EMIT = """
  (import "otelwasm:plugin/direct-host@0.1.0" "emit"
    (func $emit (param i32 i32 i32 i32 i32) (result i32)))
"""
RESERVE = "(i32.const 2097152)"


def outcome(kind: int, at: str = "0", length: str = "0", has: int = 0, number: int = 0) -> str:
    """
    A body of `run` that leaves this outcome at 512.
    """
    return f"""
    (i32.store (i32.const 512) (i32.const {kind})) (i32.store (i32.const 516) (i32.const {at}))
    (i32.store (i32.const 520) {length if "(" in length else f"(i32.const {length})"})
    (i32.store (i32.const 524) (i32.const {has})) (i64.store (i32.const 528) (i64.const {number}))
    (i32.const 512)"""


ECHO = outcome(1, "2097152", "(local.get $length)")


def guest(run: str, *, reserve: str = RESERVE, imports: str = "", world: str = "processor") -> str:
    """
    A guest with the direct form; its typed function traps, so that nobody takes it by mistake.
    """
    typed = {"processor": "processing@0.1.0#process", "exporter": "exporting@0.1.0#send"}[world]
    return f"""{imports}{LIFECYCLE}
  (func (export "otelwasm:plugin/{typed}") (param i32 i32 i32) (result i32) unreachable)
  (func (export "otelwasm:plugin/direct@0.1.0#reserve") (param $length i32) (result i32)
    (if (i32.lt_u (memory.size) (i32.const 256)) (then (drop (memory.grow (i32.const 252)))))
    {reserve})
  (func (export "otelwasm:plugin/direct@0.1.0#run")
    (param $signal i32) (param $length i32) (result i32) {run})
"""


class Running:
    """
    Opens guests of the direct form and closes them.
    """

    def __init__(self) -> None:
        self.instances: list[Instance] = []

    def __call__(self, core: str, world: str = "processor", host: Notes | None = None) -> Instance:
        loaded = Component.load(component(core, f"python-{world}"), name="guest")
        assert loaded.has_direct
        instance = Instance(loaded, host or Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10.0)
        self.instances.append(instance)
        return instance


@pytest.fixture
def running() -> Iterator[Running]:
    """
    Opens instances; closes them after the test.
    """
    running = Running()
    yield running
    for instance in running.instances:
        instance.close()


OUTCOMES: dict[str, tuple[str, Outcome]] = {
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
    "an outcome that does not exist": (outcome(6), RESERVE),
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


def test_traps_and_limits_hold(running: Running) -> None:
    """
    A trap in `run` is a trap, one in `reserve` too.
    """
    for core in (guest("unreachable"), guest(outcome(0), reserve="unreachable")):
        with pytest.raises(Fault, match="unreachable") as caught:
            running(core).run(Signal.TRACES, b"payload")

        assert "trap" == caught.value.kind


# Emits the payload; a failure that the host writes at 1024 is returned as it is.
EMITTING = f"""
    (if (call $emit (local.get $signal) (i32.const 2097152) (local.get $length)
        (i32.const 1024) (i32.const 64))
      (then (return (i32.const 1024))))
    {outcome(2)}"""


def test_emit_takes_payloads(running: Running) -> None:
    """
    What a plugin emits in the direct form reaches the host whole.
    """
    host = Notes()
    payload = b"p" * 428_000

    assert Ok(VerdictDrop()) == running(guest(EMITTING, imports=EMIT), host=host).run(
        Signal.METRICS, payload
    )
    assert [("emit", Signal.METRICS, payload)] == host.calls


@pytest.mark.parametrize("lane", ("bridge", "direct"))
def test_emit_works_beside_the_typed_form(lane: str) -> None:
    """
    A plugin that is called in the typed form may emit in the direct one, on both lanes.
    """
    core = guest(outcome(0), imports=EMIT).replace(
        "(param i32 i32 i32) (result i32) unreachable",
        """(param i32 i32 i32) (result i32)
        (drop (call $emit (local.get 0) (local.get 1) (local.get 2) (i32.const 1024)
          (i32.const 64)))
        (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
        (i32.const 512)""",
    )
    loaded = Component.load(component(core, "python-processor"), name="guest", lane=lane)  # type: ignore[arg-type]  # from a parameter
    host = Notes()
    with Instance(loaded, host, memory_bytes=LIMIT_BYTES, deadline_s=10.0) as instance:
        assert Ok(VerdictPass()) == instance.processing.process(Signal.LOGS, b"payload")

    assert [("emit", Signal.LOGS, b"payload")] == host.calls


REPLIES: list[tuple[Failure, Failure]] = [
    (FailurePermanent("no"), FailurePermanent("no")),
    (FailureRetryable(Retry("full", None)), FailureRetryable(Retry("full", None))),
    (FailureRetryable(Retry("full", 9)), FailureRetryable(Retry("full", 9))),
    (FailurePermanent("x" * 100), FailurePermanent("x" * 40)),
    (FailurePermanent("é" * 100), FailurePermanent("é" * 20)),
    (FailurePermanent("x" + "é" * 100), FailurePermanent("x" + "é" * 19)),
]


@pytest.mark.parametrize(("failure", "arrives"), REPLIES)
def test_emits_failures_arrive(running: Running, failure: Failure, arrives: Failure) -> None:
    """
    A failure reaches the plugin, its reason cut to whole characters in the room there is.
    """
    host = Notes(emit=lambda *_: Err(failure))
    instance = running(guest(EMITTING, imports=EMIT), host=host)

    assert Err(arrives) == instance.run(Signal.TRACES, b"payload")


def test_an_exception_in_emit_becomes_a_failure(running: Running) -> None:
    """
    A host function that raises refuses the batch, and is counted.
    """

    def emit(signal: Signal, payload: bytes) -> Ok[None]:
        raise OSError("gone")

    instance = running(guest(EMITTING, imports=EMIT), host=Notes(emit=emit))

    assert Err(FailurePermanent("OSError: gone")) == instance.run(Signal.TRACES, b"payload")
    assert 1 == instance.host_errors


BAD_EMITS = {
    "a signal that does not exist": "(i32.const 4) (i32.const 0) (i32.const 1) (i32.const 1024)",
    "a payload outside": f"(i32.const 0) (i32.const {OUT}) (i32.const 100) (i32.const 1024)",
    "a payload longer than all": "(i32.const 0) (i32.const 0) (i32.const -1) (i32.const 1024)",
    "an answer's area outside": f"(i32.const 0) (i32.const 0) (i32.const 1) (i32.const {OUT})",
    "an area that is not aligned": "(i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1028)",
}


@pytest.mark.parametrize("what", BAD_EMITS)
def test_malformed_emits_end_the_instance(running: Running, what: str) -> None:
    """
    An emit with an offset or a signal that cannot be ends the instance.
    """
    host = Notes(emit=lambda *_: Err(FailurePermanent("no")))
    run = f"(drop (call $emit {BAD_EMITS[what]} (i32.const 64))) {outcome(0)}"
    instance = running(guest(run, imports=EMIT), host=host)

    with pytest.raises(Fault, match=r"plugin 'guest': it called the host") as caught:
        instance.run(Signal.TRACES, b"payload")

    assert "malformed" == caught.value.kind


def test_too_little_room_for_an_answer_ends_the_instance(running: Running) -> None:
    """
    An area that cannot hold an outcome is not written to.
    """
    run = EMITTING.replace("(i32.const 64)", "(i32.const 16)")
    host = Notes(emit=lambda *_: Err(FailurePermanent("no")))

    with pytest.raises(Fault, match="room for 16 bytes"):
        running(guest(run, imports=EMIT), host=host).run(Signal.TRACES, b"payload")
