"""
Exporters and receivers in Python, called through their typed exports and the direct form.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from otelwasm.build.instant import runnable
from otelwasm.errors import RetryableError
from otelwasm.plugins._generated.exporting import Receipt
from otelwasm.plugins._generated.http import (
    Error,
    ErrorFailed,
    ErrorRefused,
    ErrorTimeout,
    Request,
    Response,
)
from otelwasm.plugins._generated.receiving import Message, Reply
from otelwasm.plugins._generated.types import Failure, FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.capabilities import Capabilities
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.starting import load
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from otelwasm.testing import a_log_record, a_span, logs, traces
from otelwasm_sdk import Logs

WORLDS = Path(__file__).parent / "worlds"
Lane = Literal["bridge", "direct"]


class Outside:
    """
    An HTTP server that answers as it is told, and values in a dict.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Ok[Response] | Err[Error]] = lambda request: Ok(
            Response(200, (), request.body)
        )
        self.values: dict[str, bytes] = {}
        self.refusal: Failure | None = None

    def send(self, request: Request) -> Ok[Response] | Err[Error]:
        """
        Answer.
        """
        self.requests.append(request)
        return self.answer(request)

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        """
        What is there.
        """
        return Ok(self.values.get(key))

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        """
        Keep it, or not.
        """
        if self.refusal is not None:
            return Err(self.refusal)
        self.values[key] = value
        return Ok(None)

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        """
        Forget it.
        """
        self.values.pop(key, None)
        return Ok(None)


