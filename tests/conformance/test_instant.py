"""
Instant mode: a Python plugin's files run without a build, as the component built of them would.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance.payloads import spans
from otelwasm.build import build
from otelwasm.build.componentize import FailedError
from otelwasm.build.instant import runnable
from otelwasm.build.python import runner
from otelwasm.build.source import read_source
from otelwasm.errors import BuildError, PluginFaultError, PluginStartError
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.plugins.sources import Sources
from otelwasm.signals import Signal
from otelwasm.testing import Trial, a_span, traces
from otelwasm_sdk import Permanent, Traces

HERE = Path(__file__).parent
HEAD = "from otelwasm_sdk import Traces, processor\n"
NOTHING = "@processor\ndef nothing(batch: Traces) -> Traces:\n    return batch\n"
ONE = spans(1)


def plugin_in(folder: Path, text: str, *, name: str = "mine.py") -> Path:
    """
    A plugin's file with *text*.
    """
    path = folder / name
    path.write_text(text)
    return path


def told(plugin: Plugin) -> object:
    """
    The attribute `told` of the span that *plugin* makes of one.
    """
    changed = plugin.process(Signal.TRACES, bytes(traces(a_span("get"))))
    assert changed is not None
    [span] = Traces(changed).spans()
    return span.attributes["told"]


def telling(what: str, *, before: str = "") -> str:
    """
    A plugin that sets the attribute `told` to the value of an expression.
    """
    return (
        f"{HEAD}{before}\n\n@processor\ndef tell(batch: Traces) -> Traces:\n"
        f"    for span in batch.spans():\n        span.attributes['told'] = {what}\n"
        "    return batch\n"
    )


def test_a_changed_file_runs_without_a_build(tmp_path: Path) -> None:
    """
    Other content, and another plugin of the same kind, take the same runner.
    """
    path = plugin_in(tmp_path, telling("'one'"))
    first = runnable(path)
    with Plugin(path) as plugin:
        assert ("mine", "one") == (plugin.name, told(plugin))
    path.write_text(telling("'two'"))
    lines: list[str] = []
    second = runnable(path, report=lines.append)

    assert isinstance(first, Sources) and isinstance(second, Sources)
    assert (first.runner, first.key, []) == (second.runner, second.key, lines)
    with Plugin(second) as plugin:
        assert "two" == told(plugin)


def test_a_cold_process_imports_no_machinery(tmp_path: Path) -> None:
    """
    A program that runs a plugin imports nothing of what it takes to build one, to compile one, or
    to serve: that would take longer than all the rest.
    """
    path = plugin_in(tmp_path, f"{HEAD}\n\n{NOTHING}")
    runnable(path)
    program = (
        "import sys; from otelwasm import Plugin, Signal\n"
        f"with Plugin({str(path)!r}) as plugin: plugin.process(Signal.TRACES, b'')\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    slow = {
        *("asyncio", "email", "importlib.metadata", "shutil", "ssl", "subprocess", "tempfile"),
        *("google.protobuf", "grpc", "opentelemetry", "structlog", "tomllib"),
        *("otelwasm.build.compiling", "otelwasm.build.componentize", "otelwasm.build.requirements"),
        *("otelwasm.plugins.making", "otelwasm.service", "otelwasm.validation"),
    }

    assert "otelwasm.plugins.plugin" in done.stdout.split(), done.stderr
    assert set() == slow & set(done.stdout.split())


def test_files_beside_the_plugin_are_its_resources(tmp_path: Path) -> None:
    """
    `importlib.resources` and `pkgutil` find data in packages; folders without `__init__` are some.
    """
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "__init__.py").write_text("")
    (tmp_path / "deep" / "er" / "word.txt").write_text("wörd", encoding="utf-8")
    (tmp_path / "loose").mkdir()
    plugin_in(tmp_path / "loose", "LOOSE = __name__\n", name="leaf.py")
    before = (
        "import pkgutil\nfrom importlib.resources import files\nfrom loose.leaf import LOOSE\n"
        "place = files('deep') / 'er'\n"
        "names = [each.name for each in place.iterdir()]\n"
        "text = place.joinpath('word.txt').read_text(encoding='utf-8')\n"
        "data = pkgutil.get_data('deep', 'er/word.txt')\n"
    )
    plugin_in(
        tmp_path, telling("repr((names, text, len(data), LOOSE))", before=before), name="plugin.py"
    )

    with Plugin(tmp_path) as plugin:
        assert "(['word.txt'], 'wörd', 5, 'loose.leaf')" == told(plugin)


def test_the_plugins_own_modules_come_first(tmp_path: Path) -> None:
    """
    A module beside the plugin is found, whatever a runner imported of the same name.
    """
    plugin_in(tmp_path, "word = 'mine'\n", name="queue.py")
    plugin_in(tmp_path, telling("queue.word", before="import queue"), name="plugin.py")

    with Plugin(tmp_path) as plugin:
        assert "mine" == told(plugin)


def test_all_of_the_standard_library_is_there(tmp_path: Path) -> None:
    """
    Modules that are not imported beforehand are, once the plugin does so.
    """
    before = "import asyncio, colorsys, json.tool, plistlib, unittest.mock, wave, xml.dom.minidom"
    path = plugin_in(tmp_path, telling("colorsys.rgb_to_hls(1, 0, 0)[1]", before=before))

    with Plugin(path) as plugin:
        assert 0.5 == told(plugin)


def test_a_bug_is_shown_in_the_authors_lines(tmp_path: Path) -> None:
    """
    A traceback in the log has file, line and source of the author's code, and nothing else.
    """
    path = plugin_in(tmp_path, telling("1 / 0"))

    with Trial(path) as trial:
        with pytest.raises(Permanent) as raised:
            trial.process(a_span())
        [line] = trial.logged
    assert "ZeroDivisionError: division by zero (mine.py:7 in tell)" in str(raised.value)
    assert [
        "Traceback (most recent call last):",
        'File "mine.py", line 7, in tell',
        "span.attributes['told'] = 1 / 0",
    ] == [each.lstrip(" |") for each in line.message.splitlines()[:3]]


# What a runner says at once, so that nothing is made to learn it.
REFUSED = {
    "a missing module": f"import json\nimport numpy\n{HEAD}{NOTHING}",
    "a missing part of one": f"import xml.nothing\n{HEAD}{NOTHING}",
    "no annotation": f"{HEAD}\n@processor\ndef p(batch): ...\n",
    "no Python": f"{HEAD}{NOTHING}\nmatch x: pass\n",
    "no plugin": HEAD,
    "two plugins": f"{HEAD}{NOTHING}{NOTHING}",
    "no Python at all": f"{HEAD}def (:\n",
}


def refusals(path: Path) -> tuple[str, str]:
    """
    What is said where *path* is to run, and where it is to be built.
    """
    with pytest.raises(BuildError) as instant:
        Plugin(path)
    with pytest.raises(BuildError) as built:
        build(path)
    return str(instant.value), str(built.value)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_plugin_is_refused_as_by_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """
    The error is the same, word for word, and no component is made to find it.
    """
    monkeypatch.setattr("otelwasm.build.componentize.componentize", None)
    path = plugin_in(tmp_path, text)
    instant, built = refusals(path)

    assert instant == built
    assert instant.startswith(f"{path}:")


def test_a_bug_is_shown_by_the_build_as_by_the_start(tmp_path: Path) -> None:
    """
    What only the tool that makes components can tell is said in the same words, and in none of
    the tool's own.
    """
    path = plugin_in(tmp_path, f"{HEAD}{NOTHING}\nx = {{}}['key']\n")
    instant, built = refusals(path)

    assert instant == built
    assert built.startswith(f"{path}:6: KeyError: 'key'\nTraceback (most recent call last):\n")


def test_a_build_may_do_what_a_start_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What a build may find, as it has the plugin's files in folders, no runner refuses beforehand;
    and where there is no runner, nothing does.
    """

    def reached(*_: object, **__: object) -> bytes:
        raise FailedError("as far as this", status=1)

    monkeypatch.setattr("otelwasm.build.componentize.componentize", reached)
    (tmp_path / "vendored").mkdir()
    plugin_in(tmp_path / "vendored", "", name="elsewhere.py")
    here = "import os, sys\nhere = f'{os.path.dirname(__file__)}/vendored'\n"
    for before in ("sys.path.insert(0, here)\nimport elsewhere\n", "names = os.listdir(here)\n"):
        path = plugin_in(tmp_path, telling("1", before=here + before), name="plugin.py")
        instant, built = refusals(tmp_path)

        assert instant.startswith(f"{path}:")
        assert built.endswith("(exit status 1):\nas far as this")
    monkeypatch.setattr("otelwasm.build.python.find_component", lambda name, key: None)
    _, built = refusals(plugin_in(tmp_path, REFUSED["no annotation"]))
    assert built.endswith("as far as this")


