"""
Load a plugin's component: read, check, compose and compile it, once for all its instances.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import wasmtime
from wasmtime.component import Component as WasmtimeComponent
from wasmtime.component import ExportIndex, Linker

from otelwasm.errors import ComponentError
from otelwasm.plugins import _ffi
from otelwasm.plugins._generated import exporter, processor, receiver
from otelwasm.plugins.binary import UnknownFormError
from otelwasm.plugins.compiled import compiled
from otelwasm.plugins.compose import Composed, Outline, compose, outline
from otelwasm.plugins.engine import the_engine
from otelwasm.plugins.world import GuestFunction, World

__all__ = ["CONTRACT", "DIRECT", "DIRECT_HOST", "Component", "Lane"]

Lane = Literal["auto", "bridge", "direct"]

CONTRACT = (processor.WORLD, exporter.WORLD, receiver.WORLD)
DIRECT = "otelwasm:plugin/direct@0.1.0"
DIRECT_HOST = "otelwasm:plugin/direct-host@0.1.0"


class Component:
    """
    A compiled plugin; its instances share it, on any threads.
    """

    def __init__(self, guest: bytes, *, name: str, worlds: Sequence[World], lane: Lane) -> None:
        found = outline(guest)
        self.name = name
        self.bindings = _world(found, worlds)
        self.world = self.bindings.name
        self.has_direct = DIRECT in found.exports
        composed = self._composed(guest, lane)
        self.lane = composed.lane
        engine = the_engine()
        self.wasmtime: WasmtimeComponent = compiled(engine, composed.wasm)
        self.linker = self._linker(found)
        face = self.wasmtime.get_export_index("plugin")
        hello = self.wasmtime.get_export_index("hello")
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
    ) -> "Component":
        """
        Load a component from a file or from its bytes; it must fit one of *worlds*.
        """
        where = f"plugin {name!r}"
        if isinstance(source, bytes):
            guest = source
        else:
            where = f"{where}: {os.fspath(source)}"
            try:
                guest = Path(source).read_bytes()
            except OSError as error:
                raise ComponentError(f"{where}: {error.strerror or error}") from None
        try:
            return cls(guest, name=name, worlds=worlds, lane=lane)
        except (UnknownFormError, ComponentError) as error:
            raise ComponentError(f"{where}: {error}") from None
        except wasmtime.WasmtimeError as error:
            raise ComponentError(f"{where}: {_last_line(error)}") from None

    def label(self, described: GuestFunction) -> str:
        """
        What the composed component calls an exported function.
        """
        return self._labels[described.interface, described.name]

    def exported(self, name: str) -> ExportIndex | None:
        """
        A function of the composed component, if there is one of this name.
        """
        return self.wasmtime.get_export_index(name, self._face)

    def _composed(self, guest: bytes, lane: Lane) -> Composed:
        if lane == "direct":
            raise ComponentError("the direct lane is not available yet")
        return compose(guest, self.bindings, passed=(DIRECT_HOST,))

    def _linker(self, found: Outline) -> Linker:
        engine = the_engine()
        linker = Linker(engine.wasmtime)
        linker.add_wasip2()
        labels = ["fetch", *(each.label for each in self.bindings.host_functions)]
        with linker.root() as root, root.add_instance("host") as host:
            for number, label in enumerate(labels):
                _ffi.add_function(
                    host, label, function=engine.dispatcher.callback, environment=number
                )
        return linker


def _world(found: Outline, worlds: Sequence[World]) -> World:
    for world in worlds:
        if all(required in found.exports for required in world.required):
            return world
    wanted = "; ".join(f"{world.name}: {' and '.join(world.required)}" for world in worlds)
    has = ", ".join(sorted(found.exports)) or "nothing"
    raise ComponentError(f"it exports {has}; needed are ({wanted})")


def _last_line(error: wasmtime.WasmtimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("0: ") if lines else "wasmtime refuses it"
