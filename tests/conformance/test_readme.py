"""
Prove that what the README shows is what happens: its plugin, its pipeline, its Python.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.building import built
from otelwasm.build import build

README = Path(__file__).resolve().parents[2] / "README.md"
ONE_SPAN = """
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

request = ExportTraceServiceRequest()
span = request.resource_spans.add().scope_spans.add().spans.add(name="hello")
span.attributes.add(key="enduser.id").value.string_value = "ada"
payload = request.SerializeToString()
"""


def block(language: str, having: str) -> str:
    """
    The README's one code block of *language* that contains *having*.
    """
    blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)
    [found] = [text for text in blocks if having in text]
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with the README's plugin and pipeline in it.
    """
    (tmp_path / "redact.py").write_text(block("python", "@processor"))
    (tmp_path / "pipeline.yaml").write_text(block("yaml", "wasm/redact"))
    return tmp_path


def in_python(
    folder: Path, *arguments: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """
    Run this Python in *folder*, with *environment* besides its own.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_pipeline_passes_its_check(folder: Path) -> None:
    """
    `otelwasm check pipeline.yaml` finds nothing wrong with the README's pipeline.
    """
    done = in_python(folder, "-m", "otelwasm", "check", "pipeline.yaml")

    assert 0 == done.returncode, done.stderr


def test_one_plugin_in_a_program(folder: Path) -> None:
    """
    The README's program with one plugin gets the payload back with the user's id hashed.
    """
    build(folder / "redact.py", folder / "redact.wasm")
    program = ONE_SPAN + block("python", "with Plugin(") + "\nprint(b'ada' in changed)\n"

    done = in_python(folder, "-c", program)

    assert (0, "False\n") == (done.returncode, done.stdout), done.stderr


def test_a_pipeline_in_a_program(folder: Path) -> None:
    """
    The README's program with a pipeline leaves the span it sent in out.jsonl, its id hashed.
    """
    done = in_python(folder, "-c", block("python", "CONFIG = {"))
    [line] = (folder / "out.jsonl").read_text().splitlines()
    [span] = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    [attribute] = span["attributes"]

    assert 0 == done.returncode, done.stderr
    assert "hello" == span["name"]
    assert "enduser.id" == attribute["key"]
    assert re.fullmatch("[0-9a-f]{64}", attribute["value"]["stringValue"])


def test_plugins_in_tests(folder: Path) -> None:
    """
    The README's tests of its plugins pass.
    """
    (folder / "post.py").write_text(block("python", "@exporter"))
    (folder / "test_redact.py").write_text(block("python", "def test_mail_addresses"))
    (folder / "test_post.py").write_text(block("python", "def test_a_busy_server"))

    done = in_python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert 0 == done.returncode, done.stdout
    assert "2 passed" in done.stdout


def test_a_receiver_and_an_exporter(folder: Path) -> None:
    """
    The README's receiver makes a log record of a request; its exporter posts it.
    """
    (folder / "webhook.py").write_text(block("python", "@receiver"))
    (folder / "post.py").write_text(block("python", "@exporter"))
    program = """
from otelwasm.testing import Trial, a_message
from otelwasm_sdk.http import Response
from post import post
from webhook import webhook

with Trial(webhook) as trial:
    print(trial.receive(a_message("pushed", target="/hook")).status)
[logs] = trial.emitted
print([(record.body, record.attributes["url.path"]) for record in logs.log_records()])
with Trial(post, http=lambda request: Response(200)) as trial:
    trial.send(logs)
print([(request.method, request.url, request.body == bytes(logs)) for request in trial.requested])
"""

    done = in_python(folder, "-c", program)

    expected = [
        "202",
        "[('pushed', '/hook')]",
        "[('POST', 'https://collect.example.com/v1/batches', True)]",
    ]
    assert expected == done.stdout.splitlines(), done.stderr


def test_the_pipeline_with_plugins_of_all_kinds_passes_its_check(folder: Path) -> None:
    """
    The README's receiver and exporter have keys that `otelwasm check` knows.
    """
    (folder / "webhook.py").write_text(block("python", "@receiver"))
    (folder / "post.py").write_text(block("python", "@exporter"))
    service = "{pipelines: {logs: {receivers: [wasm/webhook], exporters: [wasm/post]}}}"
    (folder / "all.yaml").write_text(block("yaml", "wasm/webhook") + f"service: {service}\n")

    done = in_python(folder, "-m", "otelwasm", "check", "all.yaml", TOKEN="secret")

    assert 0 == done.returncode, done.stderr


def test_a_rust_plugin_outside_of_a_checkout(folder: Path) -> None:
    """
    The README's Rust plugin is built with the SDK that otelwasm brings, and does what it says.
    """
    source = folder / "tag" / "src"
    source.mkdir(parents=True)
    (source / "lib.rs").write_text(block("rust", "otelwasm_sdk::processor!"))
    (folder / "tag" / "Cargo.toml").write_text(
        '[package]\nname = "tag"\nversion = "0.1.0"\nedition = "2024"\n'
        '[lib]\ncrate-type = ["cdylib"]\n'
        '[dependencies]\notelwasm-sdk = "0.1"\n'
    )
    program = ONE_SPAN + (
        "from otelwasm import Plugin, Signal\n"
        f"with Plugin({str(built(folder / 'tag', 'rust'))!r}) as tag:\n"
        "    print(b'production' in tag.process(Signal.TRACES, payload))\n"
    )

    done = in_python(folder, "-c", program)

    assert "True\n" == done.stdout, done.stderr


def test_a_collector_processor_is_a_plugin() -> None:
    """
    The README's Go plugin is the example attributes, which is built and tested with the others.
    """
    example = README.parent / "guests" / "attributes" / "go" / "main.go"

    assert example.read_text().endswith(block("go", "attributesprocessor"))
