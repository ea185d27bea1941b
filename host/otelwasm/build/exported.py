"""
Look at what a compiled module exports, before a component is made of it.
"""

from collections.abc import Iterator

from otelwasm.plugins.binary import Reader

__all__ = ["exported_names"]

_EXPORTS = 7


def exported_names(module: bytes) -> Iterator[str]:
    """
    The names of all that a core module exports.
    """
    reader = Reader(module, at=8)
    while reader.at < len(module):
        kind, size = reader.byte(), reader.number()
        end = reader.at + size
        if kind == _EXPORTS:
            for _ in range(reader.number()):
                yield reader.string()
                reader.byte()
                reader.number()
        reader.at = end
