"""
The Rust SDK's operations, as a program.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from rust.applied import Apply
from rust.cargo import cargo


@pytest.fixture(scope="session")
def apply() -> Iterator[Apply]:
    """
    The program that does to payloads what it is asked to.
    """
    built = cargo("build", "--example", "apply", "--message-format", "json")
    assert built.returncode == 0, built.stderr
    messages = map(json.loads, built.stdout.splitlines())
    [program] = [
        message["executable"]
        for message in messages
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "apply"
    ]
    apply = Apply(Path(program))
    yield apply
    apply.close()
