"""
Write the host's log to standard error, a line an event: `key=value` for a person at a terminal, or
JSON for what collects logs.
"""

import logging
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

__all__ = ["Sampler", "configure_logging"]

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


class Sampler:
    """
    Lets the first lines of a kind through in each second, and says how many it kept back.

    A plugin, or a peer that is down, can make one line for each batch. Lines are of one kind when
    event, level, plugin and component are the same.
    """

    def __init__(
        self, *, first: int = 20, period_s: float = 1.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._first = first
        self._period_s = period_s
        self._clock = clock
        self._seen: dict[tuple[object, ...], tuple[float, int]] = {}

    def __call__(self, logger: Any, method: str, event: EventDict) -> EventDict:
        """
        Return *event*, or raise DropEvent if there were too many of its kind.
        """
        kind = (event.get("event"), method, event.get("plugin"), event.get("component"))
        now = self._clock()
        since, count = self._seen.get(kind, (now, 0))
        if now - since >= self._period_s:
            if count > self._first:
                event["kept_back"] = count - self._first
            since, count = now, 0
        if len(self._seen) > 1000:
            # Guests choose their own words: forget them all rather than remember without end.
            self._seen.clear()
        self._seen[kind] = (since, count + 1)
        if count >= self._first:
            raise structlog.DropEvent
        return event


_JSON: tuple[Processor, ...] = (
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),  # ASCII: not every place's stderr is UTF-8
)


def _console() -> tuple[Processor, ...]:
    return (
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        # Where rich is installed it would show all variables, and so headers and payloads.
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        ),
    )


def configure_logging(level: str, encoding: str = "console") -> None:
    """
    Set up the whole program's log; for the command line, not for programs that embed otelwasm.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            Sampler(),
            *(_JSON if encoding == "json" else _console()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # What libraries say through the standard log: only what goes wrong.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
