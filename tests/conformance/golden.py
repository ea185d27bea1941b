"""
Compare results with the files that hold what is expected, or rewrite those.
"""

import json
from pathlib import Path
from typing import Any

import pytest

COMMAND = "scripts/test --update-golden tests/conformance"


class Golden:
    """
    The expected results of one session; each file is written once in it, and compared after.
    """

    def __init__(self, *, is_updating: bool) -> None:
        self._is_updating = is_updating
        self._written: set[Path] = set()

    def expected(self, path: Path, actual: Any) -> Any:
        """
        Read what *path* says; while updating, let it say what *actual* is first.
        """
        if self._is_updating and path not in self._written:
            self._written.add(path)
            path.write_text(json.dumps(actual, indent=2, ensure_ascii=False) + "\n")
        if not path.is_file():
            pytest.fail(f"{path} is missing; write it with: {COMMAND}")
        return json.loads(path.read_text())

    def forget(self, folder: Path, *, kept: set[Path]) -> None:
        """
        While updating, remove the expected results of *folder* that nothing gives any more.
        """
        found = {*folder.glob("expected-emitted-*.json"), *folder.glob("expected-requests.json")}
        stale = found - kept
        if stale and not self._is_updating:
            names = ", ".join(sorted(path.name for path in stale))
            pytest.fail(
                f"{folder.name}: nothing was emitted, or asked for, for {names}; see: {COMMAND}"
            )
        for path in stale:
            path.unlink()
