"""
Hold what travels: one OTLP request body and which signal it is.
"""

import attrs
from otelwasm.signals import Signal

__all__ = ["Batch"]


@attrs.frozen
class Batch:
    """
    One OTLP request body on its way through a pipeline.
    """

    signal: Signal
    payload: bytes

    def __repr__(self) -> str:
        return f"<Batch {self.signal.label} {len(self.payload)} B>"
