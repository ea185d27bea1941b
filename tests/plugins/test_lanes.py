"""
What crosses the boundary arrives as it was, on both lanes.
"""

import pytest

from otelwasm.plugins._generated.http import ErrorFailed, ErrorTimeout, Request, Response
from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.processing import VerdictDrop, VerdictPass, VerdictReplace
from otelwasm.plugins._generated.types import (
    Abilities,
    FailurePermanent,
    FailureRetryable,
    Retry,
)
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.guests import LOG, emitting, processor, replying
from plugins.hosts import Notes
from plugins.opening import Opening

SIZES = (0, 1, 584, 65_536, 428_000, 10_000_000)
# Returns the payload that it got.
ECHO = processor(
    replying(
        "(i32.store8 (i32.const 516) (i32.const 1))",
        "(i32.store (i32.const 520) (local.get $at))",
        "(i32.store (i32.const 524) (local.get $length))",
    )
)
# A failure whose text is the payload: permanent if it is 3 bytes long, else retryable.
FAIL = processor(
    replying(
        "(i32.store8 (i32.const 512) (i32.const 1))",
        "(i32.store8 (i32.const 516) (i32.ne (local.get $length) (i32.const 3)))",
        "(i32.store (i32.const 520) (local.get $at))",
        "(i32.store (i32.const 524) (local.get $length))",
        "(i32.store8 (i32.const 528) (i32.eq (local.get $length) (i32.const 5)))",
        "(i32.store (i32.const 532) (i32.const 1500))",
    )
)


def test_start_returns_the_signals(opening: Opening) -> None:
    """
    The signals that `start` returns arrive as flags.
    """
    instance = opening(ECHO)

    assert Ok(Abilities(127)) == instance.lifecycle.start("{}")


def test_the_lane_that_is_asked_for_is_taken(opening: Opening) -> None:
    """
    A component says which lane it takes, and instances begin alive.
    """
    instance = opening(ECHO)

    assert not instance.is_dead
    assert instance.memory_bytes >= 4 << 16


def test_pass_and_drop_carry_nothing(opening: Opening) -> None:
    """
    A verdict without a payload arrives as its class.
    """
    passing = opening(processor("(call $pass)"))
    dropping = opening(processor(replying("(i32.store8 (i32.const 516) (i32.const 2))")))

    assert Ok(VerdictPass()) == passing.run(Signal.TRACES, b"batch")
    assert Ok(VerdictDrop()) == dropping.run(Signal.TRACES, b"batch")


@pytest.mark.parametrize("size", SIZES)
def test_payloads_come_back_whole(opening: Opening, size: int) -> None:
    """
    A payload of any size comes back byte for byte, again and again.
    """
    instance = opening(ECHO)
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)

    for _ in range(2):
        assert Ok(VerdictReplace(payload)) == instance.run(Signal.LOGS, payload)


def test_failures_arrive_with_all_their_parts(opening: Opening) -> None:
    """
    A permanent failure has its text, a retryable one its reason and its delay, if any.
    """
    instance = opening(FAIL)

    assert Err(FailurePermanent("né")) == instance.run(Signal.LOGS, "né".encode())
    assert Err(FailureRetryable(Retry("busy", None))) == instance.run(Signal.LOGS, b"busy")
    assert Err(FailureRetryable(Retry("later", 1500))) == instance.run(Signal.LOGS, b"later")


