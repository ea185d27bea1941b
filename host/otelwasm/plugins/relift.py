"""
Lift a plugin's exported functions a second time, with flat signatures, for the direct lane.

Component tools put a component's core functions behind `canon lift`. The same core functions,
their post-returns and their allocator are lifted here once more, as functions of plain integers,
so that the host reads and writes the plugin's own memory instead of having wasmtime copy each
byte. Lists of bytes that the plugin passes to the host's functions become two integers in the
type of its imports; their core form is the same, so the plugin does not notice. Everything else
of the component stays as it is.

    (canon lift (core func $process) (memory …) (realloc …) (post-return …))      the component's
    (canon lift (core func $process)) : (i32, i32, i32) -> i32                    added: raw-…
    (canon lift (core func $post))    : (i32)                                     added: post-…
    (canon lift (core func $realloc)) : (i32, i32, i32, i32) -> i32               added: realloc

It needs the core names that wit-component gives, and exactly one memory.
"""

import attrs

from otelwasm.plugins.binary import MAGIC, Reader, UnknownFormError, leb, name, section
from otelwasm.plugins.memories import memory_count
from otelwasm.plugins.world import LENGTH_SUFFIX, GuestFunction, World

__all__ = ["relift"]

_ALIASES, _TYPES, _CANONS, _IMPORTS, _EXPORTS = 6, 7, 8, 10, 11
_UTF8, _MEMORY, _REALLOC, _POST_RETURN = 0, 3, 4, 5
_U32 = b"\x79"
_VALUE_TYPES = {"i32": _U32, "i64": b"\x77", "f32": b"\x76", "f64": b"\x75"}
_LIST_OF_BYTES = b"\x01\x70\x7d"


@attrs.define
class _Found:
    """
    The index spaces of a component so far, and what was met in them.
    """

    types: int = 0
    functions: int = 0
    core_functions: int = 0
    named: dict[str, int] = attrs.field(factory=dict)
    lifted: dict[int, dict[int, int | None]] = attrs.field(factory=dict)
    # Type index -> (section, start, end) of its definition.
    definitions: dict[int, tuple[int, int, int]] = attrs.field(factory=dict)
    imported: list[int] = attrs.field(factory=list)


@attrs.define
class _Lifts:
    """
    The functions to add, from the next free indices on.
    """

    first_type: int
    first_function: int
    names: list[str] = attrs.field(factory=list)
    types: list[bytes] = attrs.field(factory=list)
    canons: list[bytes] = attrs.field(factory=list)
    exports: list[bytes] = attrs.field(factory=list)

    def add(self, label: str, core: int, params: tuple[str, ...], result: str | None) -> None:
        """
        Lift the core function *core* as *label*.
        """
        count = len(self.names)
        items = b"".join(name(f"p{k}") + _VALUE_TYPES[each] for k, each in enumerate(params))
        returned = b"\x01\x00" if result is None else b"\x00" + _VALUE_TYPES[result]
        self.types.append(b"\x40" + leb(len(params)) + items + returned)
        self.canons.append(b"\x00\x00" + leb(core) + b"\x00" + leb(self.first_type + count))
        index = leb(self.first_function + count)
        self.exports.append(b"\x00" + name(label) + b"\x01" + index + b"\x00")
        self.names.append(label)


def relift(guest: bytes, world: World) -> tuple[bytes, tuple[str, ...]]:
    """
    The component with its added functions, and their names; UnknownFormError where it cannot be.
    """
    count = memory_count(guest)
    if count != 1:
        raise UnknownFormError(f"it has {count} memories, the direct lane needs exactly one")
    found, sections = _walk(guest, world)
    rewritten = _rewritten(guest, sections, [found.definitions[i] for i in found.imported])
    lifts = _Lifts(found.types, found.functions)
    reallocs = set()
    for label, described in world.guest_functions.items():
        core, options = _core_of(found, described)
        lifts.add(f"raw-{label}", core, described.params, described.result)
        post_return = options.get(_POST_RETURN)
        if post_return is not None and described.result_size:
            lifts.add(f"post-{label}", post_return, ("i32",), None)
        if (realloc := options.get(_REALLOC)) is not None:
            reallocs.add(realloc)
    if len(reallocs) != 1:
        raise UnknownFormError(f"it has {len(reallocs)} allocators for its exports")
    lifts.add("realloc", reallocs.pop(), ("i32",) * 4, "i32")
    added = [
        section(_TYPES, lifts.types),
        section(_CANONS, lifts.canons),
        section(_EXPORTS, lifts.exports),
    ]
    return b"".join([MAGIC, *rewritten, *added]), tuple(lifts.names)


