"""
Build an example plugin; where a language's tools are missing, say so.
"""

import os
import shutil
from pathlib import Path

import pytest

from otelwasm.build import javascript, python

__all__ = ["built"]

_TOOLS = {"python": (), "javascript": ("node", "npm")}


def built(source: Path, language: str) -> Path:
    """
    The component that the folder *source*, in *language*, is built to.

    A test that needs it is skipped where that cannot be, but fails in CI.
    """
    missing = [tool for tool in _TOOLS[language] if shutil.which(tool) is None]
    if missing:
        reason = f"{source}: there is no {' and no '.join(missing)} to build it with"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    builders = {"python": python.build, "javascript": javascript.build}
    return builders[language](source)
