"""
Load our C extension into the Python that runs now, built first where the cache does not hold it.

It is the same code that runs in plugins. Here receivers check payloads with it, and plugins that
run as plain Python hold their batches by it.
"""

import importlib.machinery
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

from otelwasm.build.native import OWN_TARGET, host_extension

__all__ = ["NAME", "load_extension"]

NAME = "otelwasm_native"

_ONE_LOADS = threading.Lock()


def load_extension(folder: Path | None = None) -> ModuleType:
    """
    The extension, from *folder* or from where `host_extension` keeps it; a process has it once.
    """
    with _ONE_LOADS:
        loaded = sys.modules.get(NAME)
        if loaded is None:
            path = str((folder or host_extension()) / OWN_TARGET)
            loader = importlib.machinery.ExtensionFileLoader(NAME, path)
            spec = importlib.util.spec_from_loader(NAME, loader)
            assert spec is not None
            loaded = importlib.util.module_from_spec(spec)
            loader.exec_module(loaded)
            sys.modules[NAME] = loaded
        return loaded
