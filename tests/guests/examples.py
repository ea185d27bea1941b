"""
Have the example plugins under guests/ as a test needs them: as plain Python, or as components.
"""

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from otelwasm.testing import Trial
from otelwasm_sdk.definition import definitions_in

GUESTS = Path(__file__).resolve().parents[2] / "guests"


def source_of(name: str) -> Path:
    """
    Where the example *name* is.
    """
    return GUESTS / name / "python" / "plugin.py"


@functools.cache
def example(name: str) -> ModuleType:
    """
    Import the example *name*.
    """
    spec = importlib.util.spec_from_file_location(
        f"example_{name.replace('-', '_')}", source_of(name)
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def trial(name: str, **given: Any) -> Trial:
    """
    Try the example *name* as plain Python.
    """
    [definition] = definitions_in(example(name))
    return Trial(definition.target, **given)
