"""
Run one instance of a plugin, of any world: its store, its memories, its limits, its end.
"""

import functools
import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import wasmtime
from wasmtime.component import Func
from wasmtime.component import Instance as ComponentInstance

from otelwasm.errors import ComponentError
from otelwasm.plugins import _ffi
from otelwasm.plugins.abi import Memory
from otelwasm.plugins.calls import Function, RawRoute, Route, WindowRoute
from otelwasm.plugins.component import Component
from otelwasm.plugins.deadline import Deadline
from otelwasm.plugins.engine import the_engine
from otelwasm.plugins.faults import Fault, from_wasmtime, missing_import
from otelwasm.plugins.imports import Imports
from otelwasm.plugins.memory import Account, Region
from otelwasm.plugins.native_calls import Guest, NativeCalls
from otelwasm.plugins.output import WholeLines
from otelwasm.plugins.python_stack import python_place
from otelwasm.plugins.world import GuestFunction

__all__ = ["Sandbox"]

_R = TypeVar("_R")

_CELL = struct.Struct("<I")
_TOP, _NEED, _HELLO = 0, 4, 8
_PAGE = 1 << 16
# CPython has 10,000 functions in its table; each entry costs the host 8 bytes.
_TABLE_ELEMENTS = 1 << 20
_TABLES = 100
_INSTANCES = 1000


