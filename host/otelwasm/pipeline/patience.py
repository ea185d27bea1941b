"""
End waits that take too long: what `asyncio.timeout` does, for many waits of one length.

A timer of its own costs a small batch more than its delivery's Python code. As all of these waits
are equally long, they end in the order in which they began, and one timer does for them all.
"""

import asyncio
from asyncio import AbstractEventLoop, CancelledError
from collections import deque
from types import TracebackType
from typing import Any

__all__ = ["Patience"]


class Patience:
    """
    Gives each wait *seconds*:

        with patience.wait():
            await something  # raises TimeoutError if it takes longer
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: deque[_Wait] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> "_Wait":
        """
        Begin a wait, in a task, for a `with` statement.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait")
        loop = asyncio.get_running_loop()
        wait = _Wait(task, loop.time() + self._seconds)
        waits = self._waits
        while waits and waits[0].is_over:
            waits.popleft()
        waits.append(wait)
        if self._timer is None:
            self._set(loop)
        return wait

    def _set(self, loop: AbstractEventLoop) -> None:
        """
        Set the timer for the first wait, if there is any.
        """
        self._timer = loop.call_at(self._waits[0].until, self._end, loop) if self._waits else None

    def _end(self, loop: AbstractEventLoop) -> None:
        now = loop.time()
        while self._waits and (self._waits[0].is_over or self._waits[0].until <= now):
            self._waits.popleft().end()
        self._set(loop)


class _Wait:
    """
    One wait of one task.
    """

    __slots__ = ("_cancels", "_has_ended", "_task", "is_over", "until")

    def __init__(self, task: "asyncio.Task[Any]", until: float) -> None:
        self.until = until
        self.is_over = False
        self._has_ended = False
        self._task = task
        self._cancels = task.cancelling()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.is_over = True
        if self._has_ended and self._task.uncancel() <= self._cancels and kind is CancelledError:
            raise TimeoutError from error

    def end(self) -> None:
        """
        End it, unless it is over.
        """
        if not self.is_over:
            self._has_ended = True
            self._task.cancel()
