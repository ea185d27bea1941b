"""
What a plugin asks of the host with integers only arrives, is answered, and is believed as little.
"""

import struct
from typing import Any

import pytest

from otelwasm.plugins._generated.http import (
    Error,
    ErrorFailed,
    ErrorRefused,
    ErrorTimeout,
    Request,
    Response,
)
from otelwasm.plugins._generated.processing import VerdictDrop, VerdictPass, VerdictReplace
from otelwasm.plugins._generated.types import Failure, FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.component import Component
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.parts import joined
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.direct_guests import CALL, OUT, Running, guest, outcome
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES
from plugins.wat import component

EMIT, SEND, GET, SET, DELETE = range(5)
PASS, REPLACE, DROP, PERMANENT, RETRYABLE, _, REPLY, _, TIMED_OUT = range(9)
BUSY = FailureRetryable(Retry("busy", 9))


def asking(function: int, number: str = "0", *, more: str = "") -> str:
    """
    Calls a function with the payload; replaces it by the outcome and the data behind it.
    """
    run = f"""(local $answered i32)
    (local.set $answered (call $call (i32.const {function}) (i32.const {number})
      (i32.const 2097152) (local.get $length) (i32.const 1024)))
    (if (local.get $answered) (then
      (if (i32.ne (call $answer (i32.const 1048)) (local.get $answered)) (then unreachable))))
    {more}
    {outcome(1, "1024", "(i32.add (i32.const 24) (local.get $answered))")}"""
    return guest(run, imports=CALL)


def asked(instance: Instance, data: bytes) -> tuple[int, bytes, int | None]:
    """
    The kind, the data and the number that the host answers.
    """
    result = instance.run(Signal.TRACES, data)
    assert isinstance(result, Ok)
    assert isinstance(result.value, VerdictReplace)
    found = result.value.value
    kind, at, length, has_number, number = struct.unpack_from("<IIIIQ", found)
    assert (0, length) == (at, len(found) - 24)
    return kind, found[24:], number if has_number else None


def test_emit_takes_payloads(running: Running) -> None:
    """
    What a plugin emits reaches the host whole, with its signal.
    """
    host = Notes()
    payload = b"p" * 428_000

    assert (PASS, b"", None) == asked(running(asking(EMIT, "1"), host=host), payload)
    assert [("emit", Signal.METRICS, payload)] == host.calls


@pytest.mark.parametrize("lane", ("bridge", "direct"))
def test_calls_work_beside_the_typed_form(lane: Any) -> None:
    """
    A plugin that is called in the typed form may call with integers only, on both lanes.
    """
    core = guest(outcome(0), imports=CALL).replace(
        "(param i32 i32 i32) (result i32) unreachable",
        """(param i32 i32 i32) (result i32)
        (drop (call $call (i32.const 0) (local.get 0) (local.get 1) (local.get 2)
          (i32.const 1024)))
        (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
        (i32.const 512)""",
    )
    loaded = Component.load(component(core, "python-processor"), name="guest", lane=lane)
    host = Notes()
    with Instance(loaded, host, memory_bytes=LIMIT_BYTES, deadline_s=10.0) as instance:
        assert Ok(VerdictPass()) == instance.processing.process(Signal.LOGS, b"payload")

    assert [("emit", Signal.LOGS, b"payload")] == host.calls


@pytest.mark.parametrize(
    ("failure", "answer"),
    [
        (FailurePermanent("né"), (PERMANENT, "né".encode(), None)),
        (FailurePermanent("x" * 10_000), (PERMANENT, b"x" * 10_000, None)),
        (FailurePermanent(""), (PERMANENT, b"", None)),
        (FailureRetryable(Retry("full", None)), (RETRYABLE, b"full", None)),
        (BUSY, (RETRYABLE, b"busy", 9)),
    ],
)
def test_emits_failures_arrive(
    running: Running, failure: Failure, answer: tuple[int, bytes, int | None]
) -> None:
    """
    A failure reaches the plugin with its reason and its delay.
    """
    host = Notes(emit=lambda *_: Err(failure))

    assert answer == asked(running(asking(EMIT), host=host), b"payload")


def test_an_exporter_cannot_emit(running: Running) -> None:
    """
    A guest of the exporter's world that calls emit all the same is refused.
    """
    run = """
    (drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1024)))
    (drop (call $answer (i32.const 2048))) (i32.store (i32.const 1028) (i32.const 2048))
    (i32.const 1024)"""
    host = Notes()
    instance = running(guest(run, imports=CALL, world="exporter"), "exporter", host)

    result = instance.run(Signal.TRACES, b"payload")

    assert (
        Err(FailurePermanent("an exporter cannot emit: it stands at the end of its pipeline"))
        == result
    )
    assert [] == host.calls


