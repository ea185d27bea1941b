"""
Take the numbers that a plugin measures into the host's metrics.
"""

import math
import re
from collections.abc import Callable
from typing import Literal

from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.types import Attributes
from otelwasm.plugins.capabilities.log import PluginLog

__all__ = ["Meter", "PluginMeter"]

Kind = Literal["add", "observe"]
Meter = Callable[[Kind, str, float, Attributes], None]

_KINDS = {"add": "a counter", "observe": "a distribution"}
# OpenTelemetry's own syntax of instrument names.
_NAME = r"[A-Za-z][A-Za-z0-9_.\-/]{0,254}"
_MOST_NAMES = 500
_MOST_ATTRIBUTES = 32
_LONGEST_ATTRIBUTE = 256


class PluginMeter:
    """
    Checks what one plugin measures, and gives it to *meter*.

    A number that cannot be taken is left out, and the first of its kind is said in the log: the
    contract has no answer here, and a plugin must not fail for its numbers' sake.
    """

    def __init__(self, log: PluginLog, meter: Meter | None) -> None:
        self._log = log
        self._meter = meter
        self._kinds: dict[str, Kind] = {}
        self._complaints: set[tuple[str, str]] = set()

    def add(self, name: str, amount: float, attributes: Attributes) -> None:
        """
        Add to a counter.
        """
        self._take("add", name, value=amount, attributes=attributes)

    def observe(self, name: str, value: float, attributes: Attributes) -> None:
        """
        Record one value of a distribution.
        """
        self._take("observe", name, value=value, attributes=attributes)

    def _take(self, kind: Kind, name: str, *, value: float, attributes: Attributes) -> None:
        if self._meter is None:
            return
        problem = self._problem(kind, name, value)
        if problem is not None:
            self._complain(name, problem)
            return
        if len(attributes) > _MOST_ATTRIBUTES:
            self._complain(name, f"it has more than {_MOST_ATTRIBUTES} attributes; the rest is cut")
            attributes = attributes[:_MOST_ATTRIBUTES]
        if any(len(k) > _LONGEST_ATTRIBUTE or len(v) > _LONGEST_ATTRIBUTE for k, v in attributes):
            self._complain(name, f"attributes longer than {_LONGEST_ATTRIBUTE} characters are cut")
            attributes = tuple(
                (k[:_LONGEST_ATTRIBUTE], v[:_LONGEST_ATTRIBUTE]) for k, v in attributes
            )
        self._meter(kind, name, value, attributes)

    def _problem(self, kind: Kind, name: str, value: float) -> str | None:
        known = self._kinds.get(name)
        if known is None:
            if not re.fullmatch(_NAME, name):
                return (
                    "a name starts with a letter and has up to 255 letters, digits and any of _.-/"
                )
            if len(self._kinds) >= _MOST_NAMES:
                return f"the plugin has {_MOST_NAMES} names already"
        elif known != kind:
            return f"the plugin uses that name for {_KINDS[known]}, not {_KINDS[kind]}"
        if not math.isfinite(value):
            return f"{value} is no number to add up"
        if kind == "add" and value < 0:
            return f"a counter only goes up, and {value:g} was added"
        self._kinds.setdefault(name, kind)
        return None

    def _complain(self, name: str, problem: str) -> None:
        complaint = (name if name in self._kinds else "", problem.partition(",")[0])
        if complaint in self._complaints or len(self._complaints) >= _MOST_NAMES:
            return
        self._complaints.add(complaint)
        self._log.write(
            Level.WARN, "a number of the plugin is left out", (("name", name), ("reason", problem))
        )