def test_a_fresh_instance_is_the_same_plugin(tmp_path: Path) -> None:
    """
    After a trap the plugin goes on as it was started, whatever its file says by now.
    """
    before = "import os\n\ndef what(name):\n    return os._exit(1) if name == 'trap' else 'one'\n"
    path = plugin_in(tmp_path, telling("what(span.name)", before=before))
    with Plugin(path) as plugin:
        path.write_text(telling("'two'"))
        with pytest.raises(PluginFaultError):
            plugin.process(Signal.TRACES, bytes(traces(a_span("trap"))))

        assert "one" == told(plugin)
        assert 2 == plugin.stats.restarts


def test_instances_do_not_share_what_they_import(tmp_path: Path) -> None:
    """
    Each instance imports the plugin for itself.
    """
    before = "seen = []\n\ndef count():\n    seen.append(1)\n    return len(seen)\n"
    path = plugin_in(tmp_path, telling("count()", before=before))
    with Plugin(path, instances=2) as plugin:
        payload = bytes(traces(a_span()))
        made = [
            plugin.submit(Signal.TRACES, payload, instance=each).result(60) for each in (0, 1, 1)
        ]

    counts = [Traces(each or b"").spans()[0].attributes["told"] for each in made]
    assert [1, 1, 2] == counts


def test_an_import_beyond_the_limits_does_not_start(tmp_path: Path) -> None:
    """
    Importing has the plugin's memory limit; the error names it, and what spares the import.
    """
    path = plugin_in(tmp_path, f"{HEAD}{NOTHING}\nmuch = bytearray(300 << 20)\n")
    with pytest.raises(BuildError, match="MemoryError"):
        Plugin(path)
    path = plugin_in(tmp_path, f"import os\n{HEAD}{NOTHING}\nos.abort()\n")
    with pytest.raises(PluginStartError, match=r"trap.*while its source was imported; what `otelw"):
        Plugin(path, limits=Limits(64 << 20))


def test_a_runner_without_sources_says_what_it_is() -> None:
    """
    A runner that some host starts as if it were a plugin refuses that.
    """
    component, _ = runner(read_source(HERE / "probe" / "plugin.py"))

    with pytest.raises(PluginStartError, match=r"a runner has no plugin before its host calls"):
        Plugin(component)
