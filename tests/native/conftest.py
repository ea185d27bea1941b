"""
The guests' extension, compiled for the Python that runs the tests.
"""

import importlib.machinery
import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from otelwasm.build.native import host_extension


def load(folder: Path) -> ModuleType:
    """
    Load the extension that is in *folder*, unknown to `import`: other tests do without it.
    """
    path = str(folder / "otelwasm_native.abi3.so")
    loader = importlib.machinery.ExtensionFileLoader("otelwasm_native", path)
    spec = importlib.util.spec_from_file_location("otelwasm_native", path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """
    The extension; the one in `$OTELWASM_EXTENSION`, where that is set.
    """
    folder = os.environ.get("OTELWASM_EXTENSION")
    return load(Path(folder) if folder else host_extension())
