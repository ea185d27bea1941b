"""
Give a plugin so much time for each call; the host's own time, in its functions, does not count.

Wasm code is ended by the engine's epochs, a plugin that waits by its naps, one that calls the
host for ever as it returns from there.
"""

import math
import time
from collections.abc import Callable

from otelwasm.plugins import _ffi
from otelwasm.plugins.faults import Fault

__all__ = ["TICK_S", "Clock", "Deadline", "ticks"]

# How often the engine's epoch goes up.
TICK_S = 0.01
# How long a plugin that waits sleeps at most between two looks at what it waits for.
_NAP_S = 0.005


# The host's own functions, as http requests, end by limits of their own; this ends a plugin that
# calls them without end. It is longer than anything waits for one call.
_HOST_LIMIT_S = 300.0


class Clock:
    """
    How often an engine's epoch went up; *increment* takes it up.

    `count` is odd while that happens, so whoever sees an even number twice knows that the epoch
    is the same.
    """

    def __init__(self, increment: Callable[[], None]) -> None:
        self._increment = increment
        self.count = 0

    def tick(self) -> None:
        """
        Take the epoch up; on one thread only.
        """
        self.count += 1
        self._increment()
        self.count += 1


class Deadline:
    """
    The time that is left of a call into the store at *context*.
    """

    def __init__(self, context: int, limit_s: float, *, clock: Clock) -> None:
        self.limit_s = limit_s
        self._context = context
        self._clock = clock
        self._ticks = ticks(limit_s)
        self._left_s = limit_s
        self._resumed_s = 0.0
        self._paused_s = 0.0
        self._in_host_s = 0.0
        # The clock's count at which wasmtime was told the whole limit; -1 if it was told less.
        self._told_at = -1

    def start(self) -> None:
        """
        Begin a call.
        """
        self._left_s = self.limit_s
        self._in_host_s = 0.0
        self._resumed_s = time.monotonic()
        # The same limit from the same epoch on is the same deadline: most calls need not tell.
        count = self._clock.count
        if count != self._told_at or count & 1:
            _ffi.set_deadline(self._context, self._ticks)
            self._told_at = count

    def pause(self) -> None:
        """
        The plugin calls the host.
        """
        self._paused_s = time.monotonic()
        self._left_s -= self._paused_s - self._resumed_s

    def resume(self) -> None:
        """
        The host returns to the plugin; a Fault if that has no time left.
        """
        if self._left_s <= 0:
            raise Fault("it called the host too long", kind="deadline")
        self._resumed_s = time.monotonic()
        self._in_host_s += self._resumed_s - self._paused_s
        if self._in_host_s > _HOST_LIMIT_S:
            raise Fault("it was in the host too long", kind="deadline")
        _ffi.set_deadline(self._context, ticks(self._left_s))
        self._told_at = -1

    def verdict(self) -> str:
        """
        Say which limit a call that was ended had reached.
        """
        if self._in_host_s > _HOST_LIMIT_S:
            return f"a call spent more than {_HOST_LIMIT_S:g} s in the host's functions"
        return f"a call ran beyond its deadline of {self.limit_s:g} s"

    def nap(self) -> None:
        """
        Let a plugin wait a moment, which is its own time; a Fault if it waited too long.
        """
        waited_s = time.monotonic() - self._resumed_s
        if waited_s > self._left_s:
            raise Fault("it waited too long", kind="deadline")
        time.sleep(min(_NAP_S, waited_s / 8, self._left_s))


def ticks(seconds: float) -> int:
    """
    Ticks that certainly last *seconds*.
    """
    return math.ceil(seconds / TICK_S) + 1
