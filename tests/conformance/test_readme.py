"""
Prove that what the README shows is what happens: its plugin, its pipeline, its Python.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from otelwasm.build.python import build

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


def in_python(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """
    Run this Python in *folder*.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
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


def test_a_plugin_in_a_test(folder: Path) -> None:
    """
    The README's test of its plugin passes.
    """
    (folder / "test_redact.py").write_text(block("python", "def test_mail_addresses"))

    done = in_python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert 0 == done.returncode, done.stdout
    assert "1 passed" in done.stdout
