"""
A Python plugin has clocks and randomness; it has no files, no environment and no network.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.payloads import spans
from otelwasm.build import build
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal

CONFINED = Path(__file__).parent / "confined" / "plugin.py"
OUTSIDE = (
    "read",
    "read here",
    "write",
    "list",
    "make",
    "connect",
    "resolve",
    "listen",
    "send",
    "spawn",
)


def tried(made: Callable[[Path], Path], lane: Any) -> dict[str, dict[str, str]]:
    """
    What came of each attempt in a fresh instance.
    """
    outcomes: dict[str, dict[str, str]] = {}

    def log(level: str, message: str, attributes: tuple[tuple[str, str], ...]) -> None:
        outcomes[message] = dict(attributes)

    with Plugin(made(CONFINED), lane=lane, log=log) as plugin:
        plugin.process(Signal.TRACES, spans(1))
    return outcomes


@pytest.mark.parametrize("made", [build, Path], ids=["built", "instant"])
@pytest.mark.parametrize("lane", ["direct", "bridge"])
def test_nothing_leads_outside(
    made: Callable[[Path], Path], lane: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Each attempt is an error in the plugin, which goes on; clocks and randomness work.
    """
    monkeypatch.setenv("OTELWASM_SECRET", "s3cret")
    first, second = tried(made, lane), tried(made, lane)

    assert {name: True for name in OUTSIDE} == {name: "error" in first[name] for name in OUTSIDE}
    assert {"got": "nothing"} == first["environment"]
    assert not Path("/tmp/otelwasm-confined").exists()
    assert abs(int(first["clock"]["got"]) - time.time()) < 60
    assert {"got": "true"} == first["naps"]
    for name in ("random", "seeded", "uuid"):
        assert first[name]["got"] != second[name]["got"]
