"""
Run a program that was compiled to WebAssembly: a command of WASI's preview 1, in a sandbox.
"""

import hashlib
import importlib.metadata
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

import wasmtime

from otelwasm.cache import cache_dir, write_atomically
from otelwasm.plugins.compiled import is_private

__all__ = ["run_command"]


def run_command(program: bytes, arguments: Sequence[str], *, folder: Path) -> tuple[int, str]:
    """
    Run *program* with *arguments*, of which the first is its own name, and return its exit status
    and what it said.

    It sees *folder*, as `/`, and nothing else of this machine.
    """
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    with tempfile.NamedTemporaryFile(prefix="otelwasm-") as said:
        wasi = wasmtime.WasiConfig()
        wasi.argv = list(arguments)
        wasi.preopen_dir(str(folder), "/")
        wasi.stderr_file = said.name
        store.set_wasi(wasi)
        instance = linker.instantiate(store, _compiled(engine, program))
        start = instance.exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        status = 0
        try:
            start(store)
        except wasmtime.ExitTrap as ended:
            status = ended.code
        except wasmtime.Trap as trap:
            return 1, f"{said.read().decode(errors='replace')}{trap.message}"
        return status, said.read().decode(errors="replace")


def _compiled(engine: wasmtime.Engine, program: bytes) -> wasmtime.Module:
    """
    Compile *program*, which takes seconds, or take it from the cache.
    """
    where = (importlib.metadata.version("wasmtime"), platform.system(), platform.machine())
    key = hashlib.sha256(program + " ".join(where).encode()).hexdigest()[:32]
    kept = cache_dir("commands") / f"{key}.cwasm"
    # As compiled.py says: it is code, and trusted.
    if is_private(kept.parent) and is_private(kept):
        try:
            return wasmtime.Module.deserialize_file(engine, str(kept))
        except wasmtime.WasmtimeError:
            pass  # from another machine's processor: it is compiled anew
    module = wasmtime.Module(engine, program)
    write_atomically(kept, bytes(module.serialize()), mode=0o600)
    return module
