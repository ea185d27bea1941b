"""
Whatever a plugin does or raises, its host gets an outcome.
"""

from collections.abc import Callable
from typing import Any

import pytest

from otelwasm_sdk import (
    Logs,
    Permanent,
    Retryable,
    Signal,
    Traces,
    processor,
)
from otelwasm_sdk.definition import define
from otelwasm_sdk.runner import (
    DROP,
    PASS,
    PERMANENT,
    REPLACE,
    RETRYABLE,
    Outcome,
)
from unit.sdk.running import PAYLOAD, FakeHost, started


def outcome_of(function: Callable[[Traces], Any], payload: bytes = PAYLOAD) -> Outcome:
    """
    What becomes of a batch in a processor that does *function*.
    """

    @processor
    def plugin(batch: Traces) -> Any:
        return function(batch)

    return started(plugin).run(Signal.TRACES, payload)


def renamed(batch: Traces) -> Traces:
    """
    Change the first span.
    """
    batch.spans()[0].name = "new"
    return batch


def test_an_unchanged_batch_passes() -> None:
    """
    Returning the batch after reading it, or after a change that changed nothing, is a pass.
    """

    def read(batch: Traces) -> Traces:
        assert ["a", "b"] == [span.name for span in batch.spans()]
        return batch

    def same(batch: Traces) -> Traces:
        batch.spans()[0].name = "a"
        return batch

    def exposed(batch: Traces) -> Traces:
        assert batch.proto.resource_spans
        return batch

    for function in (lambda batch: batch, read, same, exposed):
        assert Outcome(PASS) == outcome_of(function)


def test_a_changed_batch_replaces() -> None:
    """
    A change through a view, through protobuf or by another batch replaces the payload.
    """

    def proto(batch: Traces) -> Traces:
        batch.proto.resource_spans[0].scope_spans[0].spans[0].name = "new"
        return batch

    for function in (renamed, proto, lambda batch: renamed(Traces(bytes(batch)))):
        outcome = outcome_of(function)

        assert REPLACE == outcome.kind
        assert ["new", "b"] == [span.name for span in Traces(outcome.data).spans()]


def test_none_and_an_emptied_batch_are_dropped() -> None:
    """
    None sends nothing on, and so does a batch that the plugin emptied.
    """

    def emptied(batch: Traces) -> Traces:
        batch.drop(lambda span: True)
        return batch

    assert Outcome(DROP) == outcome_of(lambda batch: None)
    assert Outcome(DROP) == outcome_of(emptied)


def test_an_empty_batch_passes() -> None:
    """
    A batch that came without items goes on as it came.
    """
    assert Outcome(PASS) == outcome_of(lambda batch: batch, b"")


def test_failures_say_what_the_plugin_says() -> None:
    """
    Permanent and Retryable become outcomes with their reason and their delay.
    """

    def permanent(batch: Traces) -> Traces:
        raise Permanent("bad tenant")

    def retryable(batch: Traces) -> Traces:
        raise Retryable("queue full", after_s=1.5)

    assert Outcome(PERMANENT, b"bad tenant") == outcome_of(permanent)
    assert Outcome(RETRYABLE, b"queue full", 1500) == outcome_of(retryable)


def test_a_malformed_payload_is_a_permanent_failure() -> None:
    """
    Bytes that are no message of their signal fail with what is wrong with them.
    """
    outcome = outcome_of(renamed, b"\xff\xff")

    assert PERMANENT == outcome.kind
    assert outcome.data.startswith(b"malformed traces payload: ")


def test_an_exception_names_the_authors_line() -> None:
    """
    The sender gets one line with file and line; the log all of the author's frames and no others.
    """

    @processor
    def plugin(batch: Traces) -> Traces:
        for span in batch.spans():
            divide(span)
        return batch

    def divide(span: Any) -> None:
        span.attributes["x"] = 1 / 0

    host = FakeHost()
    outcome = started(plugin, host=host).run(Signal.TRACES, PAYLOAD)
    line = divide.__code__.co_firstlineno + 1

    assert PERMANENT == outcome.kind
    summary = outcome.data.decode()
    assert summary == f"ZeroDivisionError: division by zero ({__file__}:{line} in divide)"
    [(level, text, attributes)] = host.calls
    assert ("error", ()) == (level, attributes)
    assert f'File "{__file__}", line {line}, in divide' in str(text)
    assert "1 / 0" in str(text)
    assert 2 == str(text).count("File ")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), RecursionError("deep")])
def test_nothing_that_is_raised_gets_out(error: BaseException) -> None:
    """
    Even what ends a program is a permanent failure of one batch.
    """

    def plugin(batch: Traces) -> Traces:
        raise error

    outcome = outcome_of(plugin)

    assert PERMANENT == outcome.kind
    assert type(error).__name__ in outcome.data.decode()


def test_a_deep_recursion_gives_a_short_report() -> None:
    """
    A thousand frames do not fill the log.
    """

    def deep(batch: Traces) -> Any:
        def one(n: int) -> int:
            return other(n + 1)

        def other(n: int) -> int:
            return one(n + 1)

        return one(0)

    host = FakeHost()

    @processor
    def plugin(batch: Traces) -> Any:
        return deep(batch)

    started(plugin, host=host).run(Signal.TRACES, PAYLOAD)
    [(_, text, _)] = host.calls

    assert "RecursionError" in str(text)
    assert len(str(text)) < 20_000


@pytest.mark.parametrize("wrong", [True, b"bytes", "text", Logs(), [Traces()]])
def test_a_wrong_result_is_named(wrong: object) -> None:
    """
    What is no batch of the signal is a permanent failure that says what is expected.
    """
    outcome = outcome_of(lambda batch: wrong)

    assert PERMANENT == outcome.kind
    assert f"plugin returned {type(wrong).__name__} for traces; it returns Traces" in str(
        outcome.data
    )


def test_raw_bytes_pass_or_replace() -> None:
    """
    A plugin of bytes gets them undecoded, with their signal, and returns bytes.
    """

    @processor
    def plugin(payload: bytes, signal: Signal) -> bytes | None:
        assert signal is Signal.LOGS
        return {b"same": payload, b"drop": None}.get(payload, b"new")

    runner = started(plugin)

    assert Outcome(PASS) == runner.run(Signal.LOGS, b"same")
    assert Outcome(DROP) == runner.run(Signal.LOGS, b"drop")
    assert Outcome(REPLACE, b"new") == runner.run(Signal.LOGS, b"\xff")


def test_other_signals_pass_by() -> None:
    """
    A batch of a signal that the plugin did not name is not shown to it.
    """

    @processor
    def plugin(batch: Logs) -> None:
        raise AssertionError

    assert {Signal.LOGS} == define(plugin).signals
    assert Outcome(PASS) == started(plugin).run(Signal.TRACES, PAYLOAD)
