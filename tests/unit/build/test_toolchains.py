"""
Compilers are found where they are, and what is missing is said with the command that gets it.
"""

from pathlib import Path

import pytest

from otelwasm.build import toolchains
from otelwasm.build.toolchains import find_go, find_rust, missing
from otelwasm.errors import BuildError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    The only folder of the PATH, with nothing in it.
    """
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(toolchains, "_SYSTEM_PROGRAMS", tmp_path / "system")
    return folder


def program(folder: Path, name: str, script: str = "") -> Path:
    """
    Put a shell script into *folder*.
    """
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def rust(folder: Path, sysroot: Path) -> Path:
    """
    Put a Rust toolchain into *folder* whose libraries are in *sysroot*.
    """
    program(folder, "rustc", f'[ "$1" = --print ] && echo "{sysroot}" || echo "rustc 1.96.0"')
    return program(folder, "cargo")


def touch(path: Path) -> Path:
    """
    Make an empty file, and the folders above it.
    """
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def target_library(sysroot: Path) -> Path:
    """
    The compiled standard library for plugins.
    """
    return touch(sysroot / "lib/rustlib/wasm32-unknown-unknown/lib/libstd-1.rlib")


def library_sources(sysroot: Path) -> Path:
    """
    The standard library's sources.
    """
    return touch(sysroot / "lib/rustlib/src/rust/library/Cargo.lock")


def test_without_rust_it_says_how_to_get_it(programs: Path) -> None:
    """
    With nothing there, the way from the beginning is told; with rustup or Debian's tools, theirs.
    """
    nothing = missing("rust")
    program(programs, "apt-get")
    debian = missing("rust")
    program(programs, "rustup")
    both = missing("rust")

    target = "rustup target add wasm32-unknown-unknown"
    packages = "apt-get install rustc-web cargo-web rust-web-src lld"
    assert nothing and nothing.endswith(
        f"not on the PATH; to get it: install Rust as https://rustup.rs says, then: {target}"
    )
    assert debian and debian.endswith(f"then: {target}, or: {packages}")
    assert both and both.endswith(f"to get it: {target}, or: {packages}")


def test_rust_without_the_target_is_named(programs: Path, tmp_path: Path) -> None:
    """
    A toolchain that cannot compile for WebAssembly is named in the message.
    """
    rust(programs, tmp_path / "sysroot")
    program(programs, "rustup")

    with pytest.raises(BuildError) as raised:
        find_rust(tmp_path)

    assert (
        "Rust plugins are compiled for wasm32-unknown-unknown, whose standard library is missing in"
        f" what there is ({programs / 'rustc'}); to get it: rustup target add"
        " wasm32-unknown-unknown"
    ) == str(raised.value)


def test_rust_with_the_target_needs_nothing_else(programs: Path, tmp_path: Path) -> None:
    """
    The target's own library is what a toolchain is chosen by.
    """
    target_library(tmp_path / "sysroot")
    cargo = rust(programs, tmp_path / "sysroot")

    found = find_rust(tmp_path)

    assert (str(cargo), "rustc 1.96.0", ()) == (found.cargo, found.version, found.flags)
    assert {"RUSTC": str(programs / "rustc")} == found.environment


def test_the_library_is_built_from_its_sources(programs: Path, tmp_path: Path) -> None:
    """
    Debian's toolchain beside another one has the library's sources: they are compiled, and linked
    by whatever linker for WebAssembly there is.
    """
    library_sources(tmp_path / "debian")
    rust(programs, tmp_path / "sysroot")
    cargo = rust(tmp_path / "system", tmp_path / "debian")
    without = missing("rust")
    linker = touch(tmp_path / "sysroot/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld")
    brought = find_rust(tmp_path)
    lld = program(programs, "wasm-ld")
    installed = find_rust(tmp_path)

    assert without and without.startswith("Rust plugins are compiled for")
    assert (str(cargo), ("-Zbuild-std=std,panic_abort",)) == (brought.cargo, brought.flags)
    linkers = [
        found.environment["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"]
        for found in (brought, installed)
    ]
    assert [str(linker), str(lld)] == linkers


def test_a_toolchain_that_does_not_run_says_why(programs: Path) -> None:
    """
    What rustup says of a toolchain that it does not have is passed on.
    """
    program(programs, "cargo")
    program(programs, "rustc", "echo 'error: toolchain 1.2 is not installed' >&2; exit 1")

    reason = missing("rust")

    rustc = programs / "rustc"
    assert f"{rustc} does not run: error: toolchain 1.2 is not installed" == reason


def test_go_is_found_or_told_how_to_get(programs: Path, tmp_path: Path) -> None:
    """
    There has to be a Go, in a version that the SDK builds with.
    """
    without = missing("go")
    program(programs, "go", "echo go1.21.3")
    old = missing("go")
    program(programs, "go", "echo go1.30.1")

    how = "get Go 1.26 or later from https://go.dev/dl"
    assert f"Go plugins are compiled by Go, and there is no go on the PATH: {how}" == without
    assert f"Go plugins need Go 1.26 or later, {programs / 'go'} is go1.21.3: {how}" == old
    assert "go1.30.1" == find_go(tmp_path).version


def test_javascript_needs_node_and_npm(programs: Path) -> None:
    """
    Node.js without npm builds no plugin.
    """
    program(programs, "node")
    without = missing("javascript")
    program(programs, "npm")

    assert without and without.startswith("building a JavaScript plugin needs npm")
    assert missing("javascript") is None
