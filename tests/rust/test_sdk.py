"""
The Rust SDK's own tests, lints and generated files.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rust.cargo import SDK, cargo

GUESTS = SDK.parents[1]
CRATES = [SDK, SDK / "generator", *sorted(path.parent for path in GUESTS.glob("*/rust/Cargo.toml"))]


def require(program: str) -> None:
    """
    Skip the test where there is no such program, except in CI.
    """
    if shutil.which(program) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")


def test_cargo_test() -> None:
    """
    The crate's own tests pass: batches, views, random requests, random damage, examples in docs.
    """
    tested = cargo("test", "--quiet")

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_clippy_has_nothing_to_say() -> None:
    """
    The crate has no warnings.
    """
    require("cargo-clippy")
    linted = cargo("clippy", "--quiet", "--all-targets")

    assert (0, "") == (linted.returncode, linted.stderr)


@pytest.mark.parametrize("crate", CRATES, ids=lambda path: path.relative_to(GUESTS).as_posix())
def test_sources_are_formatted(crate: object) -> None:
    """
    All Rust sources are as `cargo fmt` writes them.
    """
    require("rustfmt")
    checked = subprocess.run(
        ["cargo", "fmt", "--check"], cwd=str(crate), capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout


def test_generated_files_are_fresh() -> None:
    """
    Bindings, schema and types are what the contract and opentelemetry-proto say now.
    """
    require("rustfmt")
    require("cargo")
    checked = subprocess.run(
        [sys.executable, SDK / "generate", "--check"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


def test_what_otelwasm_ships_of_it_is_a_crate(tmp_path: Path) -> None:
    """
    Without its tests and examples, as it lies beside an installed otelwasm, it is a crate, too.
    """
    require("cargo")
    for name in ("Cargo.toml", "README.md"):
        shutil.copy(SDK / name, tmp_path)
    shutil.copytree(SDK / "src", tmp_path / "src")
    read = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert read.returncode == 0, read.stderr


def test_sources_are_small() -> None:
    """
    No source of the crate has more than 400 lines, generated ones apart.
    """
    folders = (SDK / name for name in ("src", "tests", "examples", "generator/src"))
    sources = [path for folder in folders for path in folder.rglob("*.rs")]
    sources = [path for path in sources if "enerated by" not in path.read_text()[:100]]
    long = {path.name for path in sources if len(path.read_text().splitlines()) > 400}

    assert set() == long
