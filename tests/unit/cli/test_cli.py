"""
The command line says in one message what a user has to mend, and exits with 2.
"""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otelwasm.cli import building, main

pytestmark = pytest.mark.usefixtures("log_as_before")
GOOD = """\
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
exporters:
  debug: {}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
"""


def otelwasm(*arguments: str | Path) -> Result:
    """
    Run a command.
    """
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_good_configuration_is_good(tmp_path: Path) -> None:
    """
    `check` says so and exits with 0.
    """
    path = tmp_path / "p.yaml"
    path.write_text(GOOD)
    result = otelwasm("check", path)

    assert (result.exit_code, result.stdout) == (0, f"{path}: all good\n")


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_mistake_is_one_message_and_exit_code_2(tmp_path: Path, command: str) -> None:
    """
    Nothing but the message is written, on standard error; there is no traceback.
    """
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace("debug: {}", "debug: {verbosity: loud}"))
    result = otelwasm(command, path)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"{path}:4: exporters.debug.verbosity: "
        "expected one of basic, normal, detailed, not 'loud'\n"
    )


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_missing_configuration_is_named(tmp_path: Path, command: str) -> None:
    """
    The file is named with the reason.
    """
    result = otelwasm(command, tmp_path / "nope.yaml")

    assert result.exit_code == 2
    assert result.stderr == (f"{tmp_path}/nope.yaml: cannot be read: No such file or directory\n")


def test_a_component_is_not_written_over_a_folder(tmp_path: Path) -> None:
    """
    `build` says so before it builds anything.
    """
    (tmp_path / "plugin.py").write_text("no plugin")
    result = otelwasm("build", tmp_path / "plugin.py", "-o", tmp_path)

    assert result.exit_code == 2
    assert result.stderr == (
        f"{tmp_path}: is a folder; name the file to write, such as {tmp_path}/plugin.wasm\n"
    )


def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whichever file it is that a command cannot read or write: one message, and no traceback.
    """

    def fails(*_: object) -> None:
        open(tmp_path / "none" / "file", "wb")  # noqa: SIM115 - it fails

    monkeypatch.setattr(building, "build_plugin", fails)
    result = otelwasm("build", tmp_path)

    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path}/none/file: No such file or directory\n"


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_file_that_is_no_component_is_named(tmp_path: Path, command: str) -> None:
    """
    A plugin that cannot be loaded keeps everything from starting, and its file is named.
    """
    (tmp_path / "plugin.wasm").write_text("this is no component")
    path = tmp_path / "p.yaml"
    path.write_text(
        GOOD.replace(
            "exporters:\n", "processors: {wasm/x: {plugin: plugin.wasm}}\nexporters:\n", 1
        ).replace("receivers: [otlp],", "receivers: [otlp], processors: [wasm/x],")
    )
    result = otelwasm(command, path)

    assert result.exit_code == 2
    assert f"{tmp_path}/plugin.wasm" in result.stderr
    assert "Traceback" not in result.output


def test_warnings_are_told(tmp_path: Path) -> None:
    """
    What is defined and not used is said, with its line, but is no mistake.
    """
    path = tmp_path / "p.yaml"
    path.write_text(GOOD.replace("debug: {}", "debug: {}\n  debug/two: {}"))
    result = otelwasm("check", path)

    assert result.exit_code == 0
    assert f"{path}:5: exporters.debug/two: defined, but no pipeline lists it" in result.stderr


def test_bindings_are_written(tmp_path: Path) -> None:
    """
    `bindgen` writes a package for a world of one's own and lists its files.
    """
    wit = tmp_path / "my.wit"
    wit.write_text(
        "package my:plugin@1.0.0;\nworld greeter { export greet: func(name: string) -> string; }\n"
    )
    result = otelwasm("bindgen", wit, "--world", "greeter", "-o", tmp_path / "out")

    assert result.exit_code == 0, result.output
    assert f"{tmp_path}/out/__init__.py" in result.stdout.splitlines()
    assert "def greet(self, name: str) -> str" in (tmp_path / "out" / "greeter.py").read_text()


def test_an_unknown_world_is_named(tmp_path: Path) -> None:
    """
    The message has the worlds that there are.
    """
    wit = tmp_path / "my.wit"
    wit.write_text("package my:plugin@1.0.0;\nworld greeter {}\n")
    result = otelwasm("bindgen", wit, "--world", "greter", "-o", tmp_path / "out")

    assert result.exit_code == 2
    assert result.stderr == f"{wit}: no world 'greter'; worlds: greeter\n"


def test_a_source_that_is_missing_is_named(tmp_path: Path) -> None:
    """
    `build` says which file it does not find.
    """
    result = otelwasm("build", tmp_path / "nope.py")

    assert result.exit_code == 2
    assert f"{tmp_path}/nope.py" in result.stderr


def test_the_version_is_told() -> None:
    """
    `--version` names the program and its version.
    """
    try:
        expected = f"otelwasm, version {version('otelwasm')}\n"
    except PackageNotFoundError:
        pytest.skip("otelwasm is not installed, so that it has no version")

    assert otelwasm("--version").stdout == expected
