"""
A trial of a component does what a trial of plain Python does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.building import plugin_in
from otelwasm.build import build
from otelwasm.errors import ComponentError, PluginStartError
from otelwasm.testing import Trial, a_log_record, a_message, a_span, logs, run
from otelwasm_sdk import Permanent, Receipt, Reply, Retryable, http
from otelwasm_sdk.http import Response

WORLDS = Path(__file__).parent / "worlds"
EXAMPLES = Path(__file__).parents[2] / "guests"
Plugin = Callable[..., Any] | Path


def one_of(path: Path, way: str) -> Plugin:
    """
    The plugin at *path* as plain Python, as its file, or as the component made of it.
    """
    return {"plain": plugin_in, "file": Path, "component": build}[way](path)


# A component is what a file is, once it is there: the processors' will do, which are built anyway.
TWO_WAYS = pytest.mark.parametrize("way", ["plain", "file"])
WAYS = pytest.mark.parametrize("way", ["plain", "file", "component"])


@TWO_WAYS
def test_an_exporter_is_tried(way: str) -> None:
    """
    Receipts, requests, responses, values and failures are the same.
    """
    kept: dict[str, bytes] = {"last": b"old"}
    answers: list[Any] = [
        Response(200),
        Response(400, "né", {"X-Why": "bad"}),
        http.TimedOut("no answer of https://a/ in time"),
        http.Failed("reset"),
        http.Refused("not listed"),
    ]
    with Trial(
        one_of(WORLDS / "posting.py", way),
        config={"url": "https://a/"},
        http=lambda _: answers.pop(0),
        state=kept,
    ) as trial:
        assert Receipt() == trial.send(a_log_record())
        assert {"last": bytes(logs(a_log_record()))} == kept
        assert Receipt(1, "400 bad né") == trial.send(a_log_record())
        for error, text in ((Retryable, "in time"), (Retryable, "reset"), (Permanent, "listed")):
            with pytest.raises(error, match=text):
                trial.send(a_log_record())
    assert [("POST", "https://a/", (("x-signal", "logs"),), 2.5)] * 5 == [
        (asked.method, asked.url, asked.headers, asked.timeout_s) for asked in trial.requested
    ]


@TWO_WAYS
def test_a_receiver_is_tried(way: str) -> None:
    """
    Replies, emitted batches, refused ones and the pace of polls are the same.
    """
    with Trial(one_of(WORLDS / "webhook.py", way), config={"status": 201}) as trial:
        posted = a_message("one", target="/a", headers={"X-Answer": "yes"}, peer="p:1")
        assert Reply(201, "yes", {"x-taken": "1"}) == trial.receive(posted)
        assert Reply() == trial.receive(a_message(method="GET"))
        assert 1.5 == trial.poll()
        trial.refuse_with = Retryable("full", after_s=2)
        assert Reply(503, headers={"retry-after": "2.0"}) == trial.receive(posted)
        trial.refuse_with = Permanent("bad")
        with pytest.raises(Permanent, match="bad"):
            trial.receive(posted)
    [batch] = trial.emitted
    [record] = batch.log_records()
    assert ("one", {"peer": "p:1"}) == (record.body, record.attributes)


@WAYS
def test_a_processor_is_tried(way: str) -> None:
    """
    A changed batch, one that passes, and what `stop` emits are the same.
    """
    redact = one_of(EXAMPLES / "redact" / "python" / "plugin.py", way)
    sample = one_of(EXAMPLES / "sample" / "python" / "plugin.py", way)

    changed = run(redact, a_span(attributes={"enduser.id": "ada"}), config={"hash": ["enduser.id"]})
    [span] = changed.spans()
    assert "ada" != span.attributes["enduser.id"]
    with Trial(sample) as trial:
        assert trial.process(a_span(is_error=True)) is None
        trial.tick()
        assert [] == trial.emitted
    assert 1 == sum(len(batch) for batch in trial.emitted)


def test_a_components_mistakes_are_said() -> None:
    """
    A call of another kind, a configuration that does not fit, a file that is not there.
    """
    webhook = WORLDS / "webhook.py"
    with Trial(webhook) as trial:
        with pytest.raises(TypeError, match=r"'webhook' is a receiver: use \.receive\(message\)"):
            trial.send(a_span())
        broken = trial.receive(a_message(b"\xff"))
        assert (500, "error") == (broken.status, trial.logged[0].level)
        assert "UnicodeDecodeError" in trial.logged[0].message
    with pytest.raises(PluginStartError, match=r"config\.stauts: unknown key"):
        Trial(webhook, config={"stauts": 201})
    with pytest.raises(TypeError, match="give a mapping, not a str"):
        Trial(webhook, config="status")
    with pytest.raises(ComponentError, match=r"missing\.wasm"):
        Trial("missing.wasm")


def test_an_error_of_the_tests_own_comes_through() -> None:
    """
    A component is told that its request failed; the test sees what its fake raised.
    """

    def fake(request: object) -> Response:
        raise ZeroDivisionError("in the test")

    with Trial(WORLDS / "posting.py", http=fake, state={}) as trial:
        with pytest.raises(ZeroDivisionError, match="in the test"):
            trial.send(a_log_record())
        trial.http = {"https://example.com/v1": Response()}
        assert Receipt() == trial.send(a_log_record())