def test_requests_are_sent_and_answered(running: Running) -> None:
    """
    A request and its response cross whole.
    """
    host = Notes()
    body = bytes(range(256)) * 200
    host.response = Ok(Response(429, (("retry-after", "2"), ("x", "é")), body))
    sent = joined([b"POST", b"https://a/", body, b"x-a", "é".encode(), b"x-a", b""])

    kind, data, number = asked(running(asking(SEND, "1500"), host=host), sent)

    assert (REPLY, 429) == (kind, number)
    assert joined([body, b"retry-after", b"2", b"x", "é".encode()]) == data
    request = Request("POST", "https://a/", (("x-a", "é"), ("x-a", "")), body, 1500)
    assert [("send", request)] == host.calls


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ErrorRefused("not allowed"), PERMANENT, b"not allowed"),
        (ErrorFailed("reset"), RETRYABLE, b"reset"),
        (ErrorTimeout(), TIMED_OUT, b""),
    ],
)
def test_requests_fail(running: Running, error: Error, kind: int, text: bytes) -> None:
    """
    Each reason for which there is no response has its own kind.
    """
    host = Notes()
    host.response = Err(error)
    instance = running(asking(SEND), host=host)

    assert (kind, text, None) == asked(instance, joined([b"GET", b"https://a/", b""]))


def test_state_is_kept(running: Running) -> None:
    """
    Values are set, found, and forgotten; an empty one is a value.
    """
    host = Notes()
    get, set_, delete = (running(asking(each), host=host) for each in (GET, SET, DELETE))
    large = b"v" * 428_000

    assert (DROP, b"", None) == asked(get, "é".encode())
    for value in (large, b""):
        assert (PASS, b"", None) == asked(set_, joined(["é".encode(), value]))
        assert (REPLACE, value, None) == asked(get, "é".encode())
    assert (PASS, b"", None) == asked(delete, "é".encode())
    assert (DROP, b"", None) == asked(get, "é".encode())


@pytest.mark.parametrize("function", [GET, SET, DELETE])
def test_state_fails(running: Running, function: int) -> None:
    """
    What the host refuses reaches the plugin.
    """

    class Refusing(Notes):
        def get(self, key: str) -> Any:
            return Err(BUSY)

        set = get  # type: ignore[assignment]  # a refusal whatever is asked

        def delete(self, key: str) -> Any:
            return Err(BUSY)

    Refusing.set = lambda self, key, value: Err(BUSY)  # type: ignore[method-assign,assignment]  # as above
    data = joined([b"key", b"value"]) if function == SET else b"key"

    assert (RETRYABLE, b"busy", 9) == asked(running(asking(function), host=Refusing()), data)


def test_an_exception_of_the_host_becomes_a_failure(running: Running) -> None:
    """
    A host function that raises is answered as its own failure, and counted.
    """

    class Broken(Notes):
        def send(self, request: Request) -> Any:
            raise OSError("gone")

        get = emit = delete = send  # type: ignore[assignment]  # whatever is asked

    for function, kind in ((EMIT, PERMANENT), (GET, PERMANENT), (DELETE, PERMANENT)):
        instance = running(asking(function), host=Broken())
        kind_, data, _ = asked(instance, b"key")

        assert (kind, 1) == (kind_, instance.host_errors)
        assert data.startswith((b"OSError", b"TypeError"))
    instance = running(asking(SEND), host=Broken())
    assert (RETRYABLE, b"OSError: gone", None) == asked(instance, joined([b"GET", b"u", b""]))


@pytest.mark.parametrize(
    "response",
    [
        Response(200, (), "text"),  # type: ignore[arg-type]  # a bug of the host's
        Response(-1, (), b""),
        Response("200", (), b""),  # type: ignore[arg-type]  # a bug of the host's
        Response(200, (("a", None),), b""),  # type: ignore[arg-type]  # a bug of the host's
    ],
)
def test_an_answer_that_cannot_be_ends_the_instance(running: Running, response: Response) -> None:
    """
    What the host's own code gives and the form cannot hold is a fault, and counted.
    """
    host = Notes()
    host.response = Ok(response)
    instance = running(asking(SEND), host=host)

    with pytest.raises(Fault, match="the host answered what cannot be passed on"):
        instance.run(Signal.TRACES, joined([b"GET", b"https://a/", b""]))

    assert 1 == instance.host_errors


BAD_CALLS = {
    "a function that does not exist": "5) (i32.const 0) (i32.const 0) (i32.const 1",
    "a signal that does not exist": "0) (i32.const 4) (i32.const 0) (i32.const 1",
    "a payload outside": f"0) (i32.const 0) (i32.const {OUT}) (i32.const 100",
    "a payload longer than all": "0) (i32.const 0) (i32.const 0) (i32.const -1",
    "a key outside": f"2) (i32.const 0) (i32.const {OUT}) (i32.const 100",
    "a key that is not UTF-8": "2) (i32.const 0) (i32.const 64) (i32.const 1",
    "a key to delete that is not UTF-8": "4) (i32.const 0) (i32.const 64) (i32.const 1",
    "parts outside": f"1) (i32.const 0) (i32.const {OUT}) (i32.const 100",
    "parts longer than all": "1) (i32.const 0) (i32.const 0) (i32.const -4",
    "parts that are not aligned": "1) (i32.const 0) (i32.const 66) (i32.const 100",
}


