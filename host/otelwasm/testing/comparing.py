"""
Compare what came out of a case with one of its expected files.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from otelwasm.errors import CaseError
from otelwasm.otlp.json import from_json
from otelwasm.signals import Signal
from otelwasm.testing.cases import Case, read_json
from otelwasm.testing.differences import Difference, tree_differences
from otelwasm.testing.running import Came, refusal, telemetry
from otelwasm.testing.wording import count

__all__ = ["compared", "described", "nothing_for", "stale"]

_EXPECTED = re.compile(
    r"expected(-\d+)?-(traces|metrics|logs|profiles)\.json"
    r"|expected-(emitted-(traces|metrics|logs|profiles)|replies|calls|requests)\.json"
)
_EMITTED = "expected-emitted-"


def stale(case: Case, came: Came) -> list[Path]:
    """
    The expected files for which nothing came.
    """
    return [
        path
        for path in sorted(case.folder.glob("expected-*.json"))
        if _EXPECTED.fullmatch(path.name) and path not in came.files
    ]


def nothing_for(path: Path) -> str:
    """
    Say why there is nothing to compare with the file *path*.
    """
    if path.name.startswith(_EMITTED):
        return "nothing was emitted"
    what = {
        "expected-requests.json": "no request was sent",
        "expected-replies.json": "there is no message to reply to",
        "expected-calls.json": "no call was refused",
    }
    return what.get(
        path.name, f"there is no {path.stem.replace('expected', 'input', 1)}.json or .pb"
    )


def compared(case: Case, path: Path, came: Any) -> Sequence[Difference]:
    """
    How what came differs from what the file *path* says.
    """
    expected = read_json(path)
    step = next((step for step in case.steps if step.expected == path), None)
    if step is not None:
        return _compared_batch(case, path, step.signal, expected, came, payload=step.payload)
    if path.name.startswith(_EMITTED):
        signal = Signal[path.stem.removeprefix(_EMITTED).upper()]
        expected = _normal(case, path, signal, expected)
    return tree_differences(expected, came, unordered=case.unordered)


def _compared_batch(
    case: Case, path: Path, signal: Signal, expected: Any, came: Any, *, payload: bytes
) -> Sequence[Difference]:
    if expected == came:
        return ()
    if isinstance(expected, str) and expected not in ("pass", "drop"):
        raise CaseError(
            f'{path}: {expected!r} is no result: expected are OTLP/JSON, "pass", "drop",'
            ' {"permanent": "why"} or {"retryable": "why"}'
        )
    is_receipt = isinstance(expected, dict) and "rejected" in expected
    is_batch = not (is_receipt or refusal(expected)) and expected != "drop"
    if is_batch and (came == "pass" or _is_telemetry(came)):
        before = telemetry(case, signal, payload)
        wanted = before if expected == "pass" else _normal(case, path, signal, expected)
        found = tree_differences(
            wanted, before if came == "pass" else came, unordered=case.unordered
        )
        if expected == "pass" and not found:
            what = (
                "expected to pass, got other bytes with the same OTLP/JSON: another encoding, or"
                " fields that OTLP/JSON has no names for are lost"
            )
            return [Difference("", what)]
        return found
    if is_receipt and isinstance(came, dict) and "rejected" in came:
        return tree_differences(expected, came)
    return [Difference("", f"expected {described(expected)}, got {described(came)}")]


def _normal(case: Case, path: Path, signal: Signal, expected: Any) -> Any:
    """
    Show what is expected in the one form, however its file writes it.
    """
    try:
        return telemetry(case, signal, from_json(signal, json.dumps(expected).encode()))
    except ValueError as error:
        raise CaseError(f"{path}: {error}") from None


def _is_telemetry(tree: Any) -> bool:
    return isinstance(tree, dict) and not (refusal(tree) or "rejected" in tree)


def described(tree: Any) -> str:
    """
    Say in a few words what a result is.
    """
    if tree == "pass":
        return "what went in, unchanged"
    if tree == "drop":
        return "nothing (dropped)"
    if text := refusal(tree):
        return text
    if isinstance(tree, list):
        return json.dumps(tree, ensure_ascii=False)[:160]
    if isinstance(tree, dict) and "rejected" in tree:
        return f"a receipt, {json.dumps(tree, ensure_ascii=False)}"
    return count(tree)
