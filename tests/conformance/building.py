"""
Build an example plugin; where a language's tools are missing, say so.
"""

import os
from pathlib import Path

import pytest

from otelwasm.build import build
from otelwasm.build.toolchains import missing

__all__ = ["built", "need"]


def need(language: str) -> None:
    """
    Skip a test that builds plugins in *language* where that cannot be, but fail it in CI.
    """
    if reason := missing(language):
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def built(source: Path, language: str) -> Path:
    """
    The component that the folder *source*, in *language*, is built to.
    """
    need(language)
    return build(source)
