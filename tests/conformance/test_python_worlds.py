"""
Exporters and receivers in Python, called through their typed exports and the direct form.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from otelwasm.build.python import build
from otelwasm.errors import RetryableError
from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.receiving import Message, Reply
from otelwasm.plugins._generated.types import FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.capabilities import Capabilities
from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from otelwasm.testing import a_span, traces
from otelwasm_sdk import Logs

WORLDS = Path(__file__).parent / "worlds"
Lane = Literal["bridge", "direct"]


@attrs.define
class Guest:
    """
    An instance on a thread of its own, and what it emitted.
    """

    instance: Any
    thread: ThreadPoolExecutor
    emitted: list[tuple[Signal, bytes]]
    is_busy: bool = False

    def call(self, name: str, *arguments: object) -> Any:
        """
        Call a function of the instance: `run`, or one of its interfaces as `receiving.poll`.
        """
        function = self.instance
        for part in name.split("."):
            function = getattr(function, part)
        return self.thread.submit(function, *arguments).result(60)


def start(name: str, lane: Lane, config: dict[str, object]) -> Iterator[Guest]:
    """
    Build and start one of the plugins.
    """
    component = Component.load(build(WORLDS / f"{name}.py"), name=name, lane=lane)
    with ThreadPoolExecutor(1, thread_name_prefix=name) as thread:
        guest = Guest(None, thread, [])

        def emit(signal: Signal, payload: bytes) -> None:
            if guest.is_busy:
                raise RetryableError("full", after_s=2)
            guest.emitted.append((signal, payload))

        host = Capabilities(name, emit=emit, log=lambda *_: None, meter=None)
        guest.instance = thread.submit(
            lambda: Instance(component, host, memory_bytes=256 << 20, deadline_s=10)
        ).result(60)
        try:
            started = guest.call("lifecycle.start", json.dumps(config))
            assert isinstance(started, Ok), started
            yield guest
        finally:
            guest.call("close")


@pytest.fixture(params=["direct", "bridge"])
def lane(request: pytest.FixtureRequest) -> Lane:
    """
    Both ways for bytes to cross.
    """
    found: Lane = request.param
    return found


@pytest.fixture
def webhook(lane: Lane) -> Iterator[Guest]:
    """
    The receiver.
    """
    yield from start("webhook", lane, {"status": 201})


@pytest.fixture
def delivery(lane: Lane) -> Iterator[Guest]:
    """
    The exporter.
    """
    yield from start("delivery", lane, {"tenant": "acme"})


def test_a_receiver_makes_batches_of_messages(webhook: Guest) -> None:
    """
    A message is emitted as logs and answered; no reply is an empty one.
    """
    headers = (("x-answer", "é!"),)
    posted = Message("127.0.0.1:5", "POST", "/logs?a=1", headers, b"one\ntwo")

    assert Ok(Reply(201, (("x-taken", "2"),), "é!".encode())) == webhook.call(
        "receiving.receive", posted
    )
    [(signal, payload)] = webhook.emitted
    assert Signal.LOGS == signal
    assert [("one", "127.0.0.1:5"), ("two", "127.0.0.1:5")] == [
        (record.body, record.attributes["peer"]) for record in Logs(payload).log_records()
    ]
    assert Ok(Reply(200, (), b"")) == webhook.call(
        "receiving.receive", attrs.evolve(posted, method="GET")
    )


def test_a_receiver_hears_that_nobody_takes_its_batch(webhook: Guest) -> None:
    """
    A refused emit is raised in the plugin, with the delay.
    """
    webhook.is_busy = True
    posted = Message("p", "POST", "/", (), b"one")

    assert Ok(Reply(503, (("retry-after", "2.0"),), b"")) == webhook.call(
        "receiving.receive", posted
    )


def test_a_receiver_says_when_to_poll_again(webhook: Guest) -> None:
    """
    Seconds become the contract's milliseconds.
    """
    assert Ok(1500) == webhook.call("receiving.poll")


def test_a_bug_in_a_receiver_is_a_permanent_failure(webhook: Guest) -> None:
    """
    What a receiver does not catch fails the message, and names the line.
    """
    result = webhook.call("receiving.receive", Message("p", "POST", "/", (), b"\xff"))

    assert isinstance(result, Err)
    assert isinstance(result.error, FailurePermanent)
    assert "UnicodeDecodeError" in result.error.value
    assert "webhook.py:" in result.error.value


@pytest.mark.parametrize("name", ["run", "exporting.send"])
def test_an_exporter_answers_with_receipts_and_failures(delivery: Guest, name: str) -> None:
    """
    Full and partial success, permanent and retryable failure, in the typed and the direct form.
    """

    def send(*names: str) -> Any:
        return delivery.call(name, Signal.TRACES, bytes(traces(*map(a_span, names))))

    assert Ok(Receipt(0, "")) == send("fine")
    assert Ok(Receipt(2, "spans need names: é")) == send("fine", "", "")
    assert Err(FailurePermanent("acme: bad span")) == send("bad")
    assert Err(FailureRetryable(Retry("the other side is busy", 2000))) == send("busy")
    assert Err(
        FailurePermanent("an exporter cannot emit: it stands at the end of its pipeline")
    ) == send("emit")
    assert Err(FailurePermanent("deliver does not take logs")) == delivery.call(
        name, Signal.LOGS, b""
    )
