"""
What a receiver may look like, and what is said of one that looks otherwise.
"""

from typing import Any

import attrs
import pytest

from otelwasm_sdk import Failure, Message, Permanent, Reply, Retryable, Traces, processor, receiver
from otelwasm_sdk.definition import define
from otelwasm_sdk.parts import headers_of, pack, parts_of, unpack
from otelwasm_sdk.runner import AGAIN, PERMANENT, REPLY, RETRYABLE, Outcome
from otelwasm_sdk.signature import DefinitionError
from unit.sdk.running import FakeHost, started


@attrs.frozen
class Config:
    """
    A configuration.
    """

    key: str = "k"


def test_a_plugin_says_which_calls_it_answers() -> None:
    """
    Its methods say it, or what the function takes: a message, or nothing but a configuration.
    """

    @receiver
    class Both:
        def receive(self, message: Message) -> None:
            pass

        def poll(self) -> None:
            pass

        def tick(self) -> None:
            pass

    @receiver
    def webhook(message: Message) -> None:
        pass

    @receiver
    def scrape(config: Config) -> float:
        return len(config.key)

    @processor
    class Processor:
        def process(self, batch: Traces) -> None:
            pass

        def poll(self, when: int) -> None:
            pass

    assert {"receive", "poll", "tick"} == define(Both).calls
    assert {"receive"} == define(webhook).calls
    assert ({"poll"}, Config) == (define(scrape).calls, define(scrape).config_class)
    assert 1 == define(scrape).create(Config()).poll()
    assert frozenset() == define(Processor).calls


def no_message() -> Any:
    """
    A class whose `receive` takes nothing.
    """

    class Wrong:
        def receive(self) -> None:
            pass

    return Wrong, Wrong.receive, "takes no message; write `message: Message`"


def a_text() -> Any:
    """
    A function that takes something else.
    """

    def receive(body: str) -> None:
        pass

    return receive, receive, "the annotation of `body` is `str`; write `message: Message`"


def no_message_annotation() -> Any:
    """
    A function that does not say what it takes.
    """

    def receive(message):  # type: ignore[no-untyped-def]
        pass

    return receive, receive, "`message` has no annotation; write `message: Message`"


def a_message_and_more() -> Any:
    """
    A class whose `receive` is given its configuration.
    """

    class Wrong:
        def receive(self, message: Message, config: Config) -> None:
            pass

    return Wrong, Wrong.receive, "`config` is one parameter too many"


def a_poll_with_a_configuration() -> Any:
    """
    A class whose `poll` is given its configuration.
    """

    class Wrong:
        def poll(self, config: Config) -> None:
            pass

    text = "is called without arguments, but takes `config`; configuration goes to `__init__`"
    return Wrong, Wrong.poll, text


def a_tick_with_a_time() -> Any:
    """
    A class whose `tick` is told the time.
    """

    class Wrong:
        def poll(self) -> None:
            pass

        def tick(self, now: float) -> None:
            pass

    return Wrong, Wrong.tick, "is called without arguments, but takes `now`"


@pytest.mark.parametrize(
    "make",
    [
        no_message,
        a_text,
        no_message_annotation,
        a_message_and_more,
        a_poll_with_a_configuration,
        a_tick_with_a_time,
    ],
)
def test_a_receivers_parameters_are_checked(make: Any) -> None:
    """
    A wrong parameter is named with its function's file and line, and what to write.
    """
    target, method, message = make()
    with pytest.raises(DefinitionError) as raised:
        define(receiver(target))

    line = method.__code__.co_firstlineno
    assert f"test_receivers.py:{line}: {method.__qualname__}: " in str(raised.value)
    assert message in str(raised.value)


MESSAGE = pack(b"p:1", b"POST", "/é".encode(), b"body", b"X-A", b"1", b"x-a", b"")


def test_parts_are_taken_apart_as_they_were_put_together() -> None:
    """
    Any number of byte strings, of any length, in order.
    """
    for parts in ([], [b""], [b"a", b"", bytes(1000)], [b""] * 300):
        assert parts == unpack(pack(*parts))
    assert [("a", "é"), ("a", "")] == headers_of(parts_of([("a", "é"), ("a", "")]))


def test_a_message_is_answered_as_the_direct_form_wants() -> None:
    """
    Parts become a message, and a reply becomes parts with its status.
    """
    seen = []

    @receiver
    def webhook(message: Message) -> Reply:
        seen.append(message)
        return Reply(201, "né", {"X-B": "2"})

    answered = started(webhook).answer(0, MESSAGE)

    assert Outcome(REPLY, pack("né".encode(), b"X-B", b"2"), 201) == answered
    assert [Message(b"body", "p:1", "POST", "/é", (("x-a", "1"), ("x-a", "")))] == seen


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(None, None), (1.5, 1500), (0, 0), (1e300, 2**32 - 1)]
)
def test_a_pace_is_answered_in_milliseconds(seconds: Any, milliseconds: int | None) -> None:
    """
    Seconds become milliseconds, as many as can be said.
    """

    @receiver
    def poll() -> Any:
        return seconds

    assert Outcome(AGAIN, b"", milliseconds) == started(poll).answer(1, b"")


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (Permanent("né"), Outcome(PERMANENT, "né".encode())),
        (Retryable("busy"), Outcome(RETRYABLE, b"busy")),
        (Retryable("busy", after_s=1.5), Outcome(RETRYABLE, b"busy", 1500)),
        (Retryable("busy", after_s=float("inf")), Outcome(RETRYABLE, b"busy", 2**32 - 1)),
    ],
)
def test_failures_of_a_receiver_are_its_senders(failure: Failure, outcome: Outcome) -> None:
    """
    Permanent and Retryable are answered as such, for a message and for a poll.
    """

    @receiver
    class Failing:
        def receive(self, message: Message) -> None:
            raise failure

        def poll(self) -> None:
            raise failure

    assert [outcome, outcome] == [started(Failing).answer(what, MESSAGE) for what in (0, 1)]


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit(3), RecursionError(), ["a list"]])
def test_a_bug_is_logged_and_its_sender_learns_nothing(error: Any) -> None:
    """
    The log has the traceback with the author's line; the sender gets a 500 without internals.
    """

    @receiver
    def webhook(message: Message) -> Any:
        if isinstance(error, BaseException):
            raise error
        return error

    host = FakeHost()
    answered = started(webhook, host=host).answer(0, MESSAGE)

    body = b"the plugin failed on this message"
    assert Outcome(REPLY, pack(body, b"content-type", b"text/plain"), 500) == answered
    [(level, text, _)] = host.calls
    assert "error" == level
    if isinstance(error, BaseException):
        line = webhook.__code__.co_firstlineno + 3
        assert f'test_receivers.py", line {line}, in webhook' in str(text)
    else:
        assert "webhook returned list; it returns a Reply or None" in str(text)


def test_a_bug_in_a_poll_is_a_failure() -> None:
    """
    Nobody waits for a reply to a poll: it fails for good, and says where.
    """

    @receiver
    def poll() -> None:
        raise KeyError("no")

    answered = started(poll).answer(1, b"")

    assert PERMANENT == answered.kind
    assert b"KeyError: 'no' (" in answered.data
