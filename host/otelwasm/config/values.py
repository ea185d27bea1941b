"""
Read the two kinds of quantities that a configuration writes with a unit.
"""

import re
from collections.abc import Callable
from typing import Any, Self

__all__ = ["ByteSize", "Duration", "at_least"]

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")

_BYTES = {
    "B": 1,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}
# What is less, without a unit, was mostly meant for MiB, or for a Collector, which counts requests.
_LEAST_BARE = 64 << 10
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|kB|KB|MB|GB)")


class Duration(float):
    """
    A span of time in seconds, written as the Collector does: `200ms`, `5s`, `1m30s`.
    """

    @classmethod
    def parse(cls, value: object) -> Self:
        """
        Read a duration; a number without a unit is refused, unless it is 0.
        """
        if isinstance(value, str) and _DURATION.fullmatch(value):
            parts = _DURATION_PART.findall(value)
            return cls(sum(float(number) * _SECONDS[unit] for number, unit in parts))
        if isinstance(value, cls):
            return value
        if value in (0, "0") and not isinstance(value, bool):
            return cls(0)
        raise ValueError("expected a duration with its unit, such as 200ms, 5s or 1m")

    def __str__(self) -> str:
        if self < 1:
            return f"{self * 1e3:g}ms" if self else "0s"
        minutes, seconds = divmod(float(self), 60)
        if minutes and not seconds:
            hours, minutes = divmod(minutes, 60)
            return f"{hours:g}h" if hours and not minutes else f"{hours * 60 + minutes:g}m"
        return f"{float(self):g}s"


class ByteSize(int):
    """
    A number of bytes, written with a unit (`64MiB`, `10kB`, `300B`); bare from 64 KiB on.
    """

    @classmethod
    def parse(cls, value: object) -> Self:
        """
        Read a size: a number with its unit, or a whole number of bytes that cannot be meant for
        anything else.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            if match := _SIZE.fullmatch(value):
                return cls(int(float(match[1]) * _BYTES[match[2]]))
            value = int(value) if value.isdecimal() else value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            if 0 < value < _LEAST_BARE:
                raise ValueError("expected a size with its unit, such as 64MiB, 512KiB or 300B")
            return cls(value)
        raise ValueError("expected a size, such as 64MiB, 512KiB or a whole number of bytes")

    def __str__(self) -> str:
        for unit in ("GiB", "MiB", "KiB"):
            if self >= _BYTES[unit]:
                return f"{int(self) / _BYTES[unit]:.4g} {unit}"
        return f"{int(self)} B"


def at_least(minimum: float) -> Callable[[Any, Any, Any], None]:
    """
    Make an attrs validator that refuses a number below *minimum*.
    """

    def check(_: object, __: object, value: Any) -> None:
        if value < minimum:
            raise ValueError(f"expected at least {minimum}, not {value}")

    return check
