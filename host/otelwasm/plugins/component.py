"""
Load a plugin's component: read, check, compose and compile it, once for all its instances.
"""

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import wasmtime
from wasmtime.component import ExportIndex, Linker

from otelwasm.errors import ComponentError
from otelwasm.plugins import _ffi
from otelwasm.plugins._generated import exporter, processor, receiver
from otelwasm.plugins.binary import Bytes, UnknownFormError
from otelwasm.plugins.compiled import Compiled, Shelf
from otelwasm.plugins.compose import Outline, compose, outline
from otelwasm.plugins.engine import the_engine
from otelwasm.plugins.images import take_data
from otelwasm.plugins.memories import memory_count
from otelwasm.plugins.relift import relift
from otelwasm.plugins.world import GuestFunction, IntegerFunction, World

__all__ = ["CONTRACT", "DIRECT", "DIRECT_HOST", "INTEGERS", "SOURCES", "Component", "Lane"]

Lane = Literal["auto", "bridge", "direct"]

CONTRACT = (processor.WORLD, exporter.WORLD, receiver.WORLD)
DIRECT = "otelwasm:plugin/direct@0.1.0"
DIRECT_HOST = "otelwasm:plugin/direct-host@0.1.0"
SOURCES = "otelwasm:plugin/sources@0.1.0"
# What plugins may import of integers only; `Instance` has the functions, in this order.
INTEGERS = (IntegerFunction(DIRECT_HOST, "call"), IntegerFunction(DIRECT_HOST, "answer"))


class Component:
    """
    A compiled plugin; its instances share it, on any threads.
    """

    def __init__(
        self,
        guest: Bytes,
        *,
        name: str,
        worlds: Sequence[World],
        lane: Lane,
        key: str | None = None,
    ) -> None:
        found = outline(guest)
        self.name = name
        self.bindings = _world(found, worlds)
        self.world = self.bindings.name
        self.has_direct = DIRECT in found.exports
        self._interfaces = tuple(each for each in (DIRECT, SOURCES) if each in found.exports)
        imported = {id_ for id_, _, _ in found.imports}
        self._integers = tuple(each for each in INTEGERS if each.interface in imported)
        shelf = Shelf(the_engine(), key or guest, self.bindings, lane=lane)
        compiled = shelf.find() or self._made(shelf, bytes(guest), lane)
        self.code = compiled.code
        self.lane = compiled.lane
        self.guest_memory = compiled.guest_memory
        self.images = {} if compiled.image is None else {self.guest_memory: compiled.image}
        self.linker = self._linker()
        self._exported: dict[str, ExportIndex | None] = {}
        self._shown: dict[tuple[str, str], ExportIndex | None] = {}
        face = self.code.get_export_index("plugin")
        hello = self.code.get_export_index("hello")
        if face is None or hello is None:
            raise ComponentError("the composed component lost its exports")
        self._face = face
        self.hello = hello
        self._labels = {
            (each.interface, each.name): label
            for label, each in self.bindings.guest_functions.items()
        }

    @classmethod
    def load(
        cls,
        source: str | os.PathLike[str] | bytes,
        *,
        name: str,
        lane: Lane = "auto",
        worlds: Sequence[World] = CONTRACT,
        key: str | None = None,
    ) -> "Component":
        """
        Load a component from a file or from its bytes; it must fit one of *worlds*.

        *key* stands for the content of a file, where that is known: it need not be read then.
        """
        where = f"plugin {name!r}"
        guest: Bytes
        if isinstance(source, bytes):
            guest = source
        else:
            where = f"{where}: {os.fspath(source)}"
            try:
                guest = Path(source).read_bytes() if key is None else _mapped(source)
            except OSError as error:
                raise ComponentError(f"{where}: {error.strerror or error}") from None
        try:
            return cls(guest, name=name, worlds=worlds, lane=lane, key=key)
        except (UnknownFormError, ComponentError, wasmtime.WasmtimeError) as error:
            reason = _reason(bytes(guest)) if worlds is CONTRACT else None
            raise ComponentError(f"{where}: {reason or _last_line(error)}") from None

    def label(self, described: GuestFunction) -> str:
        """
        What the composed component calls an exported function.
        """
        return self._labels[described.interface, described.name]

    def shown(self, interface: str, name: str) -> ExportIndex | None:
        """
        A function of integers that the plugin exports, if it does.
        """
        key = interface, name
        if key not in self._shown:
            instance = self.code.get_export_index(interface)
            found = None if instance is None else self.code.get_export_index(name, instance)
            self._shown[key] = found
        return self._shown[key]

    def exported(self, name: str) -> ExportIndex | None:
        """
        A function of the composed component, if there is one of this name.
        """
        if name not in self._exported:
            self._exported[name] = self.code.get_export_index(name, self._face)
        return self._exported[name]

    def _made(self, shelf: Shelf, guest: bytes, lane: Lane) -> Compiled:
        """
        Compose for the lane that is asked for, or for the best that works, and compile.
        """
        if self._integers and memory_count(guest) != 1:
            raise ComponentError(f"it imports {DIRECT_HOST} and has not exactly one memory")
        guest, data = take_data(guest)
        passed = tuple(each.interface for each in self._integers)
        if lane != "bridge":
            try:
                relifted, raw = relift(guest, self.bindings)
                direct = compose(
                    relifted, self.bindings, raw=raw, passed=passed, shown=self._interfaces
                )
                return shelf.make(direct, data)
            except (UnknownFormError, wasmtime.WasmtimeError) as error:
                if lane == "direct":
                    raise ComponentError(f"it cannot take the direct lane: {error}") from None
        bridged = compose(guest, self.bindings, passed=passed, shown=self._interfaces)
        return shelf.make(bridged, data)

    def _linker(self) -> Linker:
        engine = the_engine()
        linker = Linker(engine.wasmtime)
        linker.add_wasip2()
        # The numbers by which imports.py knows them.
        labels = ["fetch", "nap", *(each.label for each in self.bindings.host_functions)]
        with linker.root() as root, root.add_instance("host") as host:
            for number, label in enumerate(labels):
                _ffi.add_function(
                    host, label, function=engine.dispatcher.callback, environment=number
                )
        callback = engine.dispatcher.integers_callback
        for number, each in enumerate(INTEGERS):
            if each in self._integers:
                with linker.root() as root, root.add_instance(each.interface) as host:
                    _ffi.add_function(host, each.name, function=callback, environment=number)
        return linker


def _mapped(path: str | os.PathLike[str]) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _world(found: Outline, worlds: Sequence[World]) -> World:
    for world in worlds:
        required = {*world.required, *world.required_functions}
        if required <= found.exports:
            return world
    wanted = "; ".join(
        f"{world.name}: {' and '.join((*world.required, *world.required_functions))}"
        for world in worlds
    )
    has = ", ".join(sorted(found.exports)) or "nothing"
    raise ComponentError(f"it exports {has}; needed are ({wanted})")


def _reason(guest: bytes) -> str | None:
    """
    What keeps *guest* from fitting the contract, in the contract's own words; None if it fits.
    """
    # Here, as no plugin that loads needs the parser, which takes a while to import.
    from otelwasm.validation import validate

    try:
        found = validate(guest)
    except ComponentError as error:
        return str(error)
    return None if found.fits else str(found)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("0: ") if lines else "wasmtime refuses it"
