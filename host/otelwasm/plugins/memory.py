"""
Own every plugin's linear memory: where it lies, how large it is, how large it may become.

The engine asks the host for memory, so the host knows the address of each (a batch is copied
straight into it) and keeps an exact account per plugin instance, with a cap.
"""

import contextlib
import ctypes
import itertools
import mmap
import os
import threading
import time
import weakref
from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from otelwasm.plugins import _ffi

__all__ = ["Account", "Image", "MemoryCreator", "Region"]

_READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
_NONE = 0
# Address space is reserved, not memory. (`mmap.MAP_NORESERVE` is new in Python 3.13.)
_FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)

_libc = ctypes.CDLL(None, use_errno=True)
_MAP_FIXED = 0x10
_mmap = ctypes.CFUNCTYPE(
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
    use_errno=True,
)(("mmap", _libc))
_mprotect = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, use_errno=True
)(("mprotect", _libc))


class Account:
    """
    What the memories of one plugin instance hold together, and how much they may.

    *images* are what some of them begin with, by their numbers in the order they are made.
    """

    def __init__(self, limit_bytes: int, images: "Mapping[int, Image] | None" = None) -> None:
        self.limit_bytes = limit_bytes
        self.images = images or {}
        self.used_bytes = 0
        self.refused_bytes: int | None = None
        self.refused_at_s = 0.0
        self.regions: list[Region] = []

    def admits(self, more_bytes: int) -> bool:
        """
        Take *more_bytes* on the account if they are within its limit; note it if not.
        """
        wanted = self.used_bytes + more_bytes
        if wanted > self.limit_bytes:
            self.refused_bytes = wanted
            self.refused_at_s = time.monotonic()
            return False
        self.used_bytes = wanted
        return True


class Region:
    """
    One linear memory. `view` is exactly its current bytes; `extent`, address and size, says the
    same to native/guest.c.

    The reserved address space is a Python mmap: whoever still holds a view keeps it mapped,
    whatever wasmtime frees.
    """

    def __init__(self, account: Account, size_bytes: int, *, reserved_bytes: int, guard_bytes: int):
        self.account = account
        self.reserved_bytes = reserved_bytes
        total = max(mmap.PAGESIZE, reserved_bytes + guard_bytes)
        self._map = mmap.mmap(-1, total, flags=_FLAGS, prot=_READ_WRITE)
        self._pin = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._pin)
        self._protect(size_bytes, total - size_bytes, _NONE)
        self.view = memoryview(self._map)[:size_bytes]
        self.extent = array("Q", (self.address, size_bytes))

    @property
    def size_bytes(self) -> int:
        """
        What the memory holds now.
        """
        return len(self.view)

    def grow(self, size_bytes: int) -> str | None:
        """
        Make the memory *size_bytes* large; say why not.
        """
        more = size_bytes - self.size_bytes
        if size_bytes > self.reserved_bytes:
            return f"a memory of {size_bytes} bytes: {self.reserved_bytes} are reserved"
        if not self.account.admits(more):
            return f"{self.account.refused_bytes} bytes asked, limit {self.account.limit_bytes}"
        self._protect(self.size_bytes, more, _READ_WRITE)
        self.view = memoryview(self._map)[:size_bytes]
        self.extent[1] = size_bytes
        return None

    def _protect(self, offset: int, length: int, protection: int) -> None:
        # Safety: callers keep offset + length within the mapping that this object owns.
        if length and _mprotect(self.address + offset, length, protection):
            raise OSError(ctypes.get_errno(), "mprotect of a plugin's memory")


class Image:
    """
    *size_bytes* of a *file*, to stand at *offset* in fresh memories: whole pages, mapped and not
    copied, so that instances share what they do not write. (wasmtime's own images do not go with a
    host's memories.)

    It owns the file, which must stay as long as it is now.
    """

    def __init__(self, file: int, *, offset: int, size_bytes: int) -> None:
        self._file = file
        weakref.finalize(self, os.close, file)
        self._offset = offset
        self._size_bytes = size_bytes

    def back(self, region: Region) -> None:
        """
        Put these bytes into *region*, which nobody uses yet.
        """
        offset, size = self._offset, self._size_bytes
        if offset + size > region.size_bytes or (offset | size) % mmap.PAGESIZE:
            raise ValueError(f"an image of {size} bytes at {offset} in {region.size_bytes}")
        # Safety: in range, whole pages, and no other thread has the region, which owns them.
        found = _mmap(
            region.address + offset, size, _READ_WRITE, mmap.MAP_PRIVATE | _MAP_FIXED, self._file, 0
        )
        if found != region.address + offset:
            raise OSError(ctypes.get_errno(), "mmap of a plugin's image")


class MemoryCreator:
    """
    Answer an engine's requests for memory, on the account of the instance that is being made.
    """

    def __init__(self) -> None:
        self._regions: dict[int, Region] = {}
        self._serial = itertools.count(1)
        self._current = threading.local()
        self._get = _ffi.GetMemory(self._on_get)
        self._grow = _ffi.GrowMemory(self._on_grow)
        self._free = _ffi.FreeMemory(self._on_free)
        self._create = _ffi.CreateMemory(self._on_create)
        self.struct: Any = _ffi.memory_creator(self._create)

    @property
    def count(self) -> int:
        """
        How many memories the engine holds.
        """
        return len(self._regions)

    @contextlib.contextmanager
    def on(self, account: Account) -> Iterator[None]:
        """
        Put the memories that this thread's instantiation asks for on *account*.
        """
        self._current.account = account
        try:
            yield
        finally:
            self._current.account = None

    def _on_create(
        self,
        _environment: int,
        _type: Any,
        minimum: int,
        _maximum: int,
        reserved: int,
        guard: int,
        out: Any,
    ) -> int:
        try:
            account: Account | None = getattr(self._current, "account", None)
            if account is None:
                return _ffi.error("no instance is being made on this thread")
            if not account.admits(minimum):
                return _ffi.error(
                    f"{account.refused_bytes} bytes asked, limit {account.limit_bytes}"
                )
            region = Region(account, minimum, reserved_bytes=reserved, guard_bytes=guard)
            if image := account.images.get(len(account.regions)):
                image.back(region)
            key = next(self._serial)
            self._regions[key] = region
            account.regions.append(region)
            out[0].env = key
            out[0].get_memory = self._get
            out[0].grow_memory = self._grow
            out[0].finalizer = self._free
            return 0
        except BaseException as error:  # a callback from C: nothing may escape
            return _ffi.error(f"cannot make a memory: {error!r}")

    def _on_get(self, environment: int, size: Any, capacity: Any) -> int:
        region = self._regions[environment]
        size[0] = region.size_bytes
        capacity[0] = region.reserved_bytes
        return region.address

    def _on_grow(self, environment: int, size_bytes: int) -> int:
        try:
            refused = self._regions[environment].grow(size_bytes)
            return 0 if refused is None else _ffi.error(refused)
        except BaseException as error:  # a callback from C: nothing may escape
            return _ffi.error(f"cannot grow a memory: {error!r}")

    def _on_free(self, environment: int) -> None:
        region = self._regions.pop(environment)
        region.account.used_bytes -= region.size_bytes
