"""
Hold what travels: one OTLP request body and which signal it is.
"""

import attrs

from otelwasm.otlp import wire
from otelwasm.signals import Signal

__all__ = ["Batch"]


@attrs.frozen
class Batch:
    """
    One OTLP request body on its way through a pipeline; who has counted its *items* says so.
    """

    signal: Signal
    payload: bytes
    _items: int | None = attrs.field(default=None, eq=False)

    @property
    def items(self) -> int:
        """
        How many spans, data points, log records or profiles it holds; 0 if it is malformed.
        """
        items = self._items
        if items is None:
            try:
                items = wire.count_items(self.signal, self.payload)
            except ValueError:
                items = 0
            object.__setattr__(self, "_items", items)  # frozen for everybody else
        return items

    @property
    def size(self) -> int:
        """
        The payload's bytes, which is what queues and limits count.
        """
        return len(self.payload)

    def __repr__(self) -> str:
        return f"<Batch {self.signal.label} {self.size} B>"
