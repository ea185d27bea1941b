"""
Join what a guest writes to its standard output and error piece by piece into whole lines.
"""

from collections.abc import Callable

__all__ = ["WholeLines"]

# More than this without an end is let through, as a line will be cut anyway.
_LONGEST_BYTES = 8 << 10


class WholeLines:
    """
    Gives *take* whole lines: Python's print, for one, writes each word and the newline by itself.

    wasmtime writes on threads of its own, one piece of a stream at a time.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._begun = b""

    def write(self, written: bytes) -> None:
        """
        Take the next piece.
        """
        text = self._begun + written
        end = text.rfind(b"\n") + 1
        if len(text) - end > _LONGEST_BYTES:
            end = len(text)
        self._begun = text[end:]
        if end:
            self._take(text[:end])

    def close(self) -> None:
        """
        Give what has no end yet; twice is safe.
        """
        begun, self._begun = self._begun, b""
        if begun:
            self._take(begun)
