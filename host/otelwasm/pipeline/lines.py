"""
Say what happens to batch after batch in few lines of the log.
"""

import asyncio
from collections.abc import Callable

__all__ = ["Lines"]

_LINE_EVERY_S = 1.0


class Lines:
    """
    Log lines of one kind: one at once, and one a second for all that follow, with their number.

    What is said of the fate of each message or batch would otherwise grow with them.
    """

    def __init__(self, write: Callable[..., None], event: str) -> None:
        self._write = write
        self._event = event
        self._count = 0
        self._latest: dict[str, object] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, count: int = 1, **fields: object) -> None:
        """
        Say it now or soon; the fields of the latest message stand for all.
        """
        self._count += count
        self._latest = fields
        if self._timer is None:
            self._tell()
            self._timer = asyncio.get_running_loop().call_later(_LINE_EVERY_S, self._next)

    def close(self) -> None:
        """
        Say the rest.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell()

    def _next(self) -> None:
        self._timer = None
        if self._count:
            self._tell()
            self._timer = asyncio.get_running_loop().call_later(_LINE_EVERY_S, self._next)

    def _tell(self) -> None:
        if self._count:
            self._write(self._event, count=self._count, **self._latest)
            self._count = 0
