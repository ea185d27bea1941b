"""
Put a plugin between two bridges, so that what the host calls takes and returns plain integers.

The composed component, in the order of its sections:

    ┌─ outer component ────────────────────────────────────────────────────────────────────┐
    │ 0 import "code0", …: the plugin's large modules, compiled by themselves (hoist.py)   │
    │ 1 the plugin's own leading types and imports, so that WASI passes through with its   │
    │   exact types. Imports of the contract stay in place but lose their functions: the   │
    │   linker need not provide an instance of types, and type indices stay the same       │
    │ 2 import "host": `fetch`, `nap` and one function for each that the plugin may call,  │
    │   all without parameters and results; imports.py knows them by their numbers         │
    │ 3 components: the imports bridge, the plugin (less those), the exports bridge, and,   │
    │   for a plugin that imports wasi:io/poll, one that waits in its place (waiting.py)   │
    │                                                                                      │
    │       host ──► imports bridge ──► plugin ──► exports bridge                          │
    │                 (window)          (its own    (window)                               │
    │                                    memory)                                           │
    │ 4 instances of the imports bridge, waiting, the plugin, the exports bridge, in that  │
    │   order: so the first memory that is made is the imports bridge's window, and the    │
    │   last the exports bridge's                                                          │
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
from collections.abc import Mapping

import attrs
from wasmtime import WasmtimeError, wat2wasm

from otelwasm.errors import ComponentError
from otelwasm.plugins.binary import MAGIC, Bytes, Reader, UnknownFormError, leb, name, section
from otelwasm.plugins.hoist import hoist
from otelwasm.plugins.waiting import POLL, shim, with_ready
from otelwasm.plugins.world import World

__all__ = ["Composed", "Outline", "compose", "outline"]

_TYPES, _IMPORTS, _EXPORTS = 7, 10, 11
_COMPONENTS, _INSTANCES, _ALIASES = 4, 5, 6
_FUNCTION, _INSTANCE = 1, 5
# A function type without parameters and result.
_PLAIN = b"\x40\x00\x01\x00"


@attrs.frozen
class Outline:
    """
    What a component shows of itself: the sections before its first definition, taken apart, and
    the instances and functions that it imports (name, sort, type) and exports.
    """

    sections: tuple[tuple[int, tuple[bytes, ...]], ...]
    imports: tuple[tuple[str, int, int], ...]
    type_count: int
    exports: frozenset[str]


@attrs.frozen
class Composed:
    """
    A component that is ready to be compiled, which imports *modules* (hoist.py); *raw* are the
    functions of the direct lane.

    Its instances' memories from number *guest_memory* on are the plugin's own.
    """

    wasm: bytes
    raw: tuple[str, ...]
    guest_memory: int
    modules: Mapping[str, bytes]

    @property
    def lane(self) -> str:
        """
        How bytes cross: "bridge" or "direct".
        """
        return "direct" if self.raw else "bridge"


class _Indices:
    """
    The next free index of an index space.
    """

    def __init__(self, first: int) -> None:
        self._next = first

    def take(self) -> int:
        self._next += 1
        return self._next - 1


def outline(guest: Bytes) -> Outline:
    """
    Read what *guest* imports and exports; UnknownFormError if it has an unknown form.
    """
    if guest[: len(MAGIC)] != MAGIC:
        raise UnknownFormError(_no_component(guest))
    sections: list[tuple[int, tuple[bytes, ...]]] = []
    imports: list[tuple[str, int, int]] = []
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
                    if sort not in (_FUNCTION, _INSTANCE):
                        raise UnknownFormError(f"it imports {imported!r}, of the sort {sort}")
                    imports.append((imported, sort, index))
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
    hoisted = hoist(guest)
    is_direct = bool(raw)
    out = [MAGIC, *hoisted.imports, *_leading(found, world, passed)]
    labels = ["fetch", "nap", *(function.label for function in world.host_functions)]
    declared = b"".join(b"\x04\x00" + name(label) + b"\x01\x00" for label in labels)
    out.append(section(_TYPES, [b"\x42" + leb(1 + len(labels)) + b"\x01" + _PLAIN + declared]))
    host_import = b"\x00" + name("host") + b"\x05" + leb(found.type_count)
    out.append(section(_IMPORTS, [host_import]))
    instances = _Indices(sum(sort == _INSTANCE for _, sort, _ in found.imports))
    functions = _Indices(0)
    host = instances.take()
    components = _Indices(0)

    def define(component: bytes) -> int:
        # In two parts, as a component of 20 MB is copied once only, at the end.
        out.extend((bytes([_COMPONENTS]) + leb(len(component)), component))
        return components.take()

    def instantiate(component: int, arguments: list[tuple[str, int, int]]) -> int:
        out.append(section(_INSTANCES, [_instance(component, arguments)]))
        return instances.take()

    bridge = instantiate(define(_bridge(world, "imports", is_direct)), [("host", _INSTANCE, host)])
    hello = functions.take()
    out.append(section(_ALIASES, [_alias(_FUNCTION, bridge, "hello")]))
    offered = {}
    for id_ in (*world.offered, *world.offered_functions):
        sort = _FUNCTION if id_ in world.offered_functions else _INSTANCE
        offered[id_] = (sort, (functions if sort == _FUNCTION else instances).take())
        out.append(section(_ALIASES, [_alias(sort, bridge, id_)]))
    waits = 0
    given = []
    place = 0
    for id_, sort, _ in found.imports:
        target = offered.get(id_, (sort, place))
        if id_.startswith(POLL):
            waiting = define(shim(id_))
            instance = instantiate(waiting, [("host", _INSTANCE, host), (id_, *target)])
            out.append(section(_ALIASES, [_alias(_INSTANCE, instance, id_)]))
            target = (_INSTANCE, instances.take())
            waits += 1
        given.append((id_, *target))
        place += sort == _INSTANCE
    plugin = instantiate(define(hoisted.guest), given)

    if is_direct:
        inline = []
        for each in raw:
            out.append(section(_ALIASES, [_alias(_FUNCTION, plugin, each)]))
            inline.append(_exported(each) + bytes([_FUNCTION]) + leb(functions.take()))
        out.append(section(_INSTANCES, [b"\x01" + leb(len(inline)) + b"".join(inline)]))
        face = instances.take()
    else:
        taken = [(id_, *offered[id_]) for id_ in world.needed]
        for id_ in (*world.required, *world.required_functions):
            sort = _FUNCTION if id_ in world.required_functions else _INSTANCE
            out.append(section(_ALIASES, [_alias(sort, plugin, id_)]))
            taken.append((id_, sort, (functions if sort == _FUNCTION else instances).take()))
        face = instantiate(define(_bridge(world, "exports", is_direct)), taken)
    exports = [_exported("hello") + bytes([_FUNCTION]) + leb(hello) + b"\x00"]
    exports.append(_exported("plugin") + bytes([_INSTANCE]) + leb(face) + b"\x00")
    for id_ in shown:
        out.append(section(_ALIASES, [_alias(_INSTANCE, plugin, id_)]))
        exports.append(_exported(id_) + bytes([_INSTANCE]) + leb(instances.take()) + b"\x00")
    out.append(section(_EXPORTS, exports))
    return Composed(b"".join(out), raw, guest_memory=1 + waits, modules=hoisted.modules)


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
    for id_, sort, type_ in found.imports:
        if id_ in world.offered and sort == _INSTANCE:
            place, item = places[type_]
            sections[place][1][item] = _without_functions(sections[place][1][item])
        elif id_.startswith(POLL) and sort == _INSTANCE:
            place, item = places[type_]
            sections[place][1][item] = with_ready(sections[place][1][item])
        elif (
            id_ not in world.offered_functions and not id_.startswith("wasi:") and id_ not in passed
        ):
            raise ComponentError(
                f"it imports {id_}, which a {world.name} of {world.package} is not offered; "
                f"offered are {', '.join(world.offered)} and WASI"
            )
    for kind, items in sections:
        if kind == _IMPORTS:
            items[:] = [item for item in items if not _imports_function(item)]
    return [section(kind, items) for kind, items in sections if items]


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


def _imports_function(item: bytes) -> bool:
    reader = Reader(item)
    reader.extern_name()
    return reader.byte() == _FUNCTION


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


def _instance(component: int, arguments: list[tuple[str, int, int]]) -> bytes:
    given = b"".join(name(each) + bytes([sort]) + leb(index) for each, sort, index in arguments)
    return b"\x00" + leb(component) + leb(len(arguments)) + given


def _exported(text: str) -> bytes:
    return b"\x00" + name(text)


def _no_component(guest: Bytes) -> str:
    if guest[:4] != b"\0asm":
        return "it is no WebAssembly"
    if guest[4:8] == b"\1\0\0\0":
        return "it is a core module, not a component; `wasm-tools component new` makes one of it"
    return "it is of an unknown version of WebAssembly"
