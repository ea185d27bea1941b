"""
Lift the large modules out of a plugin, so that each is compiled once for all plugins and lanes.

Most of a Python plugin is CPython, byte for byte the same in each, and most of any plugin is the
same in both lanes. A component is compiled as a whole; but it may import a module instead of
holding it, and whoever links it gives that module, compiled by itself:

    (component                                       (component
      (import "code0" (core module …types…))            …
      (component $plugin                       ◄──      (component $plugin
        (alias outer 1 0 (core module))                   (core module …6 MB…)
        …                                                 …

The alias takes the module's place, so that nothing else in the plugin changes. What the module
imports and exports, which is its type, is written out from its sections. One with anything in it
that this does not know stays where it is.
"""

from collections.abc import Callable, Iterator, Mapping

import attrs

from otelwasm.plugins.binary import MAGIC, Reader, UnknownFormError, leb, name, section
from otelwasm.plugins.memories import MODULE_MAGIC

__all__ = ["Hoisted", "hoist"]

_CORE_MODULE, _CORE_TYPES, _ALIASES, _IMPORTS = 1, 3, 6, 10
_TYPES, _MODULE_IMPORTS, _FUNCTIONS, _TABLES, _MEMORIES, _GLOBALS, _EXPORTS = 1, 2, 3, 4, 5, 6, 7
_CODE = 10
_FUNCTION, _TABLE, _MEMORY, _GLOBAL = range(4)
# So much code takes seconds to compile. But what is imported wasmtime connects by its names, each
# time: all five modules of a Python plugin make an instance a third slower, CPython alone a tenth.
_WORTH_SHARING_BYTES = 1 << 20
_SIMPLE_TYPES = {0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F}
_ARITHMETIC = {0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E}
_END = 0x0B


@attrs.frozen
class Hoisted:
    """
    A plugin less its large *modules*, and the sections by which a component around it imports them
    by their names.
    """

    guest: bytes
    imports: tuple[bytes, ...] = ()
    modules: Mapping[str, bytes] = attrs.field(factory=dict)


def hoist(guest: bytes) -> Hoisted:
    """
    Take the large modules out of *guest*, a component.
    """
    kept = [guest[: len(MAGIC)]]
    modules: list[_Module] = []
    reader = Reader(guest, len(MAGIC))
    while reader.at < len(guest):
        start = reader.at
        kind = reader.byte()
        size = reader.number()
        at, reader.at = reader.at, reader.at + size
        module = _large(guest[at : reader.at]) if kind == _CORE_MODULE else None
        if module is not None:
            kept.append(section(_ALIASES, [b"\x00\x11\x02\x01" + leb(len(modules))]))
            modules.append(module)
            continue
        kept.append(guest[start : reader.at])
    if not modules:
        return Hoisted(guest)
    left = b"".join(kept)
    types = section(_CORE_TYPES, [_type_of(module, left, others=modules) for module in modules])
    named = {f"code{number}": module.data for number, module in enumerate(modules)}
    imports = [
        b"\x00" + name(each) + b"\x00\x11" + leb(number) for number, each in enumerate(named)
    ]
    return Hoisted(left, (types, section(_IMPORTS, imports)), named)


@attrs.define
class _Module:
    """
    A module's bytes and, in the binary format, what its type is made of.
    """

    data: bytes
    types: list[bytes] = attrs.field(factory=list)
    imports: list[bytes] = attrs.field(factory=list)
    # Each export's name, and what it is.
    exports: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    code_bytes: int = 0


def _large(data: bytes) -> _Module | None:
    """
    The module in *data* if it is worth it, and known in all its parts.
    """
    if len(data) < _WORTH_SHARING_BYTES:
        return None
    try:
        module = _read(data)
    except UnknownFormError:
        return None
    return module if module.code_bytes >= _WORTH_SHARING_BYTES else None


def _type_of(module: _Module, guest: bytes, *, others: list[_Module]) -> bytes:
    """
    The type of *module*, less the exports that nothing names in *guest* and the *others*.

    A module may export more than its type says. What it says, wasmtime compares by name for each
    new instance: CPython's library exports 1,900 names, of which 500 are of use.
    """
    imported = b"".join(line for other in others for line in other.imports)
    exports = [
        b"\x03" + exported + what
        for exported, what in module.exports
        if exported in guest or exported in imported
    ]
    lines = [*module.types, *module.imports, *exports]
    return b"\x50" + leb(len(lines)) + b"".join(lines)


