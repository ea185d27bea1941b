"""
A Go plugin in its component: failures, panics, what it asks of the host, memory.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import pytest

from conformance.building import built
from conformance.payloads import spans
from otelwasm.errors import PluginStartError
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm.testing import Trial
from otelwasm_sdk import Permanent, Retryable, Traces
from otelwasm_sdk.http import Failed, Refused, Response, TimedOut

PROBE = Path(__file__).parent / "probe_go"
ONE = Traces(spans(1))
Lane = Literal["bridge", "direct"]
Start = Callable[..., Trial]


@pytest.fixture(params=["direct", "bridge"])
def lane(request: pytest.FixtureRequest) -> Lane:
    """
    Both ways for bytes to cross.
    """
    found: Lane = request.param
    return found


@pytest.fixture
def probe(lane: Lane) -> Iterator[Start]:
    """
    Start the probe with a configuration.
    """
    with ExitStack() as open_trials:

        def start(*, http: Any = None, state: Any = None, **config: object) -> Trial:
            component = built(PROBE, "go")
            trial = Trial(component, config=config, http=http, state=state, lane=lane)
            open_trials.callback(trial.close)
            return trial

        yield start


def sent_on(trial: Trial) -> bytes | None:
    """
    The payload that the probe sends on for one.
    """
    batch = trial.process(ONE)
    return None if batch is None else bytes(batch)


def line_of(text: str) -> int:
    """
    The line of the probe's file that holds *text*.
    """
    lines = (PROBE / "main.go").read_text().splitlines()
    [line] = [number for number, line in enumerate(lines, start=1) if text in line]
    return line


def test_verdicts_cross_the_boundary(probe: Start) -> None:
    """
    A batch passes, is dropped, or is replaced: by nothing, too, which is an empty batch.
    """
    doubling = probe(do="double")

    assert bytes(ONE) == sent_on(probe(do="pass"))
    assert sent_on(probe(do="drop")) is None
    assert b"" == sent_on(probe(do="empty"))
    assert bytes(ONE) * 2 == sent_on(doubling)
    assert [bytes(ONE) * 2] == [bytes(batch) for batch in doubling.emitted]


def test_failures_cross_the_boundary(probe: Start) -> None:
    """
    Any error is permanent, but a Retryable, in whatever it is wrapped: it has its delay.
    """
    with pytest.raises(Permanent, match="bad tenant: é"):
        probe(do="permanent").process(ONE)
    with pytest.raises(Permanent, match="bad \ufffd text"):
        probe(do="odd-text").process(ONE)
    with pytest.raises(Retryable, match="not now: queue full") as raised:
        probe(do="retryable").process(ONE)

    assert 1.5 == raised.value.after_s


def test_a_refused_emit_reaches_the_plugin(probe: Start) -> None:
    """
    What the next step refuses is an error of Emit, and passed on if the plugin returns it.
    """
    trial = probe(do="double")
    for refusal in (Permanent("no é"), Retryable("full", after_s=2.0)):
        trial.refuse_with = refusal

        with pytest.raises(type(refusal), match=str(refusal)) as raised:
            trial.process(ONE)

        assert getattr(refusal, "after_s", None) == getattr(raised.value, "after_s", None)


@pytest.mark.parametrize(
    ("do", "text", "line", "function"),
    [
        ("panic", "slice bounds out of range", "// the bug", "deeper"),
        ("nil-map", "assignment to entry in nil map", 'counts["nothing"]++', "inNilMap"),
        ("library", "strings: negative Repeat count", 'strings.Repeat("x", -1)', "init.func"),
    ],
)
def test_a_panic_names_the_authors_file_and_line(
    probe: Start, do: str, text: str, line: str, function: str
) -> None:
    """
    The sender gets one line; the log gets the way there; the instance goes on.
    """
    trial = probe(do=do)
    for _ in range(3):
        with pytest.raises(Permanent) as raised:
            trial.process(ONE)

        reason = str(raised.value)
        assert reason.startswith("panic: ")
        assert text in reason
        assert f"(main.go:{line_of(line)} in main." in reason
        assert "\n" not in reason
    logged = trial.logged[-1]
    assert "error" == logged.level
    assert f"main.go:{line_of(line)} in main." in logged.message
    assert function in logged.message
    assert "internal/guest" not in logged.message


def test_the_default_loggers_write_to_the_hosts_log(probe: Start) -> None:
    """
    Lines of log/slog arrive with their level, and their attributes as text; those of log, too.
    """
    trial = probe(do="log")

    trial.process(ONE)

    [first, second] = trial.logged
    assert ("warn", "a line of the probe") == (first.level, first.message)
    assert {"batch": "17", "of.key": "valué"} == first.attributes
    assert ("info", "in the old way") == (second.level, second.message)


def test_measurements_reach_the_host(probe: Start) -> None:
    """
    Counters and distributions arrive with their names and values as text.
    """
    trial = probe(do="meter")

    trial.process(ONE)

    [added], [observed] = trial.added, trial.observed
    assert ("probe.calls", 1.0) == (added.name, added.value)
    assert {"batch": "17", "key": "valué"} == added.attributes
    assert ("probe.took", 0.5) == (observed.name, observed.value)


def test_state_is_kept(probe: Start) -> None:
    """
    A value that was set is there at the next call; without a grant, the host's refusal is.
    """
    kept: dict[str, bytes] = {}
    trial = probe(do="state", state=kept)

    results = [sent_on(trial) for _ in range(2)]

    assert ([b".", b".."], {"count": b".."}) == (results, kept)
    with pytest.raises(Permanent, match="not granted"):
        probe(do="state").process(ONE)


def test_servers_answer(probe: Start) -> None:
    """
    A response comes with its headers; one that is no success, or none at all, is an error.
    """
    url = "https://example.com/traces"
    trial = probe(do="http", http={url: Response(201, b"made", {"X-Kind": "a"})})

    answered = sent_on(trial)

    [request] = trial.requested
    assert b"201 a made" == answered
    assert ("POST", url, bytes(ONE)) == (request.method, request.url, request.body)
    assert (("content-type", "text/plain"),) == request.headers
    for answer, kind, words in (
        (Response(503, b"busy", {"retry-after": "7"}), Retryable, "answered 503: busy"),
        (Response(404, b""), Permanent, "answered 404$"),
        (Refused("not there"), Permanent, "refused: not there"),
        (TimedOut("late"), Retryable, "timed out: no answer in time"),
        (Failed("reset"), Retryable, "reset"),
    ):
        with pytest.raises(kind, match=words):
            probe(do="http", http={url: answer}).process(ONE)


def test_tick_and_stop_are_called(probe: Start) -> None:
    """
    A plugin with Tick and Stop has them called.
    """
    trial = probe()

    trial.tick()
    trial.stop()

    assert [b"tick", b"stop"] == [bytes(batch) for batch in trial.emitted]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"times": "often"}, "config.times: expected int, got string"),
        ({"tmies": 3}, "config.tmies: unknown key; known keys: do, times"),
        ({"do": "dance"}, 'config.do: there is no "dance"'),
    ],
)
def test_a_wrong_configuration_is_refused_at_start(
    probe: Start, config: dict[str, object], words: str
) -> None:
    """
    The message that names key and value is what the host reports.
    """
    with pytest.raises(PluginStartError, match=words):
        probe(**config)


@pytest.mark.parametrize("do", ["pass", "double", "refused"])
def test_memory_does_not_grow_and_no_collection_traps(lane: Lane, do: str) -> None:
    """
    Payloads of any size, in and out, leave no garbage behind, and none is collected while the host
    hands bytes over: neither as payloads nor as an import's answer.
    """

    def emit(signal: Signal, payload: bytes) -> None:
        if do == "refused":
            raise PermissionError("no" * 100_000)

    sizes = [0, 1, 600, 40_000, 400_000, 3_000_000]
    grown = []
    with Plugin(
        built(PROBE, "go"),
        config={"do": do, "times": 5},
        lane=lane,
        limits=Limits(memory_bytes=128 << 20),
        emit=emit,
    ) as plugin:
        for round_ in range(30):
            for size in sizes:
                payload = bytes(size + round_)
                if do == "refused":
                    with pytest.raises(Exception, match="no"):
                        plugin.process(Signal.TRACES, payload)
                else:
                    plugin.process(Signal.TRACES, payload)
            grown.append(plugin.stats.memory_bytes)

        assert {} == plugin.stats.faults
    assert grown[15] * 1.2 >= grown[-1]
