"""
Put a plugin between two bridges, so that what the host calls takes and returns plain integers.

The composed component, in the order of its sections:

    ┌─ outer component ────────────────────────────────────────────────────────────────────┐
    │ 1 the plugin's own leading types and imports, so that WASI passes through with its   │
    │   exact types. Imports of the contract stay in place but lose their functions: the   │
    │   linker need not provide an instance of types, and every index stays the same       │
    │ 2 import "host": one function a number, without parameters or results                │
    │ 3 components: 0 the imports bridge, 1 the plugin (untouched), 2 the exports bridge   │
    │                                                                                      │
    │       host ──► imports bridge ──► plugin ──► exports bridge                          │
    │                 (window)          (its own    (window)                               │
    │                                    memory)                                           │
    │ 4 their instances, in that order: so the first memory that is made is the imports    │
    │   bridge's window, and the last the exports bridge's                                 │
    │ 5 exports: "hello" (the imports bridge's), "plugin" (the exports bridge's), and the  │
    │   plugin's interfaces of integers only, as they are                                  │
    └──────────────────────────────────────────────────────────────────────────────────────┘

A bridge's window (bindgen/bridges.py writes them) holds the arguments and the result of a call:

      0  u32  top: the next free byte
      4  u32  need: pages that the host asks for
      8  u32  hello: calls of `hello`, by which the host makes sure that this is the window
     64  flat arguments, 8 bytes each
    192  the result
    `World.heap_at` …  what they point to, given out upwards, freed all at once

In the direct lane there is no exports bridge: "plugin" has the plugin's core functions, lifted
once more with flat signatures (relift.py), and lists of bytes that it passes to imports stay in
its memory, passed as offset and length.
"""

import functools

import attrs
from wasmtime import WasmtimeError, wat2wasm

from otelwasm.errors import ComponentError
from otelwasm.plugins.binary import MAGIC, Reader, UnknownFormError, leb, name, section
from otelwasm.plugins.world import World

__all__ = ["COMPOSITION", "Composed", "Outline", "compose", "outline"]

# Part of the key of compiled components: count up when composing changes.
COMPOSITION = 2

_TYPES, _IMPORTS, _EXPORTS = 7, 10, 11
_COMPONENTS, _INSTANCES, _ALIASES = 4, 5, 6
_FUNCTION, _INSTANCE = 1, 5
# A function type without parameters and result.
_PLAIN = b"\x40\x00\x01\x00"


@attrs.frozen
class Outline:
    """
    What a component shows of itself: the sections before its first definition, taken apart, and
    the instances and functions that it imports and exports.
    """

    sections: tuple[tuple[int, tuple[bytes, ...]], ...]
    imports: tuple[tuple[str, int], ...]
    type_count: int
    exports: frozenset[str]


@attrs.frozen
class Composed:
    """
    A component that is ready to be compiled; *raw* are the functions of the direct lane.
    """

    wasm: bytes
    raw: tuple[str, ...]

    @property
    def lane(self) -> str:
        """
        How bytes cross: "bridge" or "direct".
        """
        return "direct" if self.raw else "bridge"


def outline(guest: bytes) -> Outline:
    """
    Read what *guest* imports and exports; UnknownFormError if it has an unknown form.
    """
    if guest[: len(MAGIC)] != MAGIC:
        raise UnknownFormError(_no_component(guest))
    sections: list[tuple[int, tuple[bytes, ...]]] = []
    imports: list[tuple[str, int]] = []
    imported_types: dict[int, tuple[int, int]] = {}
    exports = set()
    type_count = 0
    is_leading = True
    reader = Reader(guest, len(MAGIC))
    while reader.at < len(guest):
        kind = reader.byte()
        end = reader.number() + reader.at
        if end > len(guest):
            raise UnknownFormError("it is cut off")
        if kind == _EXPORTS:
            exports.update(reader.each(functools.partial(_export, reader)))
        elif kind == _IMPORTS and not is_leading:
            raise UnknownFormError("it has imports after its first definition")
        elif kind not in (0, _ALIASES, _TYPES, _IMPORTS):
            is_leading = False
        elif kind and is_leading:
            items: list[bytes] = []
            for _ in range(reader.number()):
                start = reader.at
                if kind == _TYPES:
                    imported_types[type_count] = (len(sections), len(items))
                    reader.definition()
                    type_count += 1
                elif kind == _ALIASES:
                    if reader.alias()[0] != 3:
                        raise UnknownFormError("it has an alias of no type among its imports")
                    type_count += 1
                else:
                    imported = reader.extern_name()
                    sort, index = reader.description()
                    if sort != _INSTANCE:
                        raise UnknownFormError(f"it imports {imported!r}, which is no interface")
                    imports.append((imported, index))
                items.append(guest[start : reader.at])
            sections.append((kind, tuple(items)))
        reader.at = end
    return Outline(tuple(sections), tuple(imports), type_count, frozenset(exports))