class Sandbox:
    """
    One store with a plugin in it; used on one thread only.

    *host* implements the world's generated `Host`. *output* is told what the plugin writes to
    its standard output and error: ("stdout" or "stderr", bytes); without it, errors go to ours.
    """

    def __init__(
        self,
        component: Component,
        host: object,
        *,
        memory_bytes: int,
        deadline_s: float,
        output: Callable[[str, bytes], None] | None = None,
        integers: Sequence[Callable[..., int]] = (),
    ) -> None:
        self.name = component.name
        self.fault: Fault | None = None
        self._component = component
        self._account = Account(memory_bytes, component.images)
        self._engine = the_engine()
        self._kept: list[object] = []
        self._outputs: list[WholeLines] = []
        self._memories: list[Memory] = []
        self._is_busy = False
        self._has_window = component.lane == "bridge"
        self._heap_at = component.bindings.heap_at
        self._store: wasmtime.Store | None = wasmtime.Store(self._engine.wasmtime)
        self._store.set_limits(table_elements=_TABLE_ELEMENTS, tables=_TABLES, instances=_INSTANCES)
        self._store.set_wasi(self._wasi(output))
        self._context = _ffi.context_of(self._store)
        self._deadline = Deadline(self._context, deadline_s, clock=self._engine.clock)
        functions = [(each, each.bind(host)) for each in component.bindings.host_functions]
        self._imports = Imports(
            self._account,
            functions,
            plugin=self.name,
            integers=integers,
            payloads=component.guest_memory if component.lane == "direct" else 0,
            budget_bytes=memory_bytes,
            deadline=self._deadline,
        )
        self._engine.dispatcher.add(self._context, self._imports)
        try:
            self._instance = self._instantiate()
            self._memory = self._open_memory()
            self._memories.append(self._memory)
        except BaseException:
            self.close()
            raise

    @property
    def memory_bytes(self) -> int:
        """
        What the plugin's memories hold now.
        """
        return self._account.used_bytes

    @property
    def is_dead(self) -> bool:
        """
        Has a fault, or `close`, ended this instance?
        """
        return self.fault is not None or self._store is None

    @property
    def host_errors(self) -> int:
        """
        Exceptions of the host's own functions that were answered as failures.
        """
        return self._imports.host_errors

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Free the store; twice is safe, from inside of a call it is refused.
        """
        if self._store is None:
            return
        self._check_idle()
        self._engine.dispatcher.remove(self._context)
        self._store.close()
        self._store = None
        for lines in self._outputs:
            lines.close()
        # Memories are unmapped with their last reference, so no cycle may hold one.
        self._imports.close()
        for memory in self._memories:
            memory.close()
        self._memories.clear()
        self._account.regions.clear()
        self._kept.clear()

    def function(self, described: GuestFunction, load: Callable[[Memory, int], _R]) -> Function[_R]:
        """
        An exported function, for the generated classes.
        """
        route = functools.partial(self._route, described)
        return Function(self, described, load, route=route, budget_bytes=self._account.limit_bytes)

    def integer_function(self, interface: str, name: str) -> int:
        """
        The handle of an exported function of integers, to `enter`.
        """
        return self._address(self._component.shown(interface, name))

    def guest_memory(self) -> Memory:
        """
        The plugin's own memory, where it has exactly one (memories.py); for reading.
        """
        return Memory(self._account.regions[self._component.guest_memory], self._allocate)

    def host_failed(self, error: Exception) -> None:
        """
        Count an exception of the host's own code; of the first the log has a traceback.
        """
        self._imports.fail(error)

    def begin(self) -> Memory:
        """
        Open a call: the memory for its arguments and result, with a fresh deadline.
        """
        if self.fault is not None:
            raise Fault(f"the instance is dead: {self.fault}", kind=self.fault.kind)
        if self._store is None:
            raise Fault(f"plugin {self.name!r}: the instance is closed", kind="trap")
        if self._is_busy:
            self._check_idle()
        self._next = self._heap_at
        self._deadline.start()
        return self._memory

    def allow(self, least_s: float) -> None:
        """
        Give the call that was opened at least so much time.
        """
        self._deadline.allow(least_s)

    def prepared(
        self,
        function: int,
        arguments: _ffi.Numbers | None = None,
        result: _ffi.Numbers | None = None,
    ) -> Callable[[], int | None]:
        """
        A call of a wasmtime function, to `enter`.
        """
        return _ffi.prepared(function, self._context, arguments, result)

    def enter(self, call: Callable[[], int | None]) -> None:
        """
        Make a call; raises Fault, or what a host function raised beyond Exception.
        """
        if self._is_busy:
            self._check_idle()
        self._is_busy = True
        try:
            if self._has_window:
                # Safety: cells lie in a window's first page, which it always has.
                _CELL.pack_into(self._memory.view, _TOP, self._next)
            error = call()
        finally:
            self._is_busy = False
        if error:
            raise self.ended(error)

    def guest(self, native: NativeCalls, reserve: int, run: int, *, is_exporter: bool) -> Guest:
        """
        The plugin's direct form, to `cross` to.
        """
        extent, deadline = self._memory.region.extent, self._deadline
        return native.Guest(
            *(_ffi.CALL_ADDRESS, _ffi.SET_DEADLINE_ADDRESS, self._context, reserve, run),
            *(extent.buffer_info()[0], deadline.times.buffer_info()[0]),
            *(deadline.limit_s, deadline.ticks, self._account.limit_bytes, is_exporter),
            *(_ffi.VALUE_BYTES, _ffi.U32_KIND, (extent, deadline.times, self._kept)),
        )

    def cross(self, guest: Guest, what: int, payload: bytes) -> bytes | int | None:
        """
        Have the plugin run *payload*; what `Guest.run` returns.
        """
        if self.fault is not None or self._store is None or self._is_busy:
            self.begin()  # which says what is wrong
        self._is_busy = True
        try:
            return guest.run(what, payload)
        finally:
            self._is_busy = False

    def ended(self, error: int) -> BaseException:
        """
        What the error at an address means, which a call came back with.
        """
        return self._failed(_ffi.take_error(error))

    def end(self, fault: Fault) -> Fault:
        """
        Declare the instance dead; returns *fault* with the plugin's name.
        """
        self.fault = Fault(f"plugin {self.name!r}: {fault}", kind=fault.kind)
        return self.fault

    def _check_idle(self) -> None:
        if self._is_busy:
            raise RuntimeError(f"plugin {self.name!r}: an instance makes one call at a time")

    def _failed(self, error: Exception) -> BaseException:
        cut, self._imports.cut = self._imports.cut, None
        if cut is not None and not isinstance(cut, Fault):
            self.end(Fault(f"a host function raised {type(cut).__name__}", kind="trap"))
            return cut
        refused_bytes = None
        if self._account.refused_at_s >= self._deadline.began_s:
            refused_bytes = self._account.refused_bytes
        fault = cut or from_wasmtime(error, refused_bytes=refused_bytes)
        reason, _, wasm = str(fault).partition("; in ")
        if fault.kind == "deadline":
            reason = self._deadline.verdict()
        elif fault.kind == "memory" and refused_bytes is not None:
            asked, limit = refused_bytes / (1 << 20), self._account.limit_bytes / (1 << 20)
            text = f"{asked:.1f} MiB asked, limit is {limit:.1f} MiB (`limits: {{memory: …}}`)"
            reason = text if "bytes asked" in reason else f"{text}; {reason}"
        python = python_place(region.view for region in self._account.regions)
        where = f"; at {python}" if python else f"; in {wasm}" if wasm else ""
        return self.end(Fault(f"{reason}{where}", kind=fault.kind))

    def _instantiate(self) -> ComponentInstance:
        assert self._store is not None
        self._deadline.start()
        try:
            with self._engine.memories.on(self._account):
                return self._component.linker.instantiate(self._store, self._component.code)
        except wasmtime.WasmtimeError as error:
            if missing := missing_import(error):
                raise ComponentError(f"plugin {self.name!r}: {missing}") from None
            raise self._failed(error) from None

    def _open_memory(self) -> Memory:
        """
        Find the windows, and the memory that arguments go to.
        """
        regions = self._account.regions
        self._greet(regions[0], self._component.hello)
        if self._component.lane == "direct":
            own = len(regions) - self._component.guest_memory
            if own != 1:
                text = f"it has {own} memories, the direct lane needs one"
                raise self.end(Fault(text, kind="malformed"))
            arguments = _ffi.Numbers(("i32",) * 4)
            result = _ffi.Numbers(("i32",))
            realloc = self._address(self._component.exported("realloc"))
            call = self.prepared(realloc, arguments, result)
            return Memory(
                regions[-1], lambda size, a: self._reallocate(call, arguments, result, size, a)
            )
        self._greet(regions[-1], self._component.exported("hello"))
        self._grow = self.prepared(self._address(self._component.exported("grow")))
        return Memory(regions[-1], self._allocate)

    def _greet(self, region: Region, hello: Any) -> None:
        """
        Make sure that *region* is the window of the bridge that exports *hello*.
        """
        # Safety: cells lie in a window's first page, which it always has.
        before = _CELL.unpack_from(region.view, _HELLO)[0]
        if error := self.prepared(self._address(hello))():
            raise self.ended(error)
        if _CELL.unpack_from(region.view, _HELLO)[0] != before + 1:
            raise self.end(Fault("its memories are not where they should be", kind="malformed"))

    def _allocate(self, size: int, alignment: int) -> int:
        """
        Find room in the exports bridge's window, which grows as needed.
        """
        at = (self._next + alignment - 1) & -alignment
        end = at + size
        view = self._memory.view
        if end > len(view):
            # Safety: cells lie in a window's first page, which it always has.
            _CELL.pack_into(view, _NEED, (end - len(view) + _PAGE - 1) // _PAGE)
            self.enter(self._grow)
            if end > len(self._memory.view):
                text = f"arguments of {end} bytes have no room"
                raise self._failed(Fault(text, kind="memory"))
        self._next = end
        return at

    def _reallocate(
        self,
        call: Callable[[], int | None],
        arguments: _ffi.Numbers,
        result: _ffi.Numbers,
        size: int,
        alignment: int,
    ) -> int:
        """
        Ask the plugin's own allocator for room; also for none, as any caller of it would.
        """
        arguments.set((0, 0, alignment, size))
        self.enter(call)
        at = int(result.get())
        if at & (alignment - 1) or at + size > len(self._memory.view):
            text = f"its allocator gave {at:#x} for {size} bytes aligned to {alignment}"
            raise self.end(Fault(text, kind="malformed"))
        return at

    def _route(self, described: GuestFunction) -> Route:
        component = self._component
        label = component.label(described)
        if component.lane == "bridge":
            function = self._address(component.exported(label))
            return WindowRoute(self, function, described, window=self._memory)
        post = component.exported(f"post-{label}")
        return RawRoute(
            self,
            self._address(component.exported(f"raw-{label}")),
            described,
            post_return=None if post is None else self._address(post),
        )

    def _address(self, index: Any) -> int:
        assert self._store is not None
        function: Func | None = self._instance.get_func(self._store, index)
        assert function is not None
        self._kept.append(function)
        return _ffi.address_of(function)

    def _wasi(self, output: Callable[[str, bytes], None] | None) -> wasmtime.WasiConfig:
        config = wasmtime.WasiConfig()
        _ffi.forbid_network(config)
        if output is None:
            config.inherit_stderr()
            return config

        def stream(name: str) -> Callable[[bytes], None]:
            def take(written: bytes) -> None:
                try:
                    output(name, written)
                except BaseException as error:  # a callback from C: nothing may escape
                    self._imports.host_errors += 1
                    del error

            lines = WholeLines(take)
            self._outputs.append(lines)
            return lines.write

        self._kept += _ffi.capture_output(config, stdout=stream("stdout"), stderr=stream("stderr"))
        return config
