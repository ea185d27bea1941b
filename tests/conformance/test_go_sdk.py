"""
The Go SDK's own tests, which need no Wasm.
"""

import subprocess

import pytest

from conformance.building import need
from conformance.examples import GUESTS


@pytest.mark.parametrize("module", ["go", "go/collector"])
@pytest.mark.parametrize("command", ["vet", "test"])
def test_go_finds_nothing_wrong(command: str, module: str) -> None:
    """
    What is pure in the SDK, and in its module for the Collector's processors, passes `go vet` and
    `go test` natively, as in an author's editor.
    """
    need("go")

    done = subprocess.run(
        ["go", command, "./..."],
        cwd=GUESTS / "sdk" / module,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
