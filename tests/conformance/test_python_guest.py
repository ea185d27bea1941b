"""
A Python plugin in its component, and in a runner: failures, bugs, malformed payloads, memory.
"""

import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from conformance.payloads import mutants, spans
from otelwasm.build import build
from otelwasm.errors import PermanentError, PluginStartError, RetryableError
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm_sdk import Traces

PROBE = Path(__file__).parent / "probe" / "plugin.py"
ONE = spans(1)
Lane = Literal["bridge", "direct", "instant"]


@attrs.define
class Probe:
    """
    The probe at work, and what it logged, measured and emitted.
    """

    plugin: Plugin
    logged: list[tuple[Any, ...]]
    measured: list[tuple[Any, ...]]
    emitted: list[tuple[Signal, bytes]]

    def do(self, payload: bytes = ONE, *, signal: Signal = Signal.TRACES) -> bytes | None:
        """
        Process one batch.
        """
        return self.plugin.process(signal, payload)


Start = Callable[..., AbstractContextManager[Probe]]


@pytest.fixture(params=["direct", "bridge", "instant"])
def lane(request: pytest.FixtureRequest) -> Lane:
    """
    Both ways for bytes to cross, and a runner, which takes the direct one.
    """
    found: Lane = request.param
    return found


@pytest.fixture
def probe(lane: Lane) -> Start:
    """
    Start the probe with a configuration.
    """

    @contextmanager
    def start(*, emit: Callable[[Signal, bytes], None] | None = None, **config: object) -> Any:
        logged: list[tuple[Any, ...]] = []
        measured: list[tuple[Any, ...]] = []
        emitted: list[tuple[Signal, bytes]] = []
        with Plugin(
            PROBE if lane == "instant" else build(PROBE),
            config=config,
            name="probe",
            lane="direct" if lane == "instant" else lane,
            # As many as the tests write.
            limits=Limits(log_lines_per_second=100_000),
            emit=emit or (lambda *batch: emitted.append(batch)),
            log=lambda *line: logged.append(line),
            meter=lambda *value: measured.append(value),
        ) as plugin:
            yield Probe(plugin, logged, measured, emitted)

    return start


def line_of(text: str) -> int:
    """
    The line of the probe's file that holds *text*.
    """
    [line] = [
        number
        for number, line in enumerate(PROBE.read_text().splitlines(), start=1)
        if text in line
    ]
    return line


def test_verdicts_cross_the_boundary(probe: Start) -> None:
    """
    Pass gives the payload itself, drop gives None, a change gives the changed batch.
    """
    with probe(do="pass") as passing, probe(do="drop") as dropping, probe(do="edit") as editing:
        assert passing.do() is ONE
        assert dropping.do() is None
        changed = editing.do()
        assert changed is not None
        [span] = Traces(changed).spans()
        assert "edited" == span.attributes["probe"]
        assert [(Signal.TRACES, changed)] == editing.emitted


def test_failures_cross_the_boundary(probe: Start) -> None:
    """
    Permanent and Retryable reach the host as such, with their reason and their delay.
    """
    with probe(do="permanent") as failing, pytest.raises(PermanentError, match="bad tenant: é"):
        failing.do()
    with probe(do="retryable") as failing, pytest.raises(RetryableError) as raised:
        failing.do()
    assert "queue full" in str(raised.value)
    assert 1.5 == raised.value.after_s


@pytest.mark.parametrize(
    ("error", "kind"),
    [(PermanentError("no é"), PermanentError), (RetryableError("full", after_s=2), RetryableError)],
)
def test_a_refused_emit_reaches_the_plugin(
    probe: Start, error: Exception, kind: type[Exception]
) -> None:
    """
    What the next step refuses is raised from `emit`, and passed on if the plugin lets it through.
    """

    def refuse(signal: Signal, payload: bytes) -> None:
        raise error

    with probe(do="edit", emit=refuse) as refused, pytest.raises(kind) as raised:
        refused.do()

    assert str(error) in str(raised.value)
    assert getattr(error, "after_s", None) == getattr(raised.value, "after_s", None)


def test_a_bug_names_the_authors_file_and_line(probe: Start) -> None:
    """
    The sender gets one line; the log gets the author's frames with their source, and no others.
    """
    line, caller = line_of("raise KeyError"), line_of("return self.deeper(batch)")
    with probe(do="fail") as failing:
        with pytest.raises(PermanentError) as raised:
            failing.do()
        [(level, text, _)] = failing.logged

        assert f"KeyError: 'no such thing in 1 items' (plugin.py:{line} in deeper)" in str(
            raised.value
        )
        assert "\n" not in str(raised.value)
        assert "error" == level
        assert f'File "plugin.py", line {caller}, in do_fail' in text
        assert f'File "plugin.py", line {line}, in deeper' in text
        assert 'raise KeyError(f"no such thing in {len(batch)} items")' in text
        assert "otelwasm_sdk" not in text