def _read(module: bytes) -> _Module:
    """
    Read the types, imports and exports of *module*.
    """
    if module[: len(MODULE_MAGIC)] != MODULE_MAGIC:
        raise UnknownFormError("it holds a module of an unknown version")
    found = _Module(module)
    # What exports are made of: the description of each function, table, memory and global.
    things: tuple[list[bytes], ...] = ([], [], [], [])
    reader = Reader(module, len(MODULE_MAGIC))
    while reader.at < len(module):
        kind = reader.byte()
        end = reader.number() + reader.at
        if kind == _TYPES:
            found.types += (b"\x01" + each for each in _items(reader, _function_type))
        elif kind == _MODULE_IMPORTS:
            for _ in range(reader.number()):
                start = reader.at
                reader.string(), reader.string()
                at, sort = reader.at, reader.byte()
                _description(reader, sort)
                things[sort].append(module[at : reader.at])
                found.imports.append(b"\x00" + module[start : reader.at])
        elif kind == _FUNCTIONS:
            things[_FUNCTION].extend(b"\x00" + leb(each) for each in reader.each(reader.number))
        elif kind in (_TABLES, _MEMORIES, _GLOBALS):
            sort = {_TABLES: _TABLE, _MEMORIES: _MEMORY, _GLOBALS: _GLOBAL}[kind]
            for _ in range(reader.number()):
                at = reader.at
                _description(reader, sort)
                things[sort].append(bytes((sort,)) + module[at : reader.at])
                if sort == _GLOBAL:
                    _skip_value(reader)
        elif kind == _EXPORTS:
            for _ in range(reader.number()):
                start = reader.at
                reader.string()
                exported, sort = module[start : reader.at], reader.byte()
                number = reader.number()
                if sort > _GLOBAL or number >= len(things[sort]):
                    raise UnknownFormError("a module exports something of an unknown sort")
                found.exports.append((exported, things[sort][number]))
        elif kind == _CODE:
            found.code_bytes += end - reader.at
        reader.at = end
    return found


def _items(reader: Reader, read: Callable[[Reader], None]) -> Iterator[bytes]:
    for _ in range(reader.number()):
        start = reader.at
        read(reader)
        yield reader.data[start : reader.at]


def _function_type(reader: Reader) -> None:
    if reader.byte() != 0x60:
        raise UnknownFormError("a module has a type that is no function's")
    for _ in range(2):
        for _ in range(reader.number()):
            _simple_type(reader)


def _simple_type(reader: Reader) -> None:
    if reader.byte() not in _SIMPLE_TYPES:
        raise UnknownFormError("a module has a value of an unknown type")


def _description(reader: Reader, sort: int) -> None:
    """
    What follows the sort of an import.
    """
    if sort == _FUNCTION:
        reader.number()
    elif sort == _GLOBAL:
        _simple_type(reader)
        reader.byte()
    elif sort in (_TABLE, _MEMORY):
        if sort == _TABLE:
            _simple_type(reader)
        flags = reader.byte()
        if flags > 1:
            raise UnknownFormError("a module has a memory or a table of an unknown kind")
        reader.number()
        if flags:
            reader.number()
    else:
        raise UnknownFormError("a module imports something of an unknown sort")


def _skip_value(reader: Reader) -> None:
    """
    The initial value of a global, which may be computed.
    """
    while (kind := reader.byte()) != _END:
        if kind in (0x41, 0x42):  # i32.const, i64.const
            while reader.byte() > 127:
                pass
        elif kind in (0x43, 0x44):  # f32.const, f64.const
            reader.at += 4 if kind == 0x43 else 8
        elif kind in (0x23, 0xD2):  # global.get, ref.func
            reader.number()
        elif kind == 0xD0:  # ref.null
            reader.byte()
        elif kind not in _ARITHMETIC:
            raise UnknownFormError("a global's value has an unknown form")