def _core_of(found: _Found, described: GuestFunction) -> tuple[int, dict[int, int | None]]:
    """
    The core function behind an export, and the options that it is lifted with.
    """
    core = found.named.get(str(described))
    options = None if core is None else found.lifted.get(core)
    if core is None or options is None:
        raise UnknownFormError(f"{described} has no core function of its name")
    unknown = set(options) - {_UTF8, _MEMORY, _REALLOC, _POST_RETURN}
    if unknown:
        raise UnknownFormError(f"{described} is lifted with the option {min(unknown):#x}")
    return core, options


def _walk(guest: bytes, world: World) -> tuple[_Found, list[tuple[int, int, int]]]:
    """
    Count through a component's index spaces; returns its sections as (kind, start, end) too.
    """
    found = _Found()
    sections: list[tuple[int, int, int]] = []
    reader = Reader(guest, len(MAGIC))
    while reader.at < len(guest):
        start = reader.at
        kind = reader.byte()
        end = reader.number() + reader.at
        if kind in (_ALIASES, _TYPES, _CANONS, _IMPORTS, _EXPORTS):
            for _ in range(reader.number()):
                _item(kind, reader, found, world, len(sections))
            if reader.at != end:
                raise UnknownFormError(f"a section of the kind {kind} has an unknown form")
        sections.append((kind, start, end))
        reader.at = end
    return found, sections


def _item(kind: int, reader: Reader, found: _Found, world: World, place: int) -> None:
    """
    Count one item of a section.
    """
    if kind == _TYPES:
        start = reader.at
        reader.definition()
        found.definitions[found.types] = (place, start, reader.at)
        found.types += 1
    elif kind == _ALIASES:
        sort, core, exported = reader.alias()
        if sort == 0 and core == 0:
            if exported is not None:
                found.named.setdefault(exported, found.core_functions)
            found.core_functions += 1
        found.types += sort == 3
        found.functions += sort == 1
    elif kind == _CANONS:
        lifted = reader.canonical()
        if lifted is None:
            found.core_functions += 1
        else:
            found.lifted[lifted[0]] = lifted[1]
            found.functions += 1
    else:
        exported = reader.extern_name()
        if kind == _IMPORTS:
            sort, index = reader.description()
            if exported in world.offered:
                if index not in found.definitions:
                    raise UnknownFormError(f"the type of its import {exported} is elsewhere")
                found.imported.append(index)
        else:
            sort = reader.byte()
            if sort == 0:
                reader.byte()
            reader.number()
            reader.optional(reader.description)
        found.types += sort == 3
        found.functions += sort == 1


def _rewritten(
    guest: bytes, sections: list[tuple[int, int, int]], definitions: list[tuple[int, int, int]]
) -> list[bytes | memoryview]:
    """
    The sections of *guest*, with these definitions changed by `_split`.
    """
    out: list[bytes | memoryview] = []
    view = memoryview(guest)
    for place, (kind, start, end) in enumerate(sections):
        changed = sorted({(a, b) for where, a, b in definitions if where == place})
        if not changed:
            out.append(view[start:end])
            continue
        reader = Reader(guest, start + 1)
        reader.number()
        body = b""
        at = reader.at
        for first, last in changed:
            body += guest[at:first] + _split(guest[first:last])
            at = last
        body += guest[at:end]
        out.append(bytes([kind]) + leb(len(body)) + body)
    return out


def _split(definition: bytes) -> bytes:
    """
    An instance's type in which functions take two integers in place of each list of bytes.
    """
    reader = Reader(definition, 1)
    out = []
    lists = set()
    index = 0
    for _ in range(reader.number()):
        start = reader.at
        form, _, sort = reader.declaration()
        declared = definition[start : reader.at]
        if form == 1:
            if declared == _LIST_OF_BYTES:
                lists.add(index)
            elif declared[1] == 0x40:
                declared = declared[:2] + _split_parameters(declared, lists)
            index += 1
        elif form == 2 or sort == 3:
            index += 1
        out.append(declared)
    return b"\x42" + leb(len(out)) + b"".join(out)


def _split_parameters(declared: bytes, lists: set[int]) -> bytes:
    reader = Reader(declared, 2)
    params = []
    for _ in range(reader.number()):
        param = reader.string()
        start = reader.at
        if reader.value_type() in lists:
            params += [name(param) + _U32, name(param + LENGTH_SUFFIX) + _U32]
        else:
            params.append(name(param) + declared[start : reader.at])
    return leb(len(params)) + b"".join(params) + declared[reader.at :]
