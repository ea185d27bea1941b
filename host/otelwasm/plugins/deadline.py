"""
Give a plugin so much time for each call; the host's own time, in its functions, does not count.

Wasm code is ended by the engine's epochs, a plugin that waits by its naps, one that calls the
host for ever as it returns from there.
"""

import math
import time
from array import array
from collections.abc import Callable

from otelwasm.plugins import _ffi
from otelwasm.plugins.faults import Fault

__all__ = ["TICK_S", "Clock", "Deadline", "ticks"]

# How often the engine's epoch goes up.
TICK_S = 0.01
# How long a plugin that waits sleeps at most between two looks at what it waits for.
_NAP_S = 0.005


# What is known of the call under way, where native/guest.c finds it, in seconds: the plugin's time
# that is left, and since when it runs; the time that the call spent in the host; when it began.
_LEFT, _RESUMED, _IN_HOST, _BEGAN = range(4)

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
        self.ticks = ticks(limit_s)
        self.times = array("d", (limit_s, 0.0, 0.0, 0.0))
        self._paused_s = 0.0
        self._allowed_s = limit_s
        # The clock's count at which wasmtime was told the whole limit; -1 if it was told less.
        self._told_at = -1

    @property
    def began_s(self) -> float:
        """
        When the call began.
        """
        return self.times[_BEGAN]

    def start(self) -> None:
        """
        Begin a call. (native/guest.c does the same.)
        """
        times = self.times
        times[_LEFT] = self._allowed_s = self.limit_s
        times[_IN_HOST] = 0.0
        times[_RESUMED] = times[_BEGAN] = time.monotonic()
        # The same limit from the same epoch on is the same deadline: most calls need not tell.
        count = self._clock.count
        if count != self._told_at or count & 1:
            _ffi.set_deadline(self._context, self.ticks)
            self._told_at = count

    def allow(self, least_s: float) -> None:
        """
        Give the call that began at least so much time, if its limit is less.
        """
        self._allowed_s = max(least_s, self.limit_s)
        self.times[_LEFT] = self._allowed_s
        _ffi.set_deadline(self._context, ticks(self._allowed_s))
        self._told_at = -1

    def pause(self) -> None:
        """
        The plugin calls the host.
        """
        self._paused_s = time.monotonic()
        self.times[_LEFT] -= self._paused_s - self.times[_RESUMED]

    def resume(self) -> None:
        """
        The host returns to the plugin; a Fault if that has no time left.
        """
        times = self.times
        if times[_LEFT] <= 0:
            raise Fault("it called the host too long", kind="deadline")
        times[_RESUMED] = now = time.monotonic()
        times[_IN_HOST] += now - self._paused_s
        if times[_IN_HOST] > _HOST_LIMIT_S:
            raise Fault("it was in the host too long", kind="deadline")
        _ffi.set_deadline(self._context, ticks(times[_LEFT]))
        self._told_at = -1

    def verdict(self) -> str:
        """
        Say which limit a call that was ended had reached.
        """
        if self.times[_IN_HOST] > _HOST_LIMIT_S:
            return f"a call spent more than {_HOST_LIMIT_S:g} s in the host's functions"
        set_by = " (`limits: {deadline: …}`)" if self._allowed_s == self.limit_s else ""
        return f"a call ran beyond its deadline of {self._allowed_s:g} s{set_by}"

    def nap(self) -> None:
        """
        Let a plugin wait a moment, which is its own time; a Fault if it waited too long.
        """
        left_s = self.times[_LEFT]
        waited_s = time.monotonic() - self.times[_RESUMED]
        if waited_s > left_s:
            raise Fault("it waited too long", kind="deadline")
        time.sleep(min(_NAP_S, waited_s / 8, left_s))


def ticks(seconds: float) -> int:
    """
    Ticks that certainly last *seconds*.
    """
    return math.ceil(seconds / TICK_S) + 1
