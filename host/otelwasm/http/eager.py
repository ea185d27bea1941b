"""
Run a coroutine at once, and as a task only in so far as it has to wait.

Many requests are done without waiting for anything. A task of asyncio's own costs them a turn of
the event loop; Python 3.12 has eager tasks, 3.11 does not. This is a task by the rules that asyncio
has for those of others (docs.python.org, "Extending"): enough of one for `asyncio.timeout` and
`asyncio.TaskGroup`.
"""

import asyncio
from asyncio import AbstractEventLoop, CancelledError
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar, cast

__all__ = ["EagerCall"]

T = TypeVar("T")


class EagerCall(Generic[T]):
    """
    Calls *done* with a coroutine's result, or with what it raised; within `start`, if it can.
    """

    __slots__ = ("_cancels", "_coroutine", "_done", "_error", "_is_over", "_loop", "_waits")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T],
        done: Callable[[T | None, BaseException | None], None],
        *,
        loop: AbstractEventLoop,
    ) -> None:
        self._coroutine = coroutine
        self._done = done
        self._loop = loop
        self._waits: asyncio.Future[Any] | None = None
        self._cancels = 0
        self._error: BaseException | None = None  # to raise where the coroutine goes on
        self._is_over = False

    def start(self) -> None:
        """
        Run to the end, or to the first thing to wait for.
        """
        self._step(None)

    def cancel(self, message: Any = None) -> bool:
        """
        Ask the coroutine to end, as `asyncio.Task.cancel` does.
        """
        if self._is_over:
            return False
        self._cancels += 1
        if self._waits is None or not self._waits.cancel(message):
            self._error = CancelledError()
        return True

    def cancelling(self) -> int:
        """
        How often it was asked to end.
        """
        return self._cancels

    def uncancel(self) -> int:
        """
        Take back one such wish.
        """
        self._cancels = max(0, self._cancels - 1)
        return self._cancels

    def done(self) -> bool:
        """
        Whether it has ended.
        """
        return self._is_over

    def _step(self, future: "asyncio.Future[Any] | None") -> None:
        self._waits = None
        error, self._error = self._error, None
        task = cast("asyncio.Task[T]", self)
        asyncio.tasks._enter_task(self._loop, task)
        try:
            waits = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
        except StopIteration as stop:
            result, raised = stop.value, None
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            result, raised = None, failure
        else:
            self._wait_for(waits)
            return
        finally:
            asyncio.tasks._leave_task(self._loop, task)
        self._is_over = True
        self._done(result, raised)

    def _wait_for(self, waits: Any) -> None:
        if getattr(waits, "_asyncio_future_blocking", False):
            waits._asyncio_future_blocking = False
            waits.add_done_callback(self._step)
            self._waits = waits
            if self._error is not None and waits.cancel():
                self._error = None
            return
        if waits is not None:  # it is None for asyncio.sleep(0)
            self._error = RuntimeError(f"{waits!r} cannot be waited for here")
        self._loop.call_soon(self._step, None)
