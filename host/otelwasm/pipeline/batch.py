"""
Hold what travels: one OTLP request body and which signal it is.
"""

from functools import cached_property

import attrs

from otelwasm.otlp import wire
from otelwasm.signals import Signal

__all__ = ["Batch"]


@attrs.frozen
class Batch:
    """
    One OTLP request body on its way through a pipeline.
    """

    signal: Signal
    payload: bytes

    @cached_property
    def items(self) -> int:
        """
        How many spans, data points, log records or profiles it holds; 0 if it is malformed.
        """
        try:
            return wire.count_items(self.signal, self.payload)
        except ValueError:
            return 0

    @property
    def size(self) -> int:
        """
        The payload's bytes, which is what queues and limits count.
        """
        return len(self.payload)

    def __repr__(self) -> str:
        return f"<Batch {self.signal.label} {self.size} B>"
