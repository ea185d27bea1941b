"""
Find the WIT files that the reference implementation is tested with; cargo fetches them.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from otelwasm.cache import cache_dir, making, write_atomically

__all__ = ["RELEASE", "upstream_tests"]

# Of wasm-tools 1.263.0.
RELEASE = "0.263.0"

_MANIFEST = f"""
[package]
name = "upstream"
version = "0.0.0"
edition = "2021"

[dependencies]
wit-component = "={RELEASE}"
wit-parser = "={RELEASE}"
"""


def upstream_tests(crate: str) -> Path:
    """
    The folder `tests` of *crate*. Where it cannot be had, skip the module; in CI, fail.
    """
    try:
        return _folder(crate) / "tests"
    except (OSError, subprocess.SubprocessError) as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"no sources of {crate}: {error}", allow_module_level=True)


def _folder(crate: str) -> Path:
    known = cache_dir("tests") / f"upstream-{RELEASE}.json"
    with making(known):
        if known.exists() and (folder := Path(json.loads(known.read_text())[crate])).is_dir():
            return folder
        folders = _fetched(cache_dir("tests", "upstream"))
        write_atomically(known, json.dumps(folders).encode())
    return Path(folders[crate])


def _fetched(scratch: Path) -> dict[str, str]:
    if shutil.which("cargo") is None:
        raise FileNotFoundError("cargo is not installed")
    (scratch / "src").mkdir(exist_ok=True)
    (scratch / "src" / "lib.rs").touch()
    (scratch / "Cargo.toml").write_text(_MANIFEST)
    found = subprocess.run(
        ["cargo", "metadata", "--quiet", "--format-version", "1"],
        cwd=scratch,
        capture_output=True,
        check=True,
        timeout=300,
    )
    packages = json.loads(found.stdout)["packages"]
    return {
        package["name"]: str(Path(package["manifest_path"]).parent)
        for package in packages
        if package["name"] in ("wit-component", "wit-parser")
    }
