"""
What every part of the benchmark is given.
"""

from collections.abc import Callable
from pathlib import Path

import attrs

from benchmark.payloads import payload

__all__ = ["Session"]


@attrs.frozen
class Session:
    """
    One run: *seconds* for each comparison, a folder that goes with it, and whom to tell.
    """

    seconds: float
    rounds: int
    folder: Path
    report: Callable[[str], None]

    def file(self, spans: int) -> Path:
        """
        Write the request of so many spans, for programs that are not Python.
        """
        path = self.folder / f"{spans}.bin"
        if not path.exists():
            path.write_bytes(payload(spans))
        return path
