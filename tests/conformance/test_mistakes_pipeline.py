"""
What does not fit between a pipeline and its plugin is one message, with the pipeline's line.
"""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import SetupError
from otelwasm.service import Pipeline

PLUGIN = """\
from otelwasm_sdk import Traces, processor

@processor
def mine(batch: Traces) -> Traces:
    return batch
"""
PIPELINE = """\
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  wasm/mine:
    plugin: mine.py
exporters:
  debug: {}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [wasm/mine], exporters: [debug]}
"""

# What is changed in which of the two, and what it leads to; DIR is their folder.
MISTAKES = {
    "a signal that the plugin does not handle": (
        ("    traces:", "    logs:"),
        "p.yaml:4: processors.wasm/mine: plugin 'mine' handles traces, but pipelines of logs list"
        " it",
    ),
    "a processor in the place of an exporter": (
        ("debug: {}", "wasm/mine: {plugin: mine.py}", "[debug]", "[wasm/mine]"),
        "p.yaml:7: exporters.wasm/mine: plugin 'mine': DIR/mine.py is made for the world"
        " 'processor'; expected 'exporter'",
    ),
    "a configuration for a plugin without one": (
        ("plugin: mine.py", "plugin: mine.py\n    config: {key: 1}"),
        "p.yaml:4: processors.wasm/mine: plugin 'mine' did not start: config.key: unknown key;"
        " mine takes no configuration",
    ),
    "ticks for a plugin without a tick": (
        ("plugin: mine.py", "plugin: mine.py\n    tick_interval: 1s"),
        "p.yaml:4: processors.wasm/mine: plugin 'mine': DIR/mine.py has no `tick`, which"
        " tick_interval asks for",
    ),
    "a plugin with a mistake of its own": (
        ("batch: Traces", "batch: Trace"),
        "p.yaml:4: processors.wasm/mine: DIR/mine.py:3: mine: an annotation names what is not"
        " there: name 'Trace' is not defined",
    ),
    "a folder without a plugin": (
        ("plugin: mine.py", "plugin: ."),
        "p.yaml:4: processors.wasm/mine: DIR holds no plugin: there is no plugin.py (Python),"
        " Cargo.toml (Rust), go.mod (Go) or package.json (JavaScript) in it",
    ),
    "a file that is no component": (
        ("plugin: mine.py", "plugin: p.yaml"),
        "p.yaml:4: processors.wasm/mine: plugin 'mine': p.yaml: not WebAssembly: it begins"
        " with b'receiver'",
    ),
}


def checked(folder: Path, *changes: str) -> str:
    """
    What `otelwasm check` finds in a pipeline and its plugin, where *changes* take turns: what is
    there, and what stands in its place.
    """
    path = folder / "p.yaml"
    pipeline, plugin = PIPELINE, PLUGIN
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        pipeline, plugin = pipeline.replace(old, new), plugin.replace(old, new)
    path.write_text(pipeline)
    (folder / "mine.py").write_text(plugin)
    with pytest.raises(SetupError) as raised:
        asyncio.run(Pipeline.from_yaml(path).check())
    return str(raised.value).replace(f"{path}:", "p.yaml:").replace(str(folder), "DIR")


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_plugin_that_does_not_fit_does_not_start(
    tmp_path: Path, changes: tuple[str, ...], message: str
) -> None:
    """
    The pipeline's line comes first, then the plugin's own.
    """
    assert message == checked(tmp_path, *changes)


def test_a_signal_that_passes_a_plugin_by_is_said(tmp_path: Path) -> None:
    """
    A plugin of traces in a pipeline of logs, too: a warning, as it may emit some.
    """
    traces = PIPELINE[PIPELINE.index("    traces:") :]
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE + traces.replace("traces", "logs"))
    (tmp_path / "mine.py").write_text(PLUGIN)
    with capture_logs() as lines:
        asyncio.run(Pipeline.from_yaml(path).check())

    [warning] = [line for line in lines if line["log_level"] == "warning"]
    assert ("mine", "logs") == (warning["plugin"], warning["passing"])


def test_a_tick_that_nothing_calls_is_said(tmp_path: Path) -> None:
    """
    A plugin that does its work by time, in a pipeline without a `tick_interval`, would do none.
    """
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    (tmp_path / "mine.py").write_text(
        "from otelwasm_sdk import Traces, processor\n\n@processor\nclass Mine:\n"
        "    def process(self, batch: Traces) -> Traces:\n        return batch\n\n"
        "    def tick(self) -> None: ...\n"
    )
    with capture_logs() as lines:
        asyncio.run(Pipeline.from_yaml(path).check())

    said = [(line["event"], line["plugin"]) for line in lines if "nothing calls" in line["event"]]
    assert [("nothing calls the plugin's `tick`, as there is no tick_interval", "mine")] == said
