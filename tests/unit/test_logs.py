"""
The host's log stays readable when something happens to each batch.
"""

import json

import pytest
import structlog

from otelwasm.logs import Sampler, configure_logging


class Clock:
    """
    A clock that a test moves.
    """

    now = 0.0

    def __call__(self) -> float:
        return self.now


def let_through(sampler: Sampler, count: int, **fields: str) -> int:
    """
    Log *count* times; return how many lines come out.
    """
    passed = 0
    for _ in range(count):
        try:
            sampler(None, "warning", {"event": "x", **fields})
            passed += 1
        except structlog.DropEvent:
            pass
    return passed


def test_the_first_lines_of_a_kind_pass() -> None:
    """
    In a second so many lines of one kind are written, and no more.
    """
    sampler = Sampler(first=3, clock=Clock())

    assert let_through(sampler, 10) == 3


def test_kinds_do_not_hide_each_other() -> None:
    """
    A plugin that shouts does not silence another one.
    """
    sampler = Sampler(first=3, clock=Clock())
    let_through(sampler, 10, plugin="loud")

    assert let_through(sampler, 2, plugin="quiet") == 2


def test_what_was_kept_back_is_told() -> None:
    """
    The first line of the next period says how many there were in between.
    """
    clock = Clock()
    sampler = Sampler(first=3, clock=clock)
    let_through(sampler, 10)
    clock.now = 1.5

    assert sampler(None, "warning", {"event": "x"}) == {"event": "x", "kept_back": 7}
    assert sampler(None, "warning", {"event": "x"}) == {"event": "x"}


def test_tracebacks_do_not_show_variables() -> None:
    """
    What a failing function had in hand, headers or payloads perhaps, stays out of the log.
    """
    before = structlog.get_config()
    try:
        configure_logging("info")
        renderer = structlog.get_config()["processors"][-1]
    finally:
        structlog.configure(**before)

    assert renderer._exception_formatter is structlog.dev.plain_traceback


def test_lines_are_readable_and_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One line an event: time, level, event, then key=value; lines below the level are not written.
    """
    before = structlog.get_config()
    try:
        configure_logging("info")
        structlog.get_logger().warning("delivery failed", component="exporter/otlp", items=3)
        structlog.get_logger().debug("too much")
    finally:
        structlog.configure(**before)
    streams = capsys.readouterr()

    assert streams.out == ""
    assert streams.err.endswith("delivery failed component=exporter/otlp items=3\n")
    assert "[warning" in streams.err
    assert streams.err.count("\n") == 1


def test_json_is_an_object_a_line(capsys: pytest.CaptureFixture[str], log_as_before: None) -> None:
    """
    Whatever a line says is in one object, with its level and its time; a traceback is a text.
    """
    configure_logging("info", "json")
    log = structlog.get_logger()
    log.info("größer", component="exporter/otlp", items=3)
    log.debug("not this one")
    try:
        raise ValueError("x")
    except ValueError:
        log.exception("failed")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())

    assert first.pop("timestamp").endswith("Z")
    assert {
        "event": "größer",
        "level": "info",
        "component": "exporter/otlp",
        "items": 3,
    } == first
    assert "error" == second["level"]
    assert second["exception"].endswith("ValueError: x")
