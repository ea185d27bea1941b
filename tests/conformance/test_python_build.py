"""
Building a Python plugin: what goes in, what is cached, and how it fails.
"""

from pathlib import Path

import pytest

from otelwasm.build import build
from otelwasm.errors import BuildError, PermanentError
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm.testing import a_span, traces
from otelwasm_sdk import Traces

HERE = Path(__file__).parent
PACKAGED = HERE / "packaged"
PROBE = HERE / "probe" / "plugin.py"


@pytest.mark.parametrize("way", ["instant", "built"])
def test_a_folder_brings_its_modules_data_and_requirements(way: str) -> None:
    """
    A plugin of several files, a data file and a package from the index works as it is, and in its
    component.
    """
    with Plugin(PACKAGED if way == "instant" else build(PACKAGED), name="packaged") as plugin:
        changed = plugin.process(Signal.TRACES, bytes(traces(a_span("get"))))
        assert changed is not None
        [span] = Traces(changed).spans()

        assert {"idna": "xn--bcher-kva.example", "rules": "GET", "word": "word"} == span.attributes
        with pytest.raises(PermanentError, match=r"ValueError: .* \(rules.py:11 in apply\)"):
            plugin.process(Signal.TRACES, bytes(traces(a_span(""))))


def test_an_unchanged_plugin_is_built_once(tmp_path: Path) -> None:
    """
    The second build of the same sources takes what the first made, wherever it is written to.
    """
    first = build(PROBE)
    lines: list[str] = []
    out = tmp_path / "out.wasm"

    assert out == build(PROBE, out, report=lines.append)
    assert first == build(PROBE)
    assert first.read_bytes() == out.read_bytes()
    assert ["probe: built before from the same sources"] == lines


def test_there_has_to_be_a_folder_to_write_to(tmp_path: Path) -> None:
    """
    A missing folder is named, not made.
    """
    with pytest.raises(BuildError, match=r"there is no folder .*missing to write it to"):
        build(PROBE, tmp_path / "missing" / "out.wasm")
