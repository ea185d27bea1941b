"""
`otelwasm bench` measures a plugin beside a nop and says what it measured; no figure is tested.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.examples import GUESTS
from otelwasm.cli import main

pytestmark = pytest.mark.usefixtures("log_as_before")
FIGURES = {"calls", "refused", "elapsed_s", "p50_s", "p90_s", "p99_s", "max_s", "calls_per_s"}


def bench(*arguments: str | Path) -> Result:
    """
    Run `otelwasm bench` for hardly any time.
    """
    given = [str(each) for each in arguments]
    return CliRunner().invoke(main, ["bench", *given, "--seconds", "0.005"])


def rows_of(result: Result) -> Sequence[dict[str, object]]:
    """
    What was measured, from its JSON.
    """
    assert result.exit_code == 0, result.output
    rows: Sequence[dict[str, object]] = json.loads(result.stdout)["rows"]
    return rows


def test_a_processor_is_measured_beside_a_nop() -> None:
    """
    Of batches of 1, 100 and 1,000 spans: how many, how much, how long, and how that compares.
    """
    result = bench(GUESTS / "add-attribute/python", "--json")
    told = json.loads(result.stdout)
    rows = rows_of(result)

    assert ("add-attribute", "processor", "from source", "direct") == (
        told["name"],
        told["kind"],
        told["form"],
        told["lane"],
    )
    assert {"processor", "cores", "python", "wasmtime", "load_before"} == told["machine"].keys()
    assert told["memory_bytes"] > 1 << 20 and told["nop_memory_bytes"] > 1 << 20
    assert [(1, "span"), (100, "span"), (1_000, "span")] == [(r["items"], r["item"]) for r in rows]
    for row in rows:
        for of in ("plugin", "nop"):
            figures = row[of]
            assert isinstance(figures, dict) and figures.keys() == FIGURES
            assert figures["calls"] >= 10 and figures["refused"] == 0
            ordered = [figures[f"{name}_s"] for name in ("p50", "p90", "p99", "max")]
            assert 0 < ordered[0] and sorted(ordered) == ordered


def test_a_table_is_for_people() -> None:
    """
    It names the plugin, each batch and figure, and says how and on what it was measured.
    """
    result = bench(GUESTS / "nop/python", "--input", GUESTS / "nop/input-logs.json")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("nop: a processor, from source, direct lane; 0.005 s for each")
    for told in (
        "input-logs.json: ",
        "calls/s",
        "log records/s",
        "MB/s",
        "p50",
        "p99",
        "max",
        "beside the nop",
        "memory of the instance: ",
        "One instance, one call after the other",
        "load before the run",
    ):
        assert told in result.stdout


def test_an_exporter_is_measured_with_a_case() -> None:
    """
    A case brings configuration, batches and what HTTP requests are answered.
    """
    rows = rows_of(bench(GUESTS / "loki/python", "--case", GUESTS / "loki", "--json"))

    assert ["input-logs.json: 2 log records, 163 B"] == [row["load"] for row in rows]


def test_a_receiver_is_measured_with_the_messages_of_a_case() -> None:
    """
    They are given in turn; refusing some is a receiver's work, too.
    """
    result = bench(GUESTS / "webhook/python", "--case", GUESTS / "webhook", "--json")

    assert [("message", 1)] == [(row["item"], row["items"]) for row in rows_of(result)]


def test_a_configuration_file_is_used(tmp_path: Path) -> None:
    """
    It holds what a pipeline says under `config:`; a mistake in it is told.
    """
    config = tmp_path / "config.yaml"
    config.write_text("kee: a\n")
    result = bench(GUESTS / "add-attribute/python", "--config", config)

    assert 2 == result.exit_code
    assert "config.kee: unknown key" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.wasm"], "missing.wasm: there is no such file or folder"),
        ([GUESTS / "loki/python"], "missing; expected str\nIts configuration comes with --config"),
        ([GUESTS / "nop/python", "--case", "missing"], "missing: there is no such folder"),
        ([GUESTS / "webhook/python"], "is a receiver, and what its messages are is not known"),
        ([GUESTS / "nop/python", "--input", "batch.json"], "call it batch-traces.json"),
        ([GUESTS / "nop/python", "--case", GUESTS / "syslog"], "messages are for receivers"),
        (
            [GUESTS / "loki/python", "--case", GUESTS / "loki", "--input", "a-logs.json"],
            "a case has its own batches",
        ),
    ],
)
def test_a_users_mistake_is_one_message(arguments: list[str | Path], told: str) -> None:
    """
    What is missing or does not go together is said, with exit code 2.
    """
    result = bench(*arguments)

    assert (2, "") == (result.exit_code, result.stdout)
    assert told in result.stderr


def test_a_plugin_that_refuses_is_not_measured(tmp_path: Path) -> None:
    """
    How fast it fails says nothing; why it does is shown.
    """
    plugin = tmp_path / "broken.py"
    plugin.write_text(
        "from otelwasm_sdk import Traces, processor\n\n\n"
        "@processor\ndef broken(batch: Traces) -> Traces:\n    return 1 / 0\n"
    )
    result = bench(plugin)

    assert 2 == result.exit_code
    assert "it refuses what it is measured with (1 span, 590 B)" in result.stderr
    assert 'File "broken.py", line 6, in broken' in result.stderr