@pytest.mark.parametrize("size", SIZES)
def test_emitted_payloads_reach_the_host_whole(opening: Opening, host: Notes, size: int) -> None:
    """
    What a plugin emits reaches the host byte for byte, with its signal.
    """
    instance = opening(emitting())
    payload = b"xyz" * (size // 3)

    assert Ok(VerdictPass()) == instance.run(Signal.PROFILES, payload)
    assert [("emit", Signal.PROFILES, payload)] == host.calls


@pytest.mark.parametrize("size", (0, 10, 100_000, 5_000_000))
def test_answers_reach_the_plugin_whole(opening: Opening, size: int) -> None:
    """
    An answer of any size reaches the plugin, also when a window must grow for it.
    """
    failure = FailureRetryable(Retry("é" * size, 7))
    host = Notes(emit=lambda *_: Err(failure))
    instance = opening(emitting(), host=host)

    assert Err(failure) == instance.run(Signal.TRACES, b"batch")
    assert Err(failure) == instance.run(Signal.TRACES, b"batch")


def test_log_lines_and_measurements_arrive(opening: Opening, host: Notes) -> None:
    """
    Log lines, counters and distributions arrive with texts, numbers and attributes.
    """
    attributes = "(i32.const 64) (i32.const 1)"
    core = processor(
        f"""
    (i32.store (i32.const 64) (local.get $at)) (i32.store (i32.const 68) (i32.const 1))
    (i32.store (i32.const 72) (local.get $at)) (i32.store (i32.const 76) (local.get $length))
    (call $log (i32.const 2) (local.get $at) (local.get $length) {attributes})
    (call $add (local.get $at) (i32.const 1) (f64.const 2.5) {attributes})
    (call $observe (local.get $at) (i32.const 0) (f64.const -0.25) (i32.const 0) (i32.const 0))
    (call $pass)""",
        imports=f"""{LOG}
  (import "otelwasm:plugin/meter@0.1.0" "add" (func $add (param i32 i32 f64 i32 i32)))
  (import "otelwasm:plugin/meter@0.1.0" "observe" (func $observe (param i32 i32 f64 i32 i32)))
""",
    )

    assert Ok(VerdictPass()) == opening(core).run(Signal.TRACES, "aé".encode())
    assert [
        ("write", Level.WARN, "aé", (("a", "aé"),)),
        ("add", "a", 2.5, (("a", "aé"),)),
        ("observe", "", -0.25, ()),
    ] == host.calls


@pytest.mark.parametrize("size", (0, 1000, 3_000_000))
def test_state_keeps_values(opening: Opening, host: Notes, size: int) -> None:
    """
    A value that a plugin keeps is the one that it gets back.
    """
    core = processor(
        f"""
    (i32.store8 (i32.const 64) (i32.const 107))
    (call $set (i32.const 64) (i32.const 1) (local.get $at) (local.get $length) (i32.const 768))
    (call $get (i32.const 64) (i32.const 1) (i32.const 768))
    {
            replying(
                "(i32.store8 (i32.const 516) (i32.load8_u (i32.const 772)))",
                "(i64.store align=4 (i32.const 520) (i64.load align=4 (i32.const 776)))",
            )
        }""",
        imports="""
  (import "otelwasm:plugin/state@0.1.0" "get" (func $get (param i32 i32 i32)))
  (import "otelwasm:plugin/state@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
  (import "otelwasm:plugin/state@0.1.0" "delete" (func $delete (param i32 i32 i32)))
""",
    )
    value = b"v" * size

    assert Ok(VerdictReplace(value)) == opening(core).run(Signal.TRACES, value)
    assert {"k": value} == host.values


HTTP = processor(
    """
    (i32.store (i32.const 64) (local.get $at)) (i32.store (i32.const 68) (i32.const 1))
    (i32.store (i32.const 72) (local.get $at)) (i32.store (i32.const 76) (i32.const 2))
    (call $send (local.get $at) (i32.const 3) (local.get $at) (i32.const 4)
      (i32.const 64) (i32.const 1) (local.get $at) (local.get $length)
      (i32.const 250) (i32.const 768))
    (drop (call $pass))
    (i32.store8 (i32.const 516) (i32.const 1))
    (if (i32.load8_u (i32.const 768))
      (then (i32.store (i32.const 520) (i32.add (i32.const 48) (i32.load8_u (i32.const 772))))
        (i32.store (i32.const 0) (i32.load (i32.const 520)))
        (i32.store (i32.const 520) (i32.const 0)) (i32.store (i32.const 524) (i32.const 1)))
      (else (i64.store align=4 (i32.const 520) (i64.load align=4 (i32.const 784)))))
    (i32.const 512)""",
    imports="""
  (import "otelwasm:plugin/http@0.1.0" "send"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
""",
)


def test_http_requests_and_responses_arrive(opening: Opening, host: Notes) -> None:
    """
    A request reaches the host with all its parts, and the response's body the plugin.
    """
    host.response = Ok(Response(201, (("x", "y"), ("z", "é")), b"the body"))

    result = opening(HTTP).run(Signal.TRACES, b"post")

    assert Ok(VerdictReplace(b"the body")) == result
    assert [("send", Request("pos", "post", (("p", "po"),), b"post", 250))] == host.calls


def test_http_errors_arrive(opening: Opening, host: Notes) -> None:
    """
    The case of an error reaches the plugin.
    """
    instance = opening(HTTP)
    host.response = Err(ErrorTimeout())

    assert Ok(VerdictReplace(b"1")) == instance.run(Signal.TRACES, b"post")

    host.response = Err(ErrorFailed("no route"))

    assert Ok(VerdictReplace(b"2")) == instance.run(Signal.TRACES, b"post")