@pytest.mark.parametrize(
    ("do", "words"),
    [
        ("exit", "SystemExit: 3"),
        ("recurse", "RecursionError"),
        ("nested-json", "RecursionError: JSON that nests more than 1000 levels"),
        ("fail", "KeyError"),
    ],
)
def test_an_instance_survives_what_its_plugin_does(probe: Start, do: str, words: str) -> None:
    """
    Leaving the program, endless recursion or JSON, and plain bugs fail one batch, and no instance.
    """
    with probe(do=do) as failing:
        for _ in range(3):
            with pytest.raises(PermanentError, match=words):
                failing.do()

        assert {} == failing.plugin.stats.faults


def test_an_import_at_run_time_says_what_to_do(probe: Start) -> None:
    """
    A module that the image lacks is named, with the way to have it there.
    """
    with probe(do="late-import") as failing, pytest.raises(PermanentError) as raised:
        failing.do()

    assert "'xml' was not imported as the plugin started: imports stand at the top" in str(
        raised.value
    )


def test_log_and_meter_reach_the_host(probe: Start) -> None:
    """
    Lines and measurements arrive with their level, their names and values as text.
    """
    attributes = (("batch", "17"), ("key", "valué"))
    with probe(do="log") as logging:
        logging.do()
        [(level, message, given)] = logging.logged

        assert ("warn", "a line of the probe, of the usual length") == (level, message)
        assert attributes == tuple(given)
    with probe(do="meter") as measuring:
        measuring.do()
        [(kind, name, value, given)] = measuring.measured

        assert ("add", "probe.calls", 1.0) == (kind, name, value)
        assert attributes == tuple(given)


def test_a_wrong_configuration_is_refused_at_start(probe: Start) -> None:
    """
    The message that names key and value is what the host reports.
    """
    with (
        pytest.raises(PluginStartError, match=r"config.times: expected int, got str"),
        probe(times="often"),
    ):
        pass


def test_malformed_payloads_never_end_an_instance(probe: Start) -> None:
    """
    Whatever is broken in a payload, reading all of it is a permanent failure or works; no trap.
    """
    refused = 0
    with probe(do="read") as reading:
        for signal, payload in itertools.islice(mutants(seed=7), 4000):
            try:
                reading.do(payload, signal=signal)
            except PermanentError as error:
                assert f"malformed {signal.label} payload: " in str(error)
                refused += 1

        assert {} == reading.plugin.stats.faults
    assert 1000 < refused < 4000


@pytest.mark.parametrize(("count", "batches"), [(100, 2000), (1000, 200)])
def test_replacing_and_emitting_does_not_leak(lane: Lane, count: int, batches: int) -> None:
    """
    A plugin that emits and replaces each batch holds as much memory at the end as at the start.
    """
    if lane == "bridge":
        pytest.skip("componentize-py leaks what crosses as lists; the direct form is against that")
    payload = spans(count)
    emitted_bytes = 0

    def count_bytes(signal: Signal, emitted: bytes) -> None:
        nonlocal emitted_bytes
        emitted_bytes += len(emitted)

    with Plugin(
        PROBE if lane == "instant" else build(PROBE), config={"do": "edit"}, emit=count_bytes
    ) as plugin:
        for _ in range(batches // 10):
            changed = plugin.process(Signal.TRACES, payload)
        before = plugin.stats.memory_bytes
        for _ in range(batches):
            plugin.process(Signal.TRACES, payload)

        assert before == plugin.stats.memory_bytes
    assert changed is not None
    assert emitted_bytes == len(changed) * (batches + batches // 10)


def test_text_that_utf8_cannot_say_is_replaced(probe: Start) -> None:
    """
    A lone surrogate, as JSON may hold, is a question mark in the log and among the metrics.
    """
    with probe(do="odd-text") as saying:
        assert saying.do() is ONE

        assert [("info", "x?é", (("key", "?"),))] == saying.logged
        assert [
            ("add", "probe.odd", 1.0, (("key", "?"),)),
            ("observe", "probe.size", 1.0, (("key", "?"),)),
        ] == saying.measured


def test_logging_and_measuring_do_not_leak(probe: Start) -> None:
    """
    Ten thousand lines and measurements leave the plugin's memory as it was.
    """
    for do in ("log", "meter"):
        with probe(do=do, times=100) as calling:
            for _ in range(10):
                calling.do()
            before = calling.plugin.stats.memory_bytes
            for _ in range(100):
                calling.do()

            assert before == calling.plugin.stats.memory_bytes
            assert 11_000 == len(calling.logged) + len(calling.measured)