@pytest.mark.parametrize("what", BAD_CALLS)
def test_malformed_calls_end_the_instance(running: Running, what: str) -> None:
    """
    A call with an offset or a number that cannot be ends the instance.
    """
    run = f"""(i32.store8 (i32.const 64) (i32.const 255))
    (drop (call $call (i32.const {BAD_CALLS[what]}) (i32.const 1024))) {outcome(0)}"""

    _ends_as_malformed(running(guest(run, imports=CALL)), b"payload")


@pytest.mark.parametrize("at", [OUT, "1028", "0xfffff8"])
def test_a_malformed_place_for_an_outcome_ends_the_instance(running: Running, at: str) -> None:
    """
    An outcome is not written outside of the memory, nor where it is not aligned.
    """
    run = f"""(drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)
      (i32.const {at}))) {outcome(0)}"""

    _ends_as_malformed(running(guest(run, imports=CALL)), b"payload")


@pytest.mark.parametrize("at", [OUT, "0xffffff"])
def test_a_malformed_place_for_an_answer_ends_the_instance(running: Running, at: str) -> None:
    """
    An answer is not written outside of the memory.
    """
    host = Notes()
    host.values["payload"] = b"value"
    core = asking(GET).replace("(i32.const 1048)", f"(i32.const {at})")

    _ends_as_malformed(running(core, host=host), b"payload")


BAD_PARTS = {
    "nothing": b"",
    "less than a number": b"\1\0\0",
    "too few": joined([b"GET", b"https://a/"]),
    "more than there are": struct.pack("<4I", 4, 0, 0, 0),
    "as many as can be said": struct.pack("<4I", 2**32 - 1, 0, 0, 0),
    "longer than they are": struct.pack("<4I", 3, 1, 0, 0),
    "much longer than they are": struct.pack("<4I", 3, 2**32 - 1, 2**32 - 1, 2) + b"a",
    "shorter than they are": joined([b"GET", b"https://a/", b""]) + b"a",
    "a method that is not UTF-8": joined([b"\xff", b"https://a/", b""]),
    "a header without a value": joined([b"GET", b"https://a/", b"", b"name"]),
    "a header that is not UTF-8": joined([b"GET", b"https://a/", b"", b"name", b"\xff"]),
}


@pytest.mark.parametrize("what", BAD_PARTS)
def test_malformed_parts_end_the_instance(running: Running, what: str) -> None:
    """
    Parts that do not fill exactly what they lie in, or are not what they should, are refused.
    """
    _ends_as_malformed(running(asking(SEND)), BAD_PARTS[what])


def test_many_parts_are_within_the_budget(running: Running) -> None:
    """
    Empty parts cost the host more than the plugin: they count as more than their bytes.
    """
    parts = struct.pack("<I", 1 << 20) + bytes(4 << 20)

    _ends_as_malformed(running(asking(SEND)), parts, "beyond the memory limit")


def test_an_answer_is_given_once(running: Running) -> None:
    """
    What was answered is there until it is fetched, or until the next call.
    """
    host = Notes()
    host.values["payload"] = b"value"
    again = """(if (call $answer (i32.const 4096)) (then unreachable))
    (if (i32.load (i32.const 4096)) (then unreachable))"""

    assert (REPLACE, b"value", None) == asked(
        running(asking(GET, more=again), host=host), b"payload"
    )


def _ends_as_malformed(instance: Instance, payload: bytes, why: str = "malformed") -> None:
    with pytest.raises(Fault, match=r"plugin 'guest': it called the host") as caught:
        instance.run(Signal.TRACES, payload)

    assert "malformed" == caught.value.kind
    assert why in str(caught.value)
    assert instance.is_dead


def test_a_drop_beside_calls(running: Running) -> None:
    """
    A plugin that emits and drops does both.
    """
    run = f"""(drop (call $call (i32.const 0) (local.get $signal) (i32.const 2097152)
      (local.get $length) (i32.const 1024))) {outcome(2)}"""
    host = Notes()

    assert Ok(VerdictDrop()) == running(guest(run, imports=CALL), host=host).run(
        Signal.LOGS, b"payload"
    )
    assert [("emit", Signal.LOGS, b"payload")] == host.calls


def test_a_call_while_it_is_instantiated_is_refused(running: Running) -> None:
    """
    Nobody can look into the memory of a plugin that calls before it is there.
    """
    begin = """(func $begin (drop (call $call (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 1) (i32.const 1024))))
    (start $begin)"""

    with pytest.raises(Fault, match="something, before it was ready") as caught:
        running(guest(outcome(0), imports=CALL) + begin)

    assert "malformed" == caught.value.kind
