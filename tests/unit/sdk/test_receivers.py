"""
What a receiver may look like, and what is said of one that looks otherwise.
"""

from typing import Any

import attrs
import pytest

from otelwasm_sdk import Message, Traces, processor, receiver
from otelwasm_sdk.definition import define
from otelwasm_sdk.signature import DefinitionError


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
