"""
A plugin's sources are understood, or refused with file and line, before anything is built.
"""

import gc
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otelwasm.build.source import read_source
from otelwasm.errors import BuildError

PLUGIN = """
from otelwasm_sdk import Traces, processor

@processor
def redact(batch: Traces) -> Traces:
    return batch
"""


def write(folder: Path, name: str, text: str = PLUGIN) -> Path:
    """
    Write one file of a plugin.
    """
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_a_plugin(tmp_path: Path) -> None:
    """
    A file alone is the plugin, called like it; its neighbours are not part of it.
    """
    write(tmp_path, "other.py")
    source = read_source(write(tmp_path, "redact.py"))

    assert ("redact.py", "processor", "redact") == (source.entry, source.kind, source.name)
    assert ["redact.py"] == list(source.files)
    assert "" == source.requirements


def test_a_folder_is_a_plugin(tmp_path: Path) -> None:
    """
    A folder is the plugin with all it holds, but for what tools leave behind.
    """
    folder = tmp_path / "redact"
    for name in ("plugin.py", "rules.py", "data/words.txt"):
        write(folder, name)
    for name in (".git/config", "__pycache__/plugin.pyc", "venv/x.py", "redact.wasm"):
        write(folder, name)
    write(folder, "requirements.txt", "idna>=3\n")
    source = read_source(folder)

    assert ("plugin.py", "redact") == (source.entry, source.name)
    assert ["data/words.txt", "plugin.py", "requirements.txt", "rules.py"] == sorted(source.files)
    assert "idna>=3\n" == source.requirements


@pytest.mark.parametrize(
    "text",
    [
        "from otelwasm_sdk import Logs, exporter\n@exporter\nclass Out:\n    pass\n",
        "import otelwasm_sdk\n@otelwasm_sdk.exporter\ndef out(batch): pass\n",
        "import otelwasm_sdk as sdk\n@sdk.exporter\ndef out(batch): pass\n",
        "from otelwasm_sdk import exporter as e\n@e\ndef out(batch): pass\n",
    ],
)
def test_the_decorator_says_the_kind(tmp_path: Path, text: str) -> None:
    """
    The kind is found under whatever name the decorator was imported by.
    """
    assert "exporter" == read_source(write(tmp_path, "out.py", text)).kind


def test_newer_syntax_than_this_pythons_is_left_to_the_guest(tmp_path: Path) -> None:
    """
    A file that only the Python in the component understands has its kind all the same.
    """
    source = read_source(write(tmp_path, "new.py", f"{PLUGIN}\nx = t'template' if 1 else 0\n"))

    assert "processor" == source.kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (1,\ny = 2\n", "p.py:1: SyntaxError: '(' was never closed"),
        ("def f(:\n", "p.py:1: SyntaxError: invalid syntax"),
        ("", "p.py: no plugin in it: put @processor, @exporter or @receiver before"),
        (
            "def processor(f): return f\n@processor\ndef p(): pass\n",
            "p.py:2: @processor is not imported",
        ),
        (
            PLUGIN + "@processor\nclass Other:\n    pass\n",
            "p.py: one plugin a file, not 2: @processor redact at line 5, @processor Other at",
        ),
        ("# /// script\n# dependencies = [\n# ///\n" + PLUGIN, "p.py: the `# /// script` block is"),
        ("# /// script\n# dependencies = [1]\n# ///\n" + PLUGIN, "is a list of strings"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """
    Syntax errors, missing and double declarations are refused with file and line.
    """
    with pytest.raises(BuildError) as raised:
        read_source(write(tmp_path, "p.py", text))

    assert message in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path))


def test_cases_and_a_pipeline_are_no_part_of_a_plugin(tmp_path: Path) -> None:
    """
    What `otelwasm test` and `run` read changes no component; a package `cases` is the plugin's.
    """
    (tmp_path / "plugin.py").write_text(
        "from otelwasm_sdk import processor\n@processor\ndef p(): ...\n"
    )
    (tmp_path / "cases" / "first").mkdir(parents=True)
    (tmp_path / "cases" / "first" / "case.toml").touch()
    (tmp_path / "pipeline.yaml").touch()
    without = read_source(tmp_path).files.keys()
    (tmp_path / "cases" / "__init__.py").touch()

    assert {"plugin.py"} == without
    assert "cases/__init__.py" in read_source(tmp_path).files


def test_what_a_pipeline_writes_is_no_part_of_a_plugin(tmp_path: Path) -> None:
    """
    A log and an exporter's file in the plugin's own folder change no plugin, nor do what a pipeline
    keeps and quarantines; a package `state` is the plugin's.
    """
    (tmp_path / "plugin.py").write_text(
        "from otelwasm_sdk import processor\n@processor\ndef p(): ...\n"
    )
    (tmp_path / "words.txt").write_text("read by the plugin")
    for folder in ("quarantine", "state"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1-traces.otlp").touch()
    with open(tmp_path / "run.log", "w"), open(tmp_path / "words.txt"):
        without = read_source(tmp_path).files.keys()
    (tmp_path / "state" / "__init__.py").touch()

    assert {"plugin.py", "words.txt"} == without
    assert "state/__init__.py" in read_source(tmp_path).files


def test_inline_metadata_names_requirements(tmp_path: Path) -> None:
    """
    The `# /// script` block of a file lists what it requires.
    """
    text = '# /// script\n# requires-python = ">=3.14"\n# dependencies = [\n#   "idna>=3",\n'
    text += "#   \"tomli; python_version < '3'\",\n# ]\n# ///\n"
    source = read_source(write(tmp_path, "p.py", text + PLUGIN))

    assert "idna>=3\ntomli; python_version < '3'" == source.requirements


def test_what_is_no_plugin_is_named(tmp_path: Path) -> None:
    """
    A missing path, another kind of file and a folder without plugin.py are refused by name.
    """
    cases = {
        tmp_path / "missing.py": "does not exist; a plugin is a .py file, or a folder with",
        write(tmp_path, "notes.txt"): "is no Python file and no folder",
        write(tmp_path, "empty/x.py").parent: "has no plugin.py",
    }
    for path, message in cases.items():
        with pytest.raises(BuildError) as raised:
            read_source(path)

        assert str(raised.value).startswith(f"{path} {message}")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """
    Python sources are UTF-8; others are refused by name.
    """
    path = tmp_path / "p.py"
    path.write_bytes(b"# \xff\n")

    with pytest.raises(BuildError, match=r"p.py: not UTF-8"):
        read_source(path)


def test_a_folder_with_far_too_much_is_refused(tmp_path: Path) -> None:
    """
    Pointing at a whole project does not copy it into a plugin.
    """
    write(tmp_path, "plugin.py")
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(65 << 20)

    with pytest.raises(BuildError, match="65 MiB in 2 files, the limit is 64 MiB"):
        read_source(tmp_path)


class _Garbage:
    """
    What only the garbage collector finds, and lets another thread go on as it ends.
    """

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0)


def test_plugins_are_read_at_the_same_time(tmp_path: Path) -> None:
    """
    As all plugins of a pipeline are when it starts, with garbage to collect meanwhile.
    """
    path = write(tmp_path, "plugin.py", PLUGIN + "x = [[[1]]]\n" * 100)

    def read(_: int) -> str:
        _Garbage()
        return read_source(path).kind

    thresholds = gc.get_threshold()
    gc.set_threshold(20)
    try:
        with ThreadPoolExecutor(4) as threads:
            kinds = list(threads.map(read, range(300)))
    finally:
        gc.set_threshold(*thresholds)

    assert ["processor"] * 300 == kinds
