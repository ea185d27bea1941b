"""
Components are kept as long as somebody uses them.
"""

import os
import time
from pathlib import Path

import pytest

from otelwasm.build.kept import find_component, kept_component

MONTHS_S = 60 * 86_400


def kept(name: str) -> Path:
    """
    The component *name*, made if it is not there.
    """
    return kept_component(name, f"key-of-{name}", make=name.encode, report=lambda line: None)


def test_what_nobody_uses_goes_when_another_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Of two components that were made long ago the one that was used since stays.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path))
    used, unused = kept("used"), kept("unused")
    long_ago = time.time() - MONTHS_S
    for each in (used, unused):
        os.utime(each, (long_ago, long_ago))
    kept("used")
    assert unused.exists()
    kept("another")

    assert used == find_component("used", "key-of-used")
    assert find_component("unused", "key-of-unused") is None
