"""
Building the C modules of Python plugins.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from otelwasm.build import compiling, installed, native
from otelwasm.errors import BuildError


class FakeZig:
    """
    Stands for the compiler: a module is the names of its sources.
    """

    built: ClassVar[list[str]] = []

    def __init__(self, scratch: Path, **_: object) -> None: ...

    def build(
        self, target: Path, *, sources: Sequence[Path], link: Sequence[str], **_: object
    ) -> None:
        """
        Note what was asked for, and make the file.
        """
        self.built.append(link[-1].removeprefix("--export="))
        target.write_text(" ".join(source.name for source in sources))


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A copy of our C sources, and an empty cache.
    """
    folder = tmp_path / "sources"
    shutil.copytree(native._own_sources(), folder)
    monkeypatch.setattr(native, "_own_sources", lambda: folder)
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture
def fake_zig(sources: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """
    No compiler and no network; the entries of what was built.
    """
    monkeypatch.setattr(FakeZig, "built", [])
    monkeypatch.setattr(compiling, "Zig", FakeZig)
    monkeypatch.setattr(compiling, "upb_sources", lambda version, scratch: sources)
    return FakeZig.built


def test_folder_holds_both_modules_for_wasm() -> None:
    """
    The folder holds protobuf's core and our extension, both WebAssembly, and nothing else.
    """
    folder = native.native_modules()

    modules = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    assert {"google/_upb/_message.abi3.so", "otelwasm_native.abi3.so"} == set(modules)
    assert {b"\0asm"} == {path.read_bytes()[:4] for path in modules.values()}


def test_what_was_built_is_not_built_again(fake_zig: list[str]) -> None:
    """
    A second call finds the first one's modules.
    """
    first = native.native_modules()
    second = native.native_modules()

    assert first == second
    assert ["PyInit__message", "PyInit_otelwasm_native"] == fake_zig


def test_a_changed_source_rebuilds_its_module_alone(fake_zig: list[str], sources: Path) -> None:
    """
    Changing a file of our extension gives a new folder, and leaves protobuf's core as built.
    """
    first = native.native_modules()
    (sources / "module.c").write_text("/* changed */")
    second = native.native_modules()

    assert first != second
    assert ["PyInit__message", "PyInit_otelwasm_native", "PyInit_otelwasm_native"] == fake_zig


def test_a_changed_header_rebuilds_all(fake_zig: list[str], sources: Path) -> None:
    """
    Both modules are compiled against our Python.h.
    """
    native.native_modules()
    (sources / "include" / "Python.h").write_text("/* changed */")
    native.native_modules()

    assert 2 * ["PyInit__message", "PyInit_otelwasm_native"] == fake_zig


def test_progress_is_reported(fake_zig: list[str]) -> None:
    """
    Whoever waits for the first build is told what is being done.
    """
    lines: list[str] = []
    native.native_modules(lines.append)

    assert ["fetching", "compiling", "compiling"] == [line.split()[0] for line in lines]


@pytest.mark.parametrize("package", ["ziglang", "protobuf"])
def test_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without the compiler's package, or protobuf, the error says what to install.
    """
    others = {name: version for name, version in installed._described().items() if name != package}

    def unknown(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installed, "_described", lambda: others)
    monkeypatch.setattr(importlib.metadata, "version", unknown)

    with pytest.raises(BuildError, match=f"pip install {package}"):
        native.native_modules()


def test_missing_pip_is_named(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without pip in the environment the error says how to get it.
    """
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(BuildError, match="-m ensurepip"):
        native.native_modules()


def test_sources_that_cannot_be_fetched(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When pip finds no source package, the error says so, with pip's own words.
    """
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(sources))

    with pytest.raises(BuildError, match=r"could not fetch the sources of protobuf(.|\n)*ERROR"):
        native.native_modules()


def test_compiler_errors_are_shown(sources: Path) -> None:
    """
    What does not compile is named, with the compiler's own words.
    """
    (sources / "wire.c").write_text("int broken(void) { return nothing; }\n")

    with pytest.raises(BuildError, match=r"wire\.c does not compile(.|\n)*wire\.c:1:"):
        native.host_extension()


def test_several_processes_build_at_once(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Processes that start with the same empty cache all get the one folder, and leave no other.
    """
    code = (
        "from otelwasm.build import native; from pathlib import Path;"
        f"native._own_sources = lambda: Path({str(sources)!r});"
        "print(native.host_extension())"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    command = [sys.executable, "-c", code]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=sources) for _ in range(2)
    ]
    folders = {process.communicate(timeout=300)[0].strip() for process in processes}

    assert [0, 0] == [process.returncode for process in processes]
    native_cache = sources.parent / "cache" / "native"
    assert folders == {str(path) for path in native_cache.iterdir() if path.is_dir()}
