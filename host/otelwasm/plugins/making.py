"""
Make what a plugin's instances are made from: read a component, find its world, compose, compile.
"""

from collections.abc import Sequence

import wasmtime

from otelwasm.errors import ComponentError
from otelwasm.plugins.binary import UnknownFormError
from otelwasm.plugins.compiled import Compiled, Face, Shelf
from otelwasm.plugins.compose import Outline, compose, outline
from otelwasm.plugins.contract import DIRECT, DIRECT_HOST, INTEGERS, SOURCES
from otelwasm.plugins.images import take_data
from otelwasm.plugins.lane import Lane
from otelwasm.plugins.memories import memory_count
from otelwasm.plugins.relift import relift
from otelwasm.plugins.world import World

__all__ = ["make"]


def make(guest: bytes, worlds: Sequence[World], *, lane: Lane, shelf: Shelf) -> Compiled:
    """
    Compose for the lane that is asked for, or for the best that works, compile, and keep it.

    Raises ComponentError, UnknownFormError or WasmtimeError where *guest* cannot be a plugin.
    """
    found = outline(guest)
    world = _world(found, worlds)
    shown = tuple(each for each in (DIRECT, SOURCES) if each in found.exports)
    imported = {id_ for id_, _, _ in found.imports}
    passed = tuple(each.interface for each in INTEGERS if each.interface in imported)
    if passed and memory_count(guest) != 1:
        raise ComponentError(f"it imports {DIRECT_HOST} and has not exactly one memory")
    face = Face(world.name, shown, passed)
    guest, data = take_data(guest)
    if lane != "bridge":
        try:
            relifted, raw = relift(guest, world)
            direct = compose(relifted, world, raw=raw, passed=passed, shown=shown)
            return shelf.make(direct, data, face)
        except (UnknownFormError, wasmtime.WasmtimeError) as error:
            if lane == "direct":
                raise ComponentError(f"it cannot take the direct lane: {error}") from None
    return shelf.make(compose(guest, world, passed=passed, shown=shown), data, face)


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
