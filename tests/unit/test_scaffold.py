"""
A new plugin's folder: what is in it, and what is refused.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from otelwasm.cli import main
from otelwasm.errors import SetupError
from otelwasm.scaffold import KINDS, LANGUAGES, Language, new_plugin, steps
from otelwasm_sdk.definition import Kind

EVERYWHERE = {".gitignore", "README.md", "pipeline.yaml", "cases/first/case.toml"}
OF_LANGUAGE = {
    "python": {"plugin.py", "test_plugin.py"},
    "rust": {"Cargo.toml", "src/lib.rs"},
    "go": {"go.mod", "main.go", "main_test.go"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_folder_has_what_its_language_takes(
    kind: Kind, language: Language, tmp_path: Path
) -> None:
    """
    There are a plugin, a case with what is expected, a pipeline and the commands to go on with.
    """
    folder = tmp_path / "tidy-up"

    made = new_plugin(kind, folder, language)

    names = {path.relative_to(folder).as_posix() for path in made}
    assert EVERYWHERE | OF_LANGUAGE[language] <= names
    assert any(name.startswith("cases/first/expected") for name in names)
    texts = {path: path.read_text() for path in made}
    assert not [path for path, text in texts.items() if "my-plugin" in text]
    assert "wasm/tidy-up" in texts[folder / "pipeline.yaml"]
    readme = texts[folder / "README.md"]
    assert all(command in readme for command, _ in steps(kind, "tidy-up", language))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_in_python_passes_its_own_tests(kind: Kind, tmp_path: Path) -> None:
    """
    `python -m pytest` in the new folder passes.
    """
    folder = tmp_path / "tidy-up"
    new_plugin(kind, folder)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout
    assert "1 passed" in done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """
    A folder that holds something is refused, and stays as it is.
    """
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(SetupError, match="is there already, and not empty: choose another name"):
        new_plugin("processor", tmp_path)

    assert ["notes.txt"] == [path.name for path in tmp_path.iterdir()]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """
    A folder that was made before is good, if nothing is in it.
    """
    folder = tmp_path / "tidy"
    folder.mkdir()

    new_plugin("processor", folder)

    assert (folder / "plugin.py").is_file()


@pytest.mark.parametrize("name", ["1st", "with space", "ä", "a.b", "-x", "_x"])
def test_a_bad_name_is_refused(name: str, tmp_path: Path) -> None:
    """
    What can be no crate's or module's name is refused with a reason, and nothing is made.
    """
    with pytest.raises(SetupError, match="cannot be a plugin's name"):
        new_plugin("processor", tmp_path / name)

    assert [] == list(tmp_path.iterdir())


def test_the_name_of_a_language_is_refused(tmp_path: Path) -> None:
    """
    A folder that is called so would go by the name of the one above.
    """
    with pytest.raises(SetupError, match="'rust' is a language's name; call the plugin by what"):
        new_plugin("processor", tmp_path / "rust", "rust")


def test_a_crate_is_called_like_nothing_else(tmp_path: Path) -> None:
    """
    A plugin may be called like a crate that it uses, or like a word of Rust's.
    """
    for name in ("serde", "match", "tidy-plugin"):
        new_plugin("processor", tmp_path / name, "rust")

    crates = [tomllib.loads(path.read_text()) for path in sorted(tmp_path.glob("*/Cargo.toml"))]
    assert ["match-plugin", "serde-plugin", "tidy-plugin"] == [
        crate["package"]["name"] for crate in crates
    ]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """
    A file in the way is one message, with the path.
    """
    (tmp_path / "file").write_text("")

    with pytest.raises(SetupError, match="file/tidy cannot be made: Not a directory"):
        new_plugin("processor", tmp_path / "file" / "tidy")


def test_the_command_says_how_to_go_on(tmp_path: Path) -> None:
    """
    `otelwasm new` names each file it made, and the commands that come next.
    """
    folder = tmp_path / "tidy"

    result = CliRunner().invoke(main, ["new", "exporter", str(folder)])

    assert 0 == result.exit_code
    assert f"  {folder}/plugin.py\n" in result.stdout
    assert f"  cd {folder}\n" in result.stdout
    assert "  otelwasm run --watch pipeline.yaml\n" in result.stdout


def test_a_mistake_is_one_message(tmp_path: Path) -> None:
    """
    A refusal is printed, without a traceback, and the exit code is 2.
    """
    result = CliRunner().invoke(main, ["new", "processor", str(tmp_path / "1st")])

    assert 2 == result.exit_code
    assert result.stderr.startswith("'1st' cannot be a plugin's name")