@attrs.define
class Guest:
    """
    An instance on a thread of its own, and what it emitted.
    """

    instance: Any
    thread: ThreadPoolExecutor
    emitted: list[tuple[Signal, bytes]]
    logged: list[str]
    host: Outside
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
    Start one of the plugins, in the runner of its kind.
    """
    sources = runnable(WORLDS / f"{name}.py")
    component = load(sources, name=name, lane=lane)
    with ThreadPoolExecutor(1, thread_name_prefix=name) as thread:
        guest = Guest(None, thread, [], [], Outside())

        def emit(signal: Signal, payload: bytes) -> None:
            if guest.is_busy:
                raise RetryableError("full", after_s=2)
            guest.emitted.append((signal, payload))

        host = Capabilities(
            name,
            emit=emit,
            log=lambda level, message, _: guest.logged.append(f"{level} {message}"),
            meter=None,
            http=guest.host,
            state=guest.host,
        )
        guest.instance = thread.submit(
            lambda: Instance(component, host, memory_bytes=256 << 20, deadline_s=10)
        ).result(60)
        try:
            assert guest.call("load", sources) is None
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
def posting(lane: Lane) -> Iterator[Guest]:
    """
    The exporter that asks an HTTP server and keeps a value.
    """
    yield from start("posting", lane, {})


@pytest.fixture
def delivery(lane: Lane) -> Iterator[Guest]:
    """
    The exporter.
    """
    yield from start("delivery", lane, {"tenant": "acme"})


BOTH = pytest.mark.parametrize("receive", ["receive", "receiving.receive"])


@BOTH
def test_a_receiver_makes_batches_of_messages(webhook: Guest, receive: str) -> None:
    """
    A message is emitted as logs and answered; no reply is an empty one.
    """
    headers = (("x-answer", "é!"),)
    posted = Message("127.0.0.1:5", "POST", "/logs?a=1", headers, b"one\ntwo")

    assert Ok(Reply(201, (("x-taken", "2"),), "é!".encode())) == webhook.call(receive, posted)
    [(signal, payload)] = webhook.emitted
    assert Signal.LOGS == signal
    assert [("one", "127.0.0.1:5"), ("two", "127.0.0.1:5")] == [
        (record.body, record.attributes["peer"]) for record in Logs(payload).log_records()
    ]
    assert Ok(Reply(200, (), b"")) == webhook.call(receive, attrs.evolve(posted, method="GET"))


@BOTH
@pytest.mark.parametrize("body", [b"", b"body", bytes(range(256)) * 2000])
def test_messages_and_replies_cross_whole(webhook: Guest, receive: str, body: bytes) -> None:
    """
    Bodies and headers of any content come in and go out as they are.
    """
    headers = (("x-a", "1"), ("x-a", ""), ("x-b", "é"))
    asked = Message("127.0.0.1:5", "ECHO", "/", headers, body)

    assert Ok(Reply(200, headers, body)) == webhook.call(receive, asked)


@BOTH
def test_a_receiver_hears_that_nobody_takes_its_batch(webhook: Guest, receive: str) -> None:
    """
    A refused emit is raised in the plugin, with the delay.
    """
    webhook.is_busy = True
    posted = Message("p", "POST", "/", (), b"one")

    assert Ok(Reply(503, (("retry-after", "2.0"),), b"")) == webhook.call(receive, posted)


@pytest.mark.parametrize("poll", ["poll", "receiving.poll"])
def test_a_receiver_says_when_to_poll_again(webhook: Guest, poll: str) -> None:
    """
    Seconds become the contract's milliseconds.
    """
    assert Ok(1500) == webhook.call(poll)


@BOTH
def test_a_bug_in_a_receiver_is_logged_and_answered(webhook: Guest, receive: str) -> None:
    """
    What a receiver does not mean is logged with its line; the sender learns nothing of it.
    """
    result = webhook.call(receive, Message("p", "POST", "/", (), b"\xff"))

    reply = Reply(500, (("content-type", "text/plain"),), b"the plugin failed on this message")
    assert Ok(reply) == result
    [line] = webhook.logged
    assert line.startswith("error Traceback (most recent call last):")
    assert 'File "webhook.py", line ' in line
    assert "message.body.decode()" in line
    assert "UnicodeDecodeError" in line


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


SEND = pytest.mark.parametrize("send", ["run", "exporting.send"])


@SEND
def test_an_exporter_posts_and_keeps(posting: Guest, send: str) -> None:
    """
    Requests, responses and values cross whole, in the typed and the direct form.
    """
    large = bytes(logs(*[a_log_record("x" * 1000)] * 300))
    for payload in (large, bytes(logs(a_log_record("small"))), b""):
        assert Ok(Receipt(0, "")) == posting.call(send, Signal.LOGS, payload)
        asked = posting.host.requests.pop()
        expected = Request("POST", "https://example.com/v1", (("x-signal", "logs"),), payload, 2500)
        assert expected == asked
        assert ({"last": payload} if payload else {}) == posting.host.values

    posting.host.answer = lambda _: Ok(Response(503, (("x-why", "é"),), b"busy"))
    assert Ok(Receipt(1, "503 é busy")) == posting.call(send, Signal.LOGS, b"")


FAILING: list[tuple[Error, Failure]] = [
    (ErrorRefused("not listed"), FailurePermanent("not listed")),
    (ErrorFailed("reset"), FailureRetryable(Retry("reset", None))),
    (
        ErrorTimeout(),
        FailureRetryable(Retry("no answer of https://example.com/v1 in time", None)),
    ),
]


@SEND
def test_what_the_host_refuses_is_the_batchs_failure(posting: Guest, send: str) -> None:
    """
    Failures of requests and of the state, let through, are the exporter's own.
    """
    for error, failure in FAILING:
        posting.host.answer = lambda _, error=error: Err(error)  # type: ignore[misc]  # bound
        assert Err(failure) == posting.call(send, Signal.LOGS, b"")
    late = (("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),)
    posting.host.answer = lambda _: Ok(Response(429, late, b"slow"))
    assert Err(FailureRetryable(Retry("the server answered 429: slow", 0))) == posting.call(
        send, Signal.LOGS, b""
    )
    posting.host.answer = lambda _: Ok(Response(204, (), b""))
    for failure in (FailurePermanent("quota"), FailureRetryable(Retry("disk", 1500))):
        posting.host.refusal = failure
        assert Err(failure) == posting.call(send, Signal.LOGS, b"")


def test_bodies_do_not_leak(webhook: Guest, posting: Guest, lane: Lane) -> None:
    """
    Memory stays as it is over thousands of messages, requests, responses and values.
    """
    if lane == "bridge":
        pytest.skip("componentize-py leaks what crosses as lists; the direct form is against that")
    payload = bytes(logs(*[a_log_record("x" * 1000)] * 40))
    asked = Message("127.0.0.1:5", "ECHO", "/", (("x-a", "1"),), payload)
    posted = Message("127.0.0.1:5", "POST", "/", (), payload.hex().encode())

    def turn() -> None:
        assert Ok(Receipt(0, "")) == posting.call("run", Signal.LOGS, payload)
        assert Ok(Reply(200, asked.headers, payload)) == webhook.call("receive", asked)
        webhook.call("receive", posted)
        webhook.call("poll")
        posting.host.requests.clear()
        webhook.emitted.clear()

    for _ in range(200):
        turn()
    before = posting.instance.memory_bytes, webhook.instance.memory_bytes
    for _ in range(2000):
        turn()

    assert before == (posting.instance.memory_bytes, webhook.instance.memory_bytes)
