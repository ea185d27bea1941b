"""
The guests' extension, compiled for the Python that runs the tests.
"""

import os
from pathlib import Path
from types import ModuleType

import pytest

from otelwasm.build.extension import load_extension


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """
    The extension; the one in `$OTELWASM_EXTENSION`, where that is set.
    """
    folder = os.environ.get("OTELWASM_EXTENSION")
    return load_extension(Path(folder) if folder else None)
