"""
Write a plugin's lines to the host's log: so many a second, of bounded length, harmless to show.
"""

import re
import threading
from collections.abc import Callable
from time import monotonic

from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.types import Attributes

__all__ = ["Log", "PluginLog", "harmless"]

Log = Callable[[str, str, Attributes], None]

_LOG_METHODS = ("debug", "info", "warning", "error")
_PERIOD_S = 1.0
_LONGEST_MESSAGE = 8 << 10
# How Rust begins to say it; the instance ends right after that.
_PANIC = "panicked at "
_LONGEST_PANIC = 500
_LONGEST_VALUE = 2 << 10
_LONGEST_KEY = 128
_MOST_ATTRIBUTES = 64
# What a terminal would obey, or what would look like a line of the host's own.
_HARMFUL = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"


class PluginLog:
    """
    Gives the lines of one plugin to *log*, or to structlog.

    In each second *lines_per_second* go through; how many were left out is said with the next line
    that does, or at the end. Messages and attributes are cut at a limit of their length.
    """

    def __init__(
        self,
        plugin: str,
        log: Log | None,
        *,
        lines_per_second: int = 100,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._plugin = plugin
        self._log = log
        self._lines_per_second = lines_per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._panic = threading.local()
        self._since = clock()
        self._count = 0

    def write(self, level: Level, message: str, attributes: Attributes) -> None:
        """
        Write one line, if there were not too many.
        """
        if message.startswith(_PANIC):
            self._panic.text = harmless(message, _LONGEST_PANIC)
        now = self._clock()
        left_out = 0
        with self._lock:
            if now - self._since >= _PERIOD_S:
                left_out = self._left_out()
                self._since, self._count = now, 0
            self._count += 1
            is_one_too_many = self._count > self._lines_per_second
        if left_out:
            self._say_left_out(left_out)
        if not is_one_too_many:
            self._give(level, harmless(message, _LONGEST_MESSAGE), _bounded(attributes))

    def take_panic(self) -> str | None:
        """
        What a plugin wrote on this thread as it panicked, if it did since the last time.
        """
        text: str | None = getattr(self._panic, "text", None)
        self._panic.text = None
        return None if text is None else " ".join(text.replace("\n  | ", "\n").split())

    def output(self, stream: str, written: bytes) -> None:
        """
        Log what a guest wrote to its standard output or error, a line each.
        """
        level = Level.WARN if stream == "stderr" else Level.INFO
        for line in filter(None, written.decode("utf-8", "replace").splitlines()):
            self.write(level, line, (("stream", stream),))

    def close(self) -> None:
        """
        Say how many lines were left out, if it was not said yet; twice is safe.
        """
        with self._lock:
            left_out = self._left_out()
            self._count = 0
        if left_out:
            self._say_left_out(left_out)

    def _left_out(self) -> int:
        return max(0, self._count - self._lines_per_second)

    def _say_left_out(self, count: int) -> None:
        text = f"lines of the plugin were left out: it writes more than {self._lines_per_second}/s"
        self._give(Level.WARN, text, (("left_out", str(count)),))

    def _give(self, level: Level, message: str, attributes: Attributes) -> None:
        if self._log is not None:
            self._log(level.name.lower(), message, attributes)
            return
        # Here, as a program with its own log has no use for it, and it takes long to import.
        import structlog

        logger = structlog.get_logger("otelwasm").bind(plugin=self._plugin)
        getattr(logger, _LOG_METHODS[level])(message, **{f"guest.{k}": v for k, v in attributes})


def harmless(text: str, longest: int) -> str:
    """
    Cut *text*, show control characters instead of sending them, and indent its further lines.
    """
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text) - longest} more characters)"
    text = re.sub(_HARMFUL, _shown, text)
    return text.rstrip("\n").replace("\n", "\n  | ")


def _shown(match: re.Match[str]) -> str:
    return "  " if match[0] == "\t" else repr(match[0])[1:-1]


def _bounded(attributes: Attributes) -> Attributes:
    kept = [
        (harmless(key, _LONGEST_KEY), harmless(value, _LONGEST_VALUE))
        for key, value in attributes[:_MOST_ATTRIBUTES]
    ]
    if len(attributes) > _MOST_ATTRIBUTES:
        kept.append(("more_attributes", str(len(attributes) - _MOST_ATTRIBUTES)))
    return tuple(kept)
