"""
Load a plugin's component: read, check, compose and compile it, once for all its instances.
"""

import hashlib
import io
import os
from collections.abc import Mapping, Sequence

import wasmtime
from wasmtime.component import ExportIndex, Linker

from otelwasm.errors import ComponentError
from otelwasm.plugins import _ffi
from otelwasm.plugins.binary import UnknownFormError
from otelwasm.plugins.compiled import Compiled, Shelf
from otelwasm.plugins.contract import CONTRACT, DIRECT, INTEGERS
from otelwasm.plugins.engine import the_engine
from otelwasm.plugins.lane import Lane
from otelwasm.plugins.world import GuestFunction, World

__all__ = ["Component"]


class Component:
    """
    A compiled plugin; its instances share it, on any threads.
    """

    def __init__(self, compiled: Compiled, *, name: str, worlds: Sequence[World]) -> None:
        face = compiled.face
        self.name = name
        self.bindings = next(world for world in worlds if world.name == face.world)
        self.world = face.world
        self.has_direct = DIRECT in face.shown
        self._passed = face.passed
        self.code = compiled.code
        self.lane = compiled.lane
        self.guest_memory = compiled.guest_memory
        self.images = {} if compiled.image is None else {self.guest_memory: compiled.image}
        self.linker = self._linker(compiled.modules)
        self._exported: dict[str, ExportIndex | None] = {}
        self._shown: dict[tuple[str, str], ExportIndex | None] = {}
        exports = self.code.get_export_index("plugin")
        hello = self.code.get_export_index("hello")
        if exports is None or hello is None:
            raise ComponentError("the composed component lost its exports")
        self._exports = exports
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
        if not isinstance(source, bytes):
            where = f"{where}: {os.fspath(source)}"
        try:
            with io.BytesIO(source) if isinstance(source, bytes) else io.FileIO(source) as file:
                try:
                    compiled = _compiled(file, worlds, lane=lane, key=key)
                    return cls(compiled, name=name, worlds=worlds)
                except (UnknownFormError, ComponentError, wasmtime.WasmtimeError) as error:
                    reason = _reason(_content(file)) if worlds is CONTRACT else None
                    raise ComponentError(f"{where}: {reason or _last_line(error)}") from None
        except OSError as error:
            raise ComponentError(f"{where}: {error.strerror or error}") from None

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
            self._exported[name] = self.code.get_export_index(name, self._exports)
        return self._exported[name]

    def _linker(self, modules: Mapping[str, wasmtime.Module]) -> Linker:
        engine = the_engine()
        linker = Linker(engine.wasmtime)
        linker.add_wasip2()
        with linker.root() as root:
            for name, module in modules.items():
                root.add_module(name, module)
        # The numbers by which imports.py knows them.
        labels = ["fetch", "nap", *(each.label for each in self.bindings.host_functions)]
        with linker.root() as root, root.add_instance("host") as host:
            for number, label in enumerate(labels):
                _ffi.add_function(
                    host, label, function=engine.dispatcher.callback, environment=number
                )
        callback = engine.dispatcher.integers_callback
        for number, each in enumerate(INTEGERS):
            if each.interface in self._passed:
                with linker.root() as root, root.add_instance(each.interface) as host:
                    _ffi.add_function(host, each.name, function=callback, environment=number)
        return linker


def _compiled(
    file: io.FileIO | io.BytesIO, worlds: Sequence[World], *, lane: Lane, key: str | None
) -> Compiled:
    """
    Find the machine code of the component in *file*, or make it.
    """
    engine = the_engine()
    known = key or hashlib.file_digest(file, "sha256").hexdigest()
    found = Shelf(engine, known, worlds, lane=lane).find()
    if found is not None:
        return found
    # Here, as a plugin that is found compiled needs nothing of it.
    from otelwasm.plugins.making import make

    guest = _content(file)
    # Anew, as the file may have been written to since: what is kept is known by what it is made of.
    known = key or hashlib.sha256(guest).hexdigest()
    return make(guest, worlds, lane=lane, shelf=Shelf(engine, known, worlds, lane=lane))


def _content(file: io.FileIO | io.BytesIO) -> bytes:
    file.seek(0)
    return file.read()


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
