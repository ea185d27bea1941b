"""
A mistake in a Python plugin is one message, which says where, what and what to do (mistakes.py).

The plugins run in instant mode, all in the same runner.
"""

from pathlib import Path

import pytest

from conformance.mistakes import BEYOND, BUGS, CONFIG, CONFIGS, ENDS, HEAD, NO_PLUGIN, processing
from otelwasm.errors import BatchError, BuildError, SetupError
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm.testing import a_span, traces


def written(folder: Path, text: str | bytes) -> Path:
    """
    The plugin `mine.py`, beside another module.
    """
    (folder / "beside.py").write_text("x = 1\n")
    path = folder / "mine.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class Told:
    """
    What a plugin that got one batch told its host.
    """

    def __init__(self, path: Path, *, limits: Limits | None = None) -> None:
        self.log: list[tuple[str, str]] = []
        self.error = ""
        with Plugin(path, limits=limits, log=self._write) as plugin:
            try:
                plugin.process(Signal.TRACES, bytes(traces(a_span())))
            except BatchError as error:
                self.error = str(error)

    def _write(self, level: str, message: str, _: object) -> None:
        self.log.append((level, message))


@pytest.mark.parametrize(("text", "message"), NO_PLUGIN.values(), ids=NO_PLUGIN)
def test_what_is_no_plugin_does_not_start(tmp_path: Path, text: str | bytes, message: str) -> None:
    """
    The one error begins with the plugin's file, and the line if there is one, and says what helps.
    """
    path = written(tmp_path, text)
    with pytest.raises(BuildError) as raised:
        Plugin(path)

    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{path}:")
    assert 1 == str(raised.value).count(str(path)), "the file is named once"


def test_a_misspelled_import_is_no_missing_package(tmp_path: Path) -> None:
    """
    The package is there, and nobody is sent to look for one that has the name.
    """
    with pytest.raises(BuildError) as raised:
        Plugin(written(tmp_path, processing("", imports="from otelwasm_sdk import Trace")))

    assert "mine.py:4: ImportError: cannot import name 'Trace' from" in str(raised.value)
    assert str(raised.value).endswith("Did you mean: 'Traces'?")


@pytest.mark.parametrize(("body", "message"), BUGS.values(), ids=BUGS)
def test_a_bug_refuses_its_batch(tmp_path: Path, body: str, message: str) -> None:
    """
    Whoever sent the batch gets one line, which the log repeats with the author's lines above it.
    """
    told = Told(written(tmp_path, processing(body)))

    assert message in told.error
    assert told.error.startswith("plugin 'mine': ")
    assert len(told.log) <= 1


@pytest.mark.parametrize(("imports", "body", "advice"), BEYOND.values(), ids=BEYOND)
def test_what_a_sandbox_lacks_is_named(
    tmp_path: Path, imports: str, body: str, advice: str
) -> None:
    """
    Python's own error comes with the author's line, and with what plugins have instead.
    """
    told = Told(written(tmp_path, processing(body, imports=imports)))

    assert "(mine.py:7 in mine); " in told.error
    assert advice in told.error
    level, traceback = told.log[0]
    assert "error" == level
    assert body in traceback and advice in traceback
    assert "/python/" not in traceback, "Python's own frames say nothing to an author"


@pytest.mark.parametrize(("imports", "body", "place"), ENDS.values(), ids=ENDS)
def test_what_does_not_end_is_ended_where_it_was(
    tmp_path: Path, imports: str, body: str, place: str
) -> None:
    """
    The limit is named, with the key that sets it, and the author's line.
    """
    path = written(tmp_path, processing(body, imports=imports))
    told = Told(path, limits=Limits(deadline_s=0.1))

    assert (
        "plugin 'mine': a call ran beyond its deadline of 0.1 s (`limits: {deadline" in told.error
    )
    assert place in told.error


@pytest.mark.parametrize(("config", "message"), CONFIGS.values(), ids=CONFIGS)
def test_a_configuration_that_does_not_fit_is_refused(
    tmp_path: Path, config: dict[str, object], message: str
) -> None:
    """
    The key is named, with what is expected.
    """
    with pytest.raises(SetupError) as raised:
        Plugin(written(tmp_path, CONFIG), config=config)

    assert f"plugin 'mine' did not start: {message}" == str(raised.value)


def test_a_bug_in_its_start_is_shown(tmp_path: Path) -> None:
    """
    An exception of `__init__` is one line, and its traceback; a failure is its reason alone.
    """
    start = f"{HEAD}@processor\nclass Mine:\n    def __init__(self):\n        {{}}\n" + (
        "    def process(self, batch: Traces) -> Traces:\n        return batch\n"
    )
    with pytest.raises(SetupError) as bug:
        Plugin(written(tmp_path, start.format("{}['key']")))
    with pytest.raises(SetupError) as refusal:
        Plugin(written(tmp_path, start.format("raise Permanent('no such tenant')")))

    assert "plugin 'mine' did not start: KeyError: 'key' (mine.py:7 in __init__)" in str(bug.value)
    assert "plugin 'mine' did not start: no such tenant" == str(refusal.value)


def test_a_batch_that_is_dropped_against_the_annotation_is_refused(tmp_path: Path) -> None:
    """
    A function that says it returns a batch, and does not always, loses none.
    """
    text = f"{HEAD}@processor\ndef mine(batch: Traces) -> Traces:\n    if not batch:\n" + (
        "        return batch\n"
    )
    told = Told(written(tmp_path, text))

    assert (
        "mine.py:4: mine returned None, which its annotation does not allow: return the batch, or"
    )
    assert "write `-> Traces | None` if it may drop some" in told.error


def test_what_is_printed_and_logged_reaches_the_hosts_log(tmp_path: Path) -> None:
    """
    `print` is a line, `logging` keeps its levels, and neither is an error.
    """
    text = processing(
        "print('got', 1)\nlogging.info('%d span', 1)\nlogging.getLogger('x').warning('odd')",
        imports="import logging",
    )

    assert [("info", "got 1"), ("info", "1 span"), ("warn", "odd")] == Told(
        written(tmp_path, text)
    ).log
