"""
Read the example plugins' cases: guests/<case>/case.toml, its inputs and its expected results.

    case.toml                   kind, config, what is called after the last batch, what to ignore
    input[-<n>]-<signal>.json   the batches, in this order, as OTLP/JSON
    expected[-<n>]-<signal>.json    what is sent on: OTLP/JSON, or "pass", or "drop"
    expected-emitted-<signal>.json  what is emitted by the end, as one request
    <language>/                 its existence says that the language has the plugin
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import attrs

from otelwasm.otlp.json import from_json, to_json
from otelwasm.signals import Signal

GUESTS = Path(__file__).resolve().parents[2] / "guests"
_INPUT = re.compile(r"input(-\d+)?-(traces|metrics|logs|profiles)\.json")


@attrs.frozen
class Step:
    """
    One batch that goes in, and the file that says what comes out.
    """

    signal: Signal
    payload: bytes
    expected: Path


@attrs.frozen
class Case:
    """
    One example plugin's task, whatever language it is written in.
    """

    name: str
    config: dict[str, object]
    then: tuple[str, ...]
    ignored: frozenset[str]
    steps: tuple[Step, ...]

    @property
    def folder(self) -> Path:
        """
        Where its files are.
        """
        return GUESTS / self.name

    def tree(self, signal: Signal, payload: bytes) -> Any:
        """
        Show a payload as OTLP/JSON, less what differs from run to run.
        """
        return _without(json.loads(to_json(signal, payload)), self.ignored)

    def normal(self, signal: Signal, expected: Any) -> Any:
        """
        Show what is expected in the same form, however its file writes it.
        """
        if isinstance(expected, str):
            return expected
        return self.tree(signal, from_json(signal, json.dumps(expected).encode()))


def _without(tree: Any, ignored: frozenset[str]) -> Any:
    if isinstance(tree, dict):
        return {key: _without(value, ignored) for key, value in tree.items() if key not in ignored}
    if isinstance(tree, list):
        return [_without(member, ignored) for member in tree]
    return tree


def read_cases() -> list[Case]:
    """
    Read them all.
    """
    return [_read(path.parent) for path in sorted(GUESTS.glob("*/case.toml"))]


def _read(folder: Path) -> Case:
    settings = tomllib.loads((folder / "case.toml").read_text())
    steps = []
    for path in sorted(folder.glob("input-*.json")):
        match = _INPUT.fullmatch(path.name)
        assert match, f"{path} is not named like an input"
        signal = Signal[match[2].upper()]
        expected = path.with_name(path.name.replace("input", "expected", 1))
        steps.append(Step(signal, from_json(signal, path.read_bytes()), expected))
    return Case(
        name=folder.name,
        config=settings.get("config", {}),
        then=tuple(settings.get("then", ())),
        ignored=frozenset(settings.get("ignore", ())),
        steps=tuple(steps),
    )