def compose(
    guest: bytes,
    world: World,
    *,
    raw: tuple[str, ...] = (),
    passed: tuple[str, ...] = (),
    shown: tuple[str, ...] = (),
) -> Composed:
    """
    Compose *guest*, which fits *world*; with *raw* functions (relift.py) for the direct lane.

    Imports in *passed*, and WASI's, are left to the linker. Exports in *shown* are exported as
    they are.
    """
    found = outline(guest)
    is_direct = bool(raw)
    out = [MAGIC, *_leading(found, world, passed)]
    labels = ["fetch", *(function.label for function in world.host_functions)]
    declared = b"".join(b"\x04\x00" + name(label) + b"\x01\x00" for label in labels)
    out.append(section(_TYPES, [b"\x42" + leb(1 + len(labels)) + b"\x01" + _PLAIN + declared]))
    host_import = b"\x00" + name("host") + b"\x05" + leb(found.type_count)
    out.append(section(_IMPORTS, [host_import]))
    host = len(found.imports)
    for component in (_bridge(world, "imports", is_direct), guest):
        out.append(bytes([_COMPONENTS]) + leb(len(component)) + component)

    out.append(section(_INSTANCES, [_instance(0, [("host", host)])]))
    bridge = host + 1
    out.append(section(_ALIASES, [_alias(_INSTANCE, bridge, id_) for id_ in world.offered]))
    offered = {id_: bridge + 1 + place for place, id_ in enumerate(world.offered)}
    given = [(id_, offered.get(id_, place)) for place, (id_, _) in enumerate(found.imports)]
    out.append(section(_INSTANCES, [_instance(1, given)]))
    plugin = bridge + 1 + len(offered)
    # Function 0 of the outer component; what came before has none.
    out.append(section(_ALIASES, [_alias(_FUNCTION, bridge, "hello")]))
    if is_direct:
        out.append(section(_ALIASES, [_alias(_FUNCTION, plugin, each) for each in raw]))
        inline = [name_ + b"\x01" + leb(1 + k) for k, name_ in enumerate(map(_exported, raw))]
        out.append(section(_INSTANCES, [b"\x01" + leb(len(inline)) + b"".join(inline)]))
        face = plugin + 1
    else:
        exports_bridge = _bridge(world, "exports", is_direct)
        out.append(bytes([_COMPONENTS]) + leb(len(exports_bridge)) + exports_bridge)
        out.append(section(_ALIASES, [_alias(_INSTANCE, plugin, id_) for id_ in world.required]))
        taken = [(id_, plugin + 1 + place) for place, id_ in enumerate(world.required)]
        taken += [(id_, offered[id_]) for id_ in world.needed]
        out.append(section(_INSTANCES, [_instance(2, taken)]))
        face = plugin + 1 + len(world.required)
    exports = [_exported("hello") + b"\x01\x00\x00"]
    exports.append(_exported("plugin") + b"\x05" + leb(face) + b"\x00")
    for place, id_ in enumerate(shown, start=face + 1):
        out.append(section(_ALIASES, [_alias(_INSTANCE, plugin, id_)]))
        exports.append(_exported(id_) + b"\x05" + leb(place) + b"\x00")
    out.append(section(_EXPORTS, exports))
    return Composed(b"".join(out), raw)


def _leading(found: Outline, world: World, passed: tuple[str, ...]) -> list[bytes]:
    """
    The plugin's leading sections, its imports of the contract without their functions.
    """
    sections = [(kind, list(items)) for kind, items in found.sections]
    places = {}
    number = 0
    for place, (kind, items) in enumerate(sections):
        if kind in (_TYPES, _ALIASES):
            for item in range(len(items)):
                places[number] = (place, item)
                number += 1
    for id_, type_ in found.imports:
        if id_ in world.offered:
            place, item = places[type_]
            sections[place][1][item] = _without_functions(sections[place][1][item])
        elif not id_.startswith("wasi:") and id_ not in passed:
            raise ComponentError(
                f"it imports {id_}, which a {world.name} of {world.package} is not offered; "
                f"offered are {', '.join(world.offered)} and WASI"
            )
    return [section(kind, items) for kind, items in sections]


def _without_functions(definition: bytes) -> bytes:
    """
    An instance's type less its functions; types and aliases keep their indices.
    """
    reader = Reader(definition)
    if reader.byte() != 0x42:
        raise UnknownFormError("it imports an instance whose type is not an instance's")
    kept = []
    for _ in range(reader.number()):
        start = reader.at
        if reader.declaration()[2] != _FUNCTION:
            kept.append(definition[start : reader.at])
    return b"\x42" + leb(len(kept)) + b"".join(kept)


def _bridge(world: World, kind: str, is_direct: bool) -> bytes:
    bridges = world.bridges()
    imports = bridges.imports_direct if is_direct else bridges.imports
    try:
        return bytes(wat2wasm(imports if kind == "imports" else bridges.exports))
    except WasmtimeError as error:
        raise ComponentError(
            f"the {kind} bridge of world {world.name} is no WAT: {error}"
        ) from None


def _export(reader: Reader) -> str:
    exported = reader.extern_name()
    if reader.byte() == 0:
        reader.byte()
    reader.number()
    if reader.byte():
        reader.description()
    return exported


def _alias(sort: int, instance: int, exported: str) -> bytes:
    return bytes([sort, 0]) + leb(instance) + name(exported)


def _instance(component: int, arguments: list[tuple[str, int]]) -> bytes:
    given = b"".join(name(each) + b"\x05" + leb(index) for each, index in arguments)
    return b"\x00" + leb(component) + leb(len(arguments)) + given


def _exported(text: str) -> bytes:
    return b"\x00" + name(text)


def _no_component(guest: bytes) -> str:
    if guest[:4] != b"\0asm":
        return "it is no WebAssembly"
    if guest[4:8] == b"\1\0\0\0":
        return "it is a core module, not a component; `wasm-tools component new` makes one of it"
    return "it is of an unknown version of WebAssembly"
