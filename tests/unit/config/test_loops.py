"""
An exporter that sends to the program's own receivers is refused, or warned of.
"""

from pathlib import Path

import pytest

from otelwasm.config.document import Document
from otelwasm.config.load import load
from otelwasm.config.settings import Config
from otelwasm.errors import ConfigError
from otelwasm.registry import Registry


def loaded(folder: Path, text: str) -> Config:
    """
    What *text* says.
    """
    return load(Document.parse(text, path=folder / "p.yaml"), Registry.built_in())


def one(protocols: str, exporter: str) -> str:
    """
    A receiver and an exporter for traces.
    """
    return f"""\
receivers:
  otlp: {{protocols: {{{protocols}}}}}
exporters:
  {exporter}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [{exporter.partition(":")[0]}]}}
"""


@pytest.mark.parametrize(
    ("protocols", "exporter"),
    [
        ("grpc: {}", 'otlp: {endpoint: "localhost:4317"}'),
        ("grpc: {}", 'otlp: {endpoint: "127.0.0.1:4317"}'),
        ("grpc: {endpoint: 0.0.0.0:4317}", 'otlp: {endpoint: "http://localhost:4317"}'),
        ("grpc: {endpoint: ':4317'}", 'otlp: {endpoint: "[::1]:4317"}'),
        ("http: {}", 'otlphttp: {endpoint: "http://localhost:4318/"}'),
        ("http: {endpoint: '[::]:80'}", 'otlphttp: {traces_endpoint: "http://[::1]/x"}'),
        ("http: {endpoint: 'telemetry:4318'}", 'otlphttp: {endpoint: "http://telemetry:4318"}'),
    ],
)
def test_a_loop_is_refused(tmp_path: Path, protocols: str, exporter: str) -> None:
    """
    What would come back to its exporter is a mistake of the configuration, with its line.
    """
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, one(protocols, exporter))

    name = exporter.partition(":")[0]
    assert (
        f"{tmp_path}/p.yaml:4: exporters.{name}: sends traces to receivers.otlp of this program, "
        "from where they come back, without end; send them elsewhere"
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("protocols", "exporter"),
    [
        ("grpc: {}", 'otlp: {endpoint: "localhost:14317"}'),
        ("grpc: {}", 'otlp: {endpoint: "collector:4317"}'),
        ("grpc: {endpoint: 127.0.0.2:4317}", 'otlp: {endpoint: "127.0.0.1:4317"}'),
        ("grpc: {endpoint: 0.0.0.0:4317}", 'otlp: {endpoint: "[::1]:4317"}'),
        ("grpc: {endpoint: 0.0.0.0:4317}", 'otlp: {endpoint: "unix:/run/otlp.sock"}'),
        ("http: {}", 'otlphttp: {logs_endpoint: "http://localhost:4318/v1/logs"}'),
    ],
)
def test_other_addresses_are_no_loop(tmp_path: Path, protocols: str, exporter: str) -> None:
    """
    Another port, host, family or signal is none of our own.
    """
    assert () == loaded(tmp_path, one(protocols, exporter)).warnings


TWO = """\
receivers:
  otlp/a: {protocols: {grpc: {}}}
  otlp/b: {protocols: {http: {}}}
exporters:
  otlphttp/to-b: {endpoint: "http://localhost:4318"}
  otlp/out: {endpoint: "localhost:OUT"}
service:
  pipelines:
    traces/a: {receivers: [otlp/a], exporters: [otlphttp/to-b]}
    traces/b: {receivers: [otlp/b], exporters: [otlp/out]}
"""


def test_a_loop_over_two_pipelines_is_refused(tmp_path: Path) -> None:
    """
    Of a loop through several pipelines, each exporter is named.
    """
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, TWO.replace("OUT", "4317"))

    assert ["exporters.otlphttp/to-b", "exporters.otlp/out"] == [
        line.split(": ")[1] for line in str(caught.value).splitlines()
    ]


def test_a_hop_into_another_pipeline_is_no_loop(tmp_path: Path) -> None:
    """
    From one pipeline into another by a socket is possible, as for a plugin that is tried out.
    """
    assert () == loaded(tmp_path, TWO.replace("OUT", "14317")).warnings


def test_of_a_plugin_that_may_send_back_it_is_a_warning(tmp_path: Path) -> None:
    """
    What a plugin is allowed to post to, and not only to read, may be its own receiver.
    """
    (tmp_path / "p.wasm").touch()
    text = """\
receivers:
  wasm/in: {plugin: p.wasm, listen: {http: "localhost:8080"}}
exporters:
  wasm/out:
    plugin: p.wasm
    capabilities: {http: {allow: [{url: "http://localhost:8080/x", methods: [POST]}]}}
  wasm/reads: {plugin: p.wasm, capabilities: {http: {allow: ["http://localhost:8080/"]}}}
service:
  pipelines:
    traces: {receivers: [wasm/in], exporters: [wasm/out, wasm/reads]}
    logs: {receivers: [wasm/in], exporters: [wasm/out]}
"""
    assert (
        f"{tmp_path}/p.yaml:4: exporters.wasm/out: may send to receivers.wasm/in of this program, "
        "from where it would come back, without end; is that URL meant?",
    ) == loaded(tmp_path, text).warnings
