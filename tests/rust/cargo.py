"""
Run cargo for the Rust SDK, on the machine that runs the tests: no Wasm here.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["SDK", "cargo"]

SDK = Path(__file__).resolve().parents[2] / "guests/sdk/rust"


def cargo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """
    Let cargo do it in the SDK's folder; skip the test where there is no cargo, except in CI.
    """
    program = shutil.which("cargo")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("cargo is not installed")
        pytest.skip("cargo is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otelwasm"
    environment = {"CARGO_TARGET_DIR": str(cache / "rust/native")} | os.environ
    return subprocess.run(
        [program, *arguments, "--locked", "--all-features"],
        cwd=SDK,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
