"""
A `Trial` leads exporters and receivers through their life, and plays http and state for them.
"""

from typing import Any

import pytest

from otelwasm.testing import Trial, a_log_record, a_message, a_span
from otelwasm_sdk import (
    Logs,
    Message,
    Permanent,
    Receipt,
    Reply,
    Retryable,
    Traces,
    emit,
    exporter,
    http,
    processor,
    receiver,
    state,
)
from otelwasm_sdk.http import Request, Response


@exporter
def post(batch: Logs) -> Receipt | None:
    """
    Post each batch, and say what came back.
    """
    answer = http.post("https://example.com/logs", bytes(batch), headers={"x-kind": "logs"})
    if answer.status == 200:
        return None
    return Receipt(len(batch), answer.text())


@receiver
class Lines:
    """
    Counts what came, in its state.
    """

    def receive(self, message: Message) -> Reply | None:
        """
        Emit a record for a body.
        """
        if not message.body:
            return None
        batch = Logs()
        batch.proto.resource_logs.add().scope_logs.add().log_records.add().body.string_value = (
            message.body.decode()
        )
        emit(batch)
        return Reply(202, message.target, {"x-peer": message.peer})

    def poll(self) -> float | None:
        """
        Count.
        """
        count = int(state.get("count") or b"0") + 1
        state.set("count", str(count).encode())
        if count == 3:
            state.delete("count")
        return 0.5 if count == 2 else None


@processor
def nop(batch: Traces) -> Traces:
    """
    Pass.
    """
    return batch


def test_an_exporter_asks_the_fake() -> None:
    """
    A function answers requests, which the trial keeps.
    """
    statuses = [200, 429]
    trial = Trial(post, http=lambda request: Response(statuses.pop(0), "slow down"))

    assert Receipt() == trial.send(a_log_record())
    assert Receipt(1, "slow down") == trial.send(a_log_record())
    assert ["POST https://example.com/logs logs"] * 2 == [
        f"{asked.method} {asked.url} {asked.header('X-Kind')}" for asked in trial.requested
    ]
    assert "hello" == Logs(trial.requested[0].body).log_records()[0].body


@pytest.mark.parametrize(
    ("fake", "error", "text"),
    [
        (None, http.Refused, "`http` is not granted"),
        ({"https://other/": Response()}, http.Refused, "example.com/logs is not among .*other"),
        ({"https://example.com/logs": http.TimedOut("late")}, http.TimedOut, "late"),
        ({"https://example.com/logs": http.Failed("reset")}, Retryable, "reset"),
        (lambda request: b"200", TypeError, "an http.Response, not bytes"),
    ],
)
def test_requests_fail_as_the_test_wants(fake: Any, error: type[Exception], text: str) -> None:
    """
    Without an answer a request is refused; an exception as an answer is raised in the plugin.
    """
    with pytest.raises(error, match=text):
        Trial(post, http=fake).send(a_log_record())


def test_a_receiver_receives_and_polls() -> None:
    """
    Messages are answered; what is kept can be looked at; no reply is an empty one.
    """
    kept: dict[str, bytes] = {}
    with Trial(Lines, state=kept) as trial:
        assert Reply(202, "/a", {"x-peer": "1.2.3.4:5"}) == trial.receive(
            a_message("one", target="/a", peer="1.2.3.4:5")
        )
        assert Reply() == trial.receive(a_message())
        assert [None, 0.5] == [trial.poll(), trial.poll()]
        assert {"count": b"2"} == kept
        trial.poll()
        assert {} == kept
        trial.refuse_with = Retryable("full")
        with pytest.raises(Retryable, match="full"):
            trial.receive(a_message("two"))
    assert ["one"] == [record.body for batch in trial.emitted for record in batch.log_records()]


def test_what_is_not_granted_is_refused() -> None:
    """
    A trial without state refuses as a host would that does not grant it.
    """
    with pytest.raises(Permanent, match="`state` is not granted"):
        Trial(Lines).poll()


@pytest.mark.parametrize("result", ["1", True, -1, float("inf"), float("nan")])
def test_a_pace_is_a_number_of_seconds(result: Any) -> None:
    """
    What `poll` returns is checked, and named if it is wrong.
    """

    @receiver
    def poll() -> Any:
        return result

    with pytest.raises((TypeError, ValueError), match=r"poll returned .*; it returns the seconds"):
        Trial(poll).poll()


def test_a_plugin_is_asked_only_for_what_it_has() -> None:
    """
    A receiver that only polls refuses messages for good.
    """

    @receiver
    def watch() -> None:
        pass

    with pytest.raises(Permanent, match="watch has no receive"):
        Trial(watch).receive(a_message())


@pytest.mark.parametrize(
    ("plugin", "method", "argument", "text"),
    [
        (post, "process", a_log_record(), r"'post' is an exporter: use \.send\(batch\)"),
        (nop, "send", a_span(), r"'nop' is a processor: use \.process\(batch\)"),
        (Lines, "process", a_span(), r"'Lines' is a receiver: use \.receive\(message\) or \.poll"),
        (Lines, "receive", "text", r"give a Message, as a_message\(\.\.\.\), not a str"),
        (post, "send", "text", "give a batch, a span, .* not a str"),
    ],
)
def test_a_wrong_call_says_which_is_right(
    plugin: Any, method: str, argument: Any, text: str
) -> None:
    """
    A plugin of another kind, or an argument of another type, is said with the remedy.
    """
    with pytest.raises(TypeError, match=text):
        getattr(Trial(plugin), method)(argument)


@pytest.mark.parametrize(
    "call",
    [
        lambda: state.set("key", "text"),  # type: ignore[arg-type]  # that is refused
        lambda: state.get(b"key"),  # type: ignore[arg-type]  # that is refused
        lambda: http.get(b"https://a/"),  # type: ignore[arg-type]  # that is refused
    ],
)
def test_wrong_arguments_are_refused(call: Any) -> None:
    """
    Types are checked before anything crosses.
    """

    @receiver
    class Wrong:
        def poll(self) -> None:
            call()

    with pytest.raises(TypeError, match=r"not (str|bytes)"):
        Trial(Wrong, http={}, state={}).poll()


def test_a_request_is_what_the_plugin_said() -> None:
    """
    Method, headers, body and timeout arrive as they were given.
    """

    @receiver
    class Asking:
        def poll(self) -> None:
            http.request("PUT", "https://a/", headers=[("x", "y")], body="b", timeout_s=2)

    trial = Trial(Asking, http={"https://a/": Response()})
    trial.poll()

    assert [Request("PUT", "https://a/", (("x", "y"),), b"b", 2)] == trial.requested
