"""
Compile composed components, and keep the machine code on disk for the next start.

A compiled file is trusted code: it is only read from a folder that belongs to this user and that
nobody else may write to. Its name is a hash of all that it was made from.
"""

import hashlib
import os
import platform
import stat
from importlib.metadata import version
from pathlib import Path

import wasmtime
from wasmtime.component import Component

from otelwasm.cache import cache_dir, write_atomically
from otelwasm.plugins.compose import COMPOSITION
from otelwasm.plugins.engine import ENGINE_CONFIGURATION, Engine

__all__ = ["artefact", "compiled", "is_private"]


def compiled(engine: Engine, wasm: bytes) -> Component:
    """
    The compiled form of *wasm*, from the cache if it is there.
    """
    path = artefact(wasm)
    if path is None:
        return Component(engine.wasmtime, wasm)
    if is_private(path):
        try:
            return Component.deserialize_file(engine.wasmtime, str(path))
        except wasmtime.WasmtimeError:
            pass  # of another build of wasmtime: compiled and written again
    component = Component(engine.wasmtime, wasm)
    write_atomically(path, bytes(component.serialize()), mode=0o600)
    return component


def artefact(wasm: bytes) -> Path | None:
    """
    Where the compiled form of *wasm* is kept; None if the cache is not this user's alone.
    """
    folder = cache_dir("compiled")
    if not is_private(folder):
        return None
    key = hashlib.sha256()
    made_from = (COMPOSITION, ENGINE_CONFIGURATION, version("wasmtime"), platform.machine())
    key.update(repr(made_from).encode())
    key.update(wasm)
    return folder / f"{key.hexdigest()}.cwasm"


def is_private(path: Path) -> bool:
    """
    Is *path* there, this user's, no link, and closed to writing by others?
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    is_kind = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return is_kind and found.st_uid == os.geteuid() and not found.st_mode & 0o022
