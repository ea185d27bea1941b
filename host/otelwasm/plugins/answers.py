"""
Bring what became of a plugin's calls back to an event loop: one wake-up for all that came.
"""

import asyncio
import os

from otelwasm.plugins.native_calls import NativeCalls

__all__ = ["Answers"]


class Answers:
    """
    The way to one event loop, to be made there; `close` may be called on any thread.
    """

    def __init__(self, native: NativeCalls) -> None:
        self.loop = asyncio.get_running_loop()
        if hasattr(os, "eventfd"):
            self._descriptors: tuple[int, ...] = (os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK),)
        else:
            self._descriptors = os.pipe()
        self.port = native.Port(self._descriptors[0], self._descriptors[-1])
        self.loop.add_reader(self._descriptors[0], self.port.drain)

    def close(self) -> None:
        """
        Tell who waits what came, and take no more.
        """
        try:
            self.loop.call_soon_threadsafe(self._end)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._let_go()

    def _end(self) -> None:
        self.loop.remove_reader(self._descriptors[0])
        self.port.drain()
        self._let_go()

    def _let_go(self) -> None:
        self.port.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
