"""
Rust plugins as components: what reaches the host, what comes back, and what is in them.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from conformance.building import built, need
from otelwasm.errors import PluginFaultError
from otelwasm.inspection import inspect
from otelwasm.testing import Trial
from otelwasm.wit import read_component
from otelwasm_sdk import Logs, Permanent, Retryable, Traces, http

HERE = Path(__file__).parent
GUESTS = HERE.parents[1] / "guests"
CONFIG = {"words": ["one"]}


@pytest.fixture(scope="module")
def probe() -> Path:
    """
    The probe, built.
    """
    return built(HERE / "probe", "rust")


def ask(trial: Trial, what: object) -> Any:
    """
    Tell the probe something; its answer.
    """
    answered = trial.process(Logs.of({"body": what}))
    assert isinstance(answered, Logs)
    [record] = answered.log_records()
    return record.body


def test_a_component_tells_its_language(probe: Path) -> None:
    """
    `otelwasm inspect` knows what we build of Rust for Rust, stripped as it is.
    """
    assert "Rust" == inspect(probe).language


def test_what_a_plugin_asks_reaches_the_host(probe: Path) -> None:
    """
    Lines of the log, measurements, batches and requests reach the host, and its answers come back.
    """
    answers = {"https://example.com/": http.Response(200, b"pong")}
    trial = Trial(probe, config=CONFIG, http=answers, state={})
    for what in ("log", "meter", "emit"):
        assert what == ask(trial, what)
    trial.tick()
    ask(trial, "log")

    assert (b"x", b"xx") == (ask(trial, "state"), ask(trial, "state"))
    ask(trial, "forget")
    assert b"x" == ask(trial, "state")
    assert "pong" == ask(trial, "http")
    assert abs(ask(trial, "time") - time.time()) < 60
    trial.stop()

    lines = [(line.level, line.message, line.attributes) for line in trial.logged]
    assert [
        ("warn", "said", {"word": "one", "ticks": "0"}),
        ("warn", "said", {"word": "one", "ticks": "1"}),
        ("debug", "stopped", {"ticks": "1"}),
    ] == lines
    [added], [observed] = trial.added, trial.observed
    assert ("probe.calls", 3.0, {"word": "one"}) == (added.name, added.value, added.attributes)
    assert ("probe.size", 1.5) == (observed.name, observed.value)
    assert [Traces(b"\n\0").signal] == [batch.signal for batch in trial.emitted]
    [request] = trial.requested
    assert ("POST", b"ping", "text/plain") == (
        request.method,
        request.body,
        request.header("content-type"),
    )


def test_failures_are_what_the_plugin_says(probe: Path) -> None:
    """
    A plugin's failures are permanent or retryable, as it says; so is what the host refuses it.
    """
    trial = Trial(probe, config=CONFIG)
    with pytest.raises(Permanent, match="no"):
        ask(trial, "permanent")
    with pytest.raises(Retryable, match="busy") as caught:
        ask(trial, "retryable")
    with pytest.raises(Permanent, match="not granted"):
        ask(trial, "state")
    with pytest.raises(Permanent, match="not granted"):
        ask(trial, "http")
    trial.refuse_with = Retryable("full")
    with pytest.raises(Retryable, match="full"):
        ask(trial, "emit")
    with pytest.raises(Permanent, match="malformed logs payload: byte 0"):
        trial.process(Logs(b"\x0a\x05"))

    assert 2.0 == caught.value.after_s
    assert "still there" == ask(trial, "still there")
    trial.close()


def test_a_panic_says_what_and_where(probe: Path) -> None:
    """
    The host's log has a panic's text and place; the plugin goes on in a fresh instance.
    """
    trial = Trial(probe, config=CONFIG)
    with pytest.raises((PluginFaultError, Permanent, Retryable)):
        ask(trial, "panic")

    line = trial.logged[0]
    assert "error" == line.level
    assert "src/lib.rs:" in line.message
    assert "told to, by one" in line.message
    assert "well" == ask(trial, "well")
    trial.close()


def test_other_signals_pass_by(probe: Path) -> None:
    """
    A batch of a signal that the plugin does not handle goes on unread.
    """
    with Trial(probe, config=CONFIG) as trial:
        batch = Traces.of({"name": "panic"})

        assert bytes(batch) == bytes(trial.process(batch) or b"")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"words": []}, "words is empty"),
        ({"words": [1]}, "config.words[0]: invalid type: integer `1`, expected a string"),
        ({"word": []}, "config.word: unknown field `word`, expected `words`"),
        ({}, "config: missing field `words`"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(
    probe: Path, config: dict[str, object], reason: str
) -> None:
    """
    Nothing starts with a wrong configuration; the error names the key.
    """
    with pytest.raises(Exception, match="did not start") as caught:
        Trial(probe, config=config)

    assert str(caught.value).endswith(reason)


def test_a_small_plugin_is_small_and_asks_for_nothing() -> None:
    """
    The component of add-attribute has at most 200 KB, and imports nothing but the contract.
    """
    need("rust")
    component = built(GUESTS / "add-attribute/rust", "rust").read_bytes()
    imports = [port.name for port in read_component(component).imports]

    assert len(component) <= 200_000
    assert [] == [name for name in imports if not name.startswith("otelwasm:plugin/")]
