"""
Load our C extensions into the Python that runs now, built first where the cache does not hold them.

`otelwasm_native` is the same code that runs in plugins. Here receivers check payloads with it, and
plugins that run as plain Python hold their batches by it.
"""

import importlib.machinery
import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType

from otelwasm.build.native import NAME, host_extension

__all__ = ["load_extension"]

_ONE_LOADS = threading.Lock()


def load_extension(folder: Path | None = None, *, name: str = NAME) -> ModuleType:
    """
    An extension, from *folder* or from where `host_extension` keeps it; a process has it once.
    """
    with _ONE_LOADS:
        loaded = sys.modules.get(name)
        if loaded is None:
            path = str((folder or host_extension(name)) / f"{name}.abi3.so")
            loader = importlib.machinery.ExtensionFileLoader(name, path)
            spec = importlib.util.spec_from_loader(name, loader)
            assert spec is not None
            loaded = importlib.util.module_from_spec(spec)
            loader.exec_module(loaded)
            sys.modules[name] = loaded
        return loaded
