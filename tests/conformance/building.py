"""
Take an example plugin as plain Python, or build it; where a language's tools are missing, say so.
"""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otelwasm.build import build
from otelwasm.build.toolchains import missing
from otelwasm_sdk.definition import definitions_in

__all__ = ["built", "need", "plugin_in"]


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


def plugin_in(source: Path) -> Callable[..., Any]:
    """
    The function or class that a Python file declares as its plugin.
    """
    spec = importlib.util.spec_from_file_location(f"example_{source.stem}", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [definition] = definitions_in(module)
    return definition.target
