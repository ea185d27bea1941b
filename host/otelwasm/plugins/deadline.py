"""
Give a plugin so much time for each call; the host's own time, in its functions, does not count.

Wasm code is ended by the engine's epochs, a plugin that waits by its naps, one that calls the
host for ever as it returns from there.
"""

import math
import time

from otelwasm.plugins import _ffi
from otelwasm.plugins.faults import Fault

__all__ = ["TICK_S", "Deadline", "ticks"]

# How often the engine's epoch goes up.
TICK_S = 0.01


# How long a plugin that waits sleeps at most between two looks at what it waits for.
_NAP_S = 0.005


class Deadline:
    """
    The time that is left of a call into the store at *context*.
    """

    def __init__(self, context: int, limit_s: float) -> None:
        self.limit_s = limit_s
        self._context = context
        self._ticks = ticks(limit_s)
        self._left_s = limit_s
        self._resumed_s = 0.0

    def start(self) -> None:
        """
        Begin a call.
        """
        self._left_s = self.limit_s
        self._resumed_s = time.monotonic()
        _ffi.set_deadline(self._context, self._ticks)

    def pause(self) -> None:
        """
        The plugin calls the host.
        """
        self._left_s -= time.monotonic() - self._resumed_s

    def resume(self) -> None:
        """
        The host returns to the plugin; a Fault if that has no time left.
        """
        if self._left_s <= 0:
            raise Fault("it called the host too long", kind="deadline")
        self._resumed_s = time.monotonic()
        _ffi.set_deadline(self._context, ticks(self._left_s))

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
