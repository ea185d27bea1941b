"""
Prove what a Plugin of the world `receiver` promises: messages, polls, and what it emits.
"""

import threading
from concurrent.futures import wait

import pytest

from otelwasm import (
    Limits,
    Message,
    PermanentError,
    Plugin,
    PluginFaultError,
    Reply,
    RetryableError,
    Signal,
)
from plugins.guests import EMIT, MIRROR, processor, receiver, relaying
from plugins.wat import component

RELAY = component(relaying(), world="receiver")
# Emits its message and traps.
EMIT_THEN_TRAP = component(
    EMIT
    + receiver(
        """
    (call $emit (i32.const 2) (local.get $body) (local.get $body_length) (i32.const 768))
    unreachable"""
    ),
    world="receiver",
)
# Says how many calls of `poll` its instance had before, in milliseconds.
COUNTING = component(
    "(global $polls (mut i32) (i32.const 0))"
    + receiver(
        "unreachable",
        """
    (i64.store (i32.const 512) (i64.const 0)) (i32.store8 (i32.const 516) (i32.const 1))
    (i32.store (i32.const 520) (global.get $polls))
    (global.set $polls (i32.add (global.get $polls) (i32.const 1000))) (i32.const 512)""",
    ),
    world="receiver",
)


def test_a_message_is_answered() -> None:
    """
    A message's parts reach the guest, and its reply comes back with status, headers and body.
    """
    headers = (("content-type", "text/plain"), ("x", ""))

    with Plugin(component(MIRROR, world="receiver")) as plugin:
        reply = plugin.receive(Message(b"hello", "1.2.3.4:5", "POST", "/a?b", headers))

    assert Reply(202, b"hello", headers) == reply


def test_what_a_receiver_emits_is_taken_before_it_answers() -> None:
    """
    A batch emitted for a message is handed on while the sender waits.
    """
    emitted: list[tuple[Signal, bytes]] = []

    with Plugin(RELAY, emit=lambda *batch: emitted.append(batch)) as plugin:
        reply = plugin.receive(Message(b"batch"))

    assert Reply(202, b"batch") == reply
    assert [(Signal.LOGS, b"batch")] == emitted


def test_failures_downstream_pass_through_the_guest() -> None:
    """
    What `emit` raises is the guest's to hand on, as permanent or retryable and with its delay.
    """
    failures: list[Exception] = [PermanentError("no"), RetryableError("full", after_s=2)]

    def emit(_: Signal, __: bytes) -> None:
        raise failures.pop(0)

    with Plugin(RELAY, name="relay", emit=emit) as plugin:
        with pytest.raises(PermanentError, match="plugin 'relay': no"):
            plugin.receive(Message(b"a"))
        with pytest.raises(RetryableError, match="plugin 'relay': full") as caught:
            plugin.receive(Message(b"b"))

    assert 2.0 == caught.value.after_s


def test_a_message_is_tried_in_a_second_instance() -> None:
    """
    A message that ends two instances is a fault; what it emitted before came at least once.
    """
    emitted: list[bytes] = []

    with Plugin(EMIT_THEN_TRAP, emit=lambda _, payload: emitted.append(payload)) as plugin:
        with pytest.raises(PluginFaultError) as caught:
            plugin.receive(Message(b"x"))
        faults = plugin.stats.faults

    assert "trap" == caught.value.kind
    assert {"trap": 2} == faults
    assert [b"x", b"x"] == emitted


def test_instances_that_wait_in_emit_do_not_hold_each_other_up() -> None:
    """
    Each instance waits in `emit` on a thread of its own: all of them may at the same time.
    """
    together = threading.Barrier(3)

    with Plugin(RELAY, instances=3, emit=lambda *_: together.wait(10) and None) as plugin:
        replies = [plugin.submit_receive(Message(b"x")) for _ in range(3)]
        done, _ = wait(replies, 20)

    assert 3 == len(done)
    assert [202] * 3 == [reply.result().status for reply in replies]


def test_time_in_emit_is_not_the_guests() -> None:
    """
    A slow pipeline does not use up the guest's deadline.
    """
    slow = threading.Event()

    def emit(_: Signal, __: bytes) -> None:
        slow.wait(0.3)

    with Plugin(RELAY, limits=Limits(deadline_s=0.1), emit=emit) as plugin:
        reply = plugin.receive(Message(b"x"))

    assert 202 == reply.status


def test_polls_stay_in_one_instance() -> None:
    """
    However many instances there are, one of them polls, and its pace is told in seconds.
    """
    with Plugin(COUNTING, instances=2) as plugin:
        paces = [plugin.poll() for _ in range(3)]

    assert [0.0, 1.0, 2.0] == paces


def test_a_poll_without_a_pace_is_none() -> None:
    """
    A plugin that does not say when to call again leaves that to the configuration.
    """
    with Plugin(RELAY) as plugin:
        pace = plugin.poll()

    assert pace is None


def test_a_processor_receives_nothing() -> None:
    """
    Asking a plugin of another world is a mistake of the program.
    """
    with Plugin(component(processor("(call $pass)")), name="p") as plugin:
        with pytest.raises(ValueError, match="plugin 'p' is no receiver: its world is 'processor'"):
            plugin.receive(Message(b""))
        with pytest.raises(ValueError, match="no receiver"):
            plugin.poll()
