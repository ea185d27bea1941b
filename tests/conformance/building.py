"""
Build an example plugin, or say why this machine cannot.
"""

from pathlib import Path

from otelwasm.build.python import build

__all__ = ["built"]


def built(source: Path, language: str) -> Path:
    """
    The component that the folder *source*, in *language*, is built to.
    """
    return build(source)
