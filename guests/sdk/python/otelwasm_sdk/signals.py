"""
Name the four kinds of telemetry that a batch can carry.
"""

from enum import IntEnum

__all__ = ["Signal"]


class Signal(IntEnum):
    """
    Which OTLP request a payload is; numbered as the contract's `signal` enum.
    """

    TRACES = 0
    METRICS = 1
    LOGS = 2
    PROFILES = 3

    @property
    def label(self) -> str:
        """
        The name that the contract and messages use: `traces`, `metrics`…
        """
        return self.name.lower()
