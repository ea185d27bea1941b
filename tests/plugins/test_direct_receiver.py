"""
Receivers get messages and are polled with integers only, and are believed as little.
"""

import attrs
import pytest

from otelwasm.plugins._generated.receiving import Message, Reply
from otelwasm.plugins._generated.types import FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.parts import joined
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.direct_guests import CALL, OUT, Running, guest, outcome
from plugins.hosts import Notes

MESSAGE = Message("1.2.3.4:5", "POST", "/a?b=é", (("x-a", "1"), ("x-a", "")), b"body" * 10)


def replying(running: Running, data: bytes, *, status: int = 200, run: str = "") -> Instance:
    """
    A receiver whose reply is *data*, at 4096.
    """
    text = "".join(f"\\{byte:02x}" for byte in data)
    body = run or outcome(6, "4096", str(len(data)), 1, status)
    core = guest(body, world="receiver") + f'(data (i32.const 4096) "{text}")'
    return running(core, "receiver")


@pytest.mark.parametrize("size", [0, 40, 428_000])
def test_a_message_arrives(running: Running, size: int) -> None:
    """
    A message of any size comes as parts: peer, method, target, body, names and values.
    """
    emitting = f"""(drop (call $call (i32.const 0) (i32.const 0) (i32.const 2097152)
      (local.get $length) (i32.const 1024))) {outcome(3)}"""
    host = Notes()
    instance = running(guest(emitting, imports=CALL, world="receiver"), "receiver", host)
    body = bytes(range(256)) * (size // 256) + b"end"

    instance.receive(attrs.evolve(MESSAGE, body=body))

    parts = [b"1.2.3.4:5", b"POST", "/a?b=é".encode(), body, b"x-a", b"1", b"x-a", b""]
    assert [("emit", Signal.TRACES, joined(parts))] == host.calls


def test_a_reply_arrives(running: Running) -> None:
    """
    Status, body and headers arrive.
    """
    data = joined([b"\xff\x00", b"x-a", "é".encode(), b"x-a", b""])

    assert Ok(Reply(599, (("x-a", "é"), ("x-a", "")), b"\xff\x00")) == replying(
        running, data, status=599
    ).receive(MESSAGE)
    assert Ok(Reply(200, (), b"")) == replying(running, joined([b""])).receive(MESSAGE)


def test_failures_arrive(running: Running) -> None:
    """
    A message may be refused for good or for now, a poll too.
    """
    permanent = replying(running, b"no", run=outcome(3, "4096", "2"))
    retryable = replying(running, b"busy", run=outcome(4, "4096", "4", 1, 250))

    assert Err(FailurePermanent("no")) == permanent.receive(MESSAGE)
    assert Err(FailurePermanent("no")) == permanent.poll()
    assert Err(FailureRetryable(Retry("busy", 250))) == retryable.receive(MESSAGE)
    assert Err(FailureRetryable(Retry("busy", 250))) == retryable.poll()


def test_a_poll_says_when_to_poll_again(running: Running) -> None:
    """
    A pace is milliseconds; without a number there is none.
    """
    run = """(if (i32.ne (local.get $signal) (i32.const 1)) (then unreachable))
    (if (local.get $length) (then unreachable)) {}"""

    assert Ok(1500) == replying(running, b"", run=run.format(outcome(7, has=1, number=1500))).poll()
    assert Ok(None) == replying(running, b"", run=run.format(outcome(7, number=1500))).poll()


PARTS = joined([b"body", b"x-a", b"1"])
HOSTILE = {
    "a verdict": (outcome(0), PARTS),
    "a receipt": (outcome(5, "4096", "4", 1, 1), PARTS),
    "no outcome at all": (outcome(9), PARTS),
    "an outcome outside of the memory": (f"(i32.const {OUT})", PARTS),
    "no status": (outcome(6, "4096", str(len(PARTS))), PARTS),
    "a status beyond": (outcome(6, "4096", str(len(PARTS)), 1, 65_536), PARTS),
    "parts outside of the memory": (outcome(6, OUT, "100", 1, 200), PARTS),
    "parts that are not aligned": (outcome(6, "4098", "8", 1, 200), PARTS),
    "parts of a length that is not theirs": ("", PARTS + b"x"),
    "no body": ("", joined([])),
    "a header without a value": ("", joined([b"", b"x-a"])),
    "a header that is not UTF-8": ("", joined([b"", b"x-a", b"\xff"])),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_malformed_replies_end_the_instance(running: Running, what: str) -> None:
    """
    A reply that cannot be ends the instance as malformed.
    """
    run, data = HOSTILE[what]
    instance = replying(running, data, run=run)

    _ends_as_malformed(instance, lambda: instance.receive(MESSAGE))


@pytest.mark.parametrize(
    "run", [outcome(6, "4096", str(len(PARTS)), 1, 200), outcome(7, has=1, number=1 << 32)]
)
def test_malformed_paces_end_the_instance(running: Running, run: str) -> None:
    """
    A reply to a poll, or a pace of more than can be, ends the instance.
    """
    instance = replying(running, PARTS, run=run)

    _ends_as_malformed(instance, instance.poll)


def _ends_as_malformed(instance: Instance, call: object) -> None:
    assert callable(call)
    with pytest.raises(Fault, match=r"plugin 'guest': its direct form") as caught:
        call()

    assert "malformed" == caught.value.kind
    assert instance.is_dead
