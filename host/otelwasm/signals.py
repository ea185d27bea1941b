"""
Name the four kinds of telemetry that a batch can carry.
"""

from enum import IntEnum
from typing import Never

__all__ = ["Signal"]


class Signal(IntEnum):
    """
    Which OTLP request a payload is; numbered as the contract's `signal` enum.
    """

    TRACES = 0
    METRICS = 1
    LOGS = 2
    PROFILES = 3

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise ValueError(
            f"{value!r} is no signal; there are {', '.join(f'Signal.{each.name}' for each in cls)}"
        )

    @property
    def label(self) -> str:
        """
        The name that configuration, logs and the contract use: `traces`, `metrics`…
        """
        return self.name.lower()
