"""
`validate` and `inspect` print what people read and what scripts read, and exit accordingly.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime
from click.testing import CliRunner, Result

from otelwasm.cli import main
from otelwasm.contract import contract_dir
from otelwasm.wit import parse, parse_text
from unit.wit.component_text import component, component_text

CONTRACT = parse(contract_dir())
PARTS = """
(core module $main (memory 1 2) (data (i32.const 0) "0123456789")
  (@producers (language "Rust" "2024") (processed-by "rustc" "1.90.0")))
(import "wasi:cli/environment@0.2.9" (instance (export "get-environment" (func))))
"""


def otelwasm(*arguments: str | Path) -> Result:
    """
    Run a command.
    """
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """
    A component of the contract's world `exporter`.
    """
    text = component_text(CONTRACT.world("exporter")).removesuffix(")")
    path = tmp_path / "plugin.wasm"
    path.write_bytes(bytes(wasmtime.wat2wasm(f"{text} {PARTS})")))
    return path


def test_validate_says_what_a_plugin_is(plugin: Path) -> None:
    """
    A component that fits gets its world, its kind and what it asks for, and 0.
    """
    result = otelwasm("validate", plugin)

    assert (0, "") == (result.exit_code, result.stderr)
    assert result.stdout == (
        f"{plugin}: fits otelwasm:plugin/exporter@0.1.0, as an exporter\n"
        "  may ask for http, log, meter, state (http and state only if the configuration grants "
        "it)\n"
        "  imports WASI cli 0.2.9\n"
    )


def test_validate_shows_what_does_not_fit(tmp_path: Path) -> None:
    """
    Each problem is said and shown, and the exit code is 1.
    """
    text = (contract_dir() / "plugin.wit").read_text()
    other = parse_text(text.replace("rejected: u64", "rejected: u32"))
    path = tmp_path / "other.wasm"
    path.write_bytes(component(other.world("exporter")))
    result = otelwasm("validate", path)

    assert (1, "") == (result.exit_code, result.stderr)
    assert result.stdout.startswith(
        f"{path}: does not fit, 1 problem\n"
        "export otelwasm:plugin/exporting@0.1.0, function send: the result, its ok, record "
        "receipt, field rejected is u32, the contract says u64\n"
        "      record receipt {\n"
        "    -   rejected: u64,\n"
        "    +   rejected: u32,\n"
        "                  ^^^\n"
        "        message: string,\n"
        "      }\n"
        "(- what the world says, + what the component has)\n"
    )


def test_validate_takes_any_world(plugin: Path, tmp_path: Path) -> None:
    """
    `--wit` and `--world` check against the user's own; JSON has the same, and the same exit code.
    """
    wit = tmp_path / "lamp.wit"
    wit.write_text("package a:lamp; world lamp { export turn: func(on: bool); }")
    result = otelwasm("validate", plugin, "--wit", wit, "-w", "lamp", "--no-wasi", "--json")
    shown = json.loads(result.stdout)

    assert 1 == result.exit_code
    assert (str(plugin), False, None) == (shown["component"], shown["fits"], shown["world"])
    assert {"extra", "missing"} == {problem["kind"] for problem in shown["problems"]}
    texts = [problem["text"] for problem in shown["problems"]]
    assert "export turn is missing" in texts
    assert "import wasi:cli/environment@0.2.9 is not offered to a lamp" in texts


@pytest.mark.parametrize("command", ["validate", "inspect"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "No such file or directory"),
        (b"(module)", "WebAssembly in text form, not a component"),
        (bytes(wasmtime.wat2wasm("(module)")), "a core module, not a component"),
        (component(CONTRACT.world("exporter"))[:500], "bad component: cut short at byte 500"),
    ],
)
def test_what_is_no_component_is_one_message(
    tmp_path: Path, command: str, data: bytes | None, reason: str
) -> None:
    """
    Other files get one line on standard error and 2, with no traceback.
    """
    path = tmp_path / "x.wasm"
    if data is not None:
        path.write_bytes(data)
    result = otelwasm(command, path)

    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"{path}: {reason}")
    assert 1 == result.stderr.count("\n")


def test_validate_shows_mistakes_in_wit(plugin: Path, tmp_path: Path) -> None:
    """
    A mistake in the user's WIT is shown with file, line and caret, and 2.
    """
    wit = tmp_path / "lamp.wit"
    wit.write_text("package a:lamp;\nworld lamp { export turn: func(on: bol); }")
    result = otelwasm("validate", plugin, "--wit", wit)

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"{wit}:2:36: ")
    assert result.stderr.endswith(f"\n    {' ' * 35}^^^\n")


def test_inspect_shows_what_a_component_is_made_of(plugin: Path) -> None:
    """
    World, language, tools, functions, memory, sizes and hash stand one below the other.
    """
    result = otelwasm("inspect", plugin)
    lines = [line.split("  ", 2)[1:] for line in result.stdout.splitlines()[1:]]

    assert (0, "") == (result.exit_code, result.stderr)
    assert str(plugin) == result.stdout.splitlines()[0]
    for line in (
        "world         otelwasm:plugin/exporter@0.1.0, an exporter",
        "language      Rust 2024",
        "tools         rustc 1.90.0",
        "exports       otelwasm:plugin/lifecycle@0.1.0: start, tick, stop",
        "              otelwasm:plugin/exporting@0.1.0: send",
        "WASI          cli 0.2.9",
        "memory        64 KiB at the start, at most 128 KiB",
    ):
        assert f"  {line}\n" in result.stdout, lines


def test_inspect_says_what_cannot_be_told(tmp_path: Path) -> None:
    """
    A component that says nothing of its language and tools is said to be of an unknown one.
    """
    path = tmp_path / "plugin.wasm"
    path.write_bytes(component(CONTRACT.world("exporter")))
    shown = otelwasm("inspect", path).stdout

    for title in ("language      ", "tools         "):
        assert f"  {title}unknown: the component does not say\n" in shown


def test_inspect_prints_wit(plugin: Path) -> None:
    """
    `--wit` prints what the component imports and exports, as text that can be read again.
    """
    result = otelwasm("inspect", plugin, "--wit")
    packages = parse_text(result.stdout)
    world = packages.world("root")

    assert result.stdout.startswith("package root:component;\n\nworld root {\n  import ")
    assert "  export otelwasm:plugin/exporting@0.1.0;\n" in result.stdout
    assert {"otelwasm:plugin/lifecycle@0.1.0", "otelwasm:plugin/exporting@0.1.0"} == {
        extern.name for extern in world.exports
    }
    send = packages.interface("otelwasm:plugin/exporting@0.1.0").function("send")
    assert CONTRACT.interface("exporting").function("send") == send


def test_inspect_has_a_form_for_scripts(plugin: Path) -> None:
    """
    `--json` prints all of it as one document.
    """
    shown = json.loads(otelwasm("inspect", plugin, "--json").stdout)

    assert plugin.stat().st_size == shown["size_bytes"]
    assert ("exporter", "Rust 2024", ["rustc 1.90.0"]) == (
        shown["kind"],
        shown["language"],
        shown["tools"],
    )
    assert "main" == shown["modules"][0]["name"]
    assert {"code", "data", "component"} & shown["sections"].keys()


@pytest.mark.parametrize("command", ["validate", "inspect"])
def test_nothing_that_could_run_a_plugin_is_loaded(plugin: Path, command: str) -> None:
    """
    Neither wasmtime nor anything else of a pipeline is imported, which also keeps it quick.
    """
    script = (
        "import sys; from otelwasm.cli import main\n"
        "try: main()\n"
        "finally: print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, command, str(plugin)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    loaded = set(done.stderr.split())

    assert 0 == done.returncode
    assert "otelwasm.validation" in loaded
    assert set() == loaded & {
        "wasmtime",
        "google.protobuf",
        "structlog",
        "rich",
        "uvloop",
        "ctypes",
    }
