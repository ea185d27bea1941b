"""
Call a plugin's `poll` on a schedule: one call after the other, slower while it fails.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from otelwasm.config.values import Duration
from otelwasm.errors import BatchError, PluginFaultError, RetryableError

__all__ = ["Poller"]

_log = structlog.get_logger(__name__)

# A poll that keeps failing is called this seldom, or as the interval says if that is longer.
_LONGEST_BACKOFF_S = 300.0


class Poller:
    """
    Polls at once, and then every *interval*, counted from the start of the last poll.

    *poll* may return another pace, in seconds from now. After a failure the time to the next poll
    doubles, up to five minutes; it is never shorter than the plugin asks.
    """

    def __init__(
        self, name: str, poll: Callable[[], Awaitable[float | None]], *, interval: Duration
    ) -> None:
        self._name = name
        self._poll = poll
        self._interval_s = float(interval)
        self._is_stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """
        Begin to poll.
        """
        self._task = asyncio.create_task(self._run(), name=f"{self._name} poll")

    async def stop(self, deadline: float) -> None:
        """
        Poll no more; a poll that has begun may go on until *deadline* (the loop's time).
        """
        self._is_stopping.set()
        if self._task is None:
            return
        left_s = max(0.0, deadline - asyncio.get_running_loop().time())
        done, _ = await asyncio.wait([self._task], timeout=left_s)
        if not done:
            _log.warning("plugin's poll did not end before the shutdown timeout", plugin=self._name)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while not self._is_stopping.is_set():
            began = loop.time()
            try:
                pace_s = await self._poll()
            except BatchError as error:
                delay_s = self._backoff_s(failures, error)
                failures += 1
                _log.error(
                    "plugin's poll failed",
                    plugin=self._name,
                    kind=_kind(error),
                    failures=failures,
                    next_after_s=round(delay_s, 3),
                    error=str(error),
                )
            except Exception as error:
                # A defect of ours: without a next poll nobody would notice it.
                delay_s = self._backoff_s(failures, error)
                failures += 1
                _log.exception("plugin could not be polled", plugin=self._name)
            else:
                failures = 0
                delay_s = self._interval_s - (loop.time() - began) if pace_s is None else pace_s
            await self._pause(delay_s)

    def _backoff_s(self, failures: int, error: Exception) -> float:
        longest_s = max(self._interval_s, _LONGEST_BACKOFF_S)
        delay_s: float = min(self._interval_s * 2 ** min(failures, 32), longest_s)
        asked_s = error.after_s if isinstance(error, RetryableError) else None
        return max(delay_s, asked_s or 0.0)

    async def _pause(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, delay_s)):
                await self._is_stopping.wait()
        except TimeoutError:
            pass


def _kind(error: BatchError) -> str:
    if isinstance(error, PluginFaultError):
        return error.kind
    return "retryable" if isinstance(error, RetryableError) else "permanent"
