"""
Keep the one wasmtime engine of the process, and the clock that ends calls that take too long.
"""

import functools
import threading

import wasmtime

from otelwasm.plugins import _ffi
from otelwasm.plugins.deadline import TICK_S, Clock
from otelwasm.plugins.imports import Dispatcher
from otelwasm.plugins.memory import MemoryCreator

__all__ = ["ENGINE_CONFIGURATION", "Engine", "the_engine"]

# 2 MB passes deep recursion in Python guests; 6 MB overruns the host's own thread stacks.
_STACK_BYTES = 2 << 20
# Part of the key of compiled components: change it with anything set in `Engine`.
ENGINE_CONFIGURATION = f"epochs, host memories, wasm stack {_STACK_BYTES}"


class Engine:
    """
    A configured wasmtime engine, its memories and its epoch clock.
    """

    def __init__(self) -> None:
        self.memories = MemoryCreator()
        self.dispatcher = Dispatcher()
        config = wasmtime.Config()
        config.epoch_interruption = True
        _ffi.configure(config, creator=self.memories.struct, stack_bytes=_STACK_BYTES)
        self.wasmtime = wasmtime.Engine(config)
        self.clock = Clock(self.wasmtime.increment_epoch)
        self._stopping = threading.Event()
        threading.Thread(target=self._tick, name="otelwasm-epochs", daemon=True).start()

    def _tick(self) -> None:
        while not self._stopping.wait(TICK_S):
            self.clock.tick()


def the_engine() -> Engine:
    """
    The process's engine, made at its first use.
    """
    with _making:
        return _make()


_making = threading.Lock()
_make = functools.cache(Engine)
