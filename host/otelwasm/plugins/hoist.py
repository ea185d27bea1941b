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

from collections.abc import Callable, Iterator

import attrs

from otelwasm.plugins.binary import MAGIC, Reader, UnknownFormError, leb, name, section
from otelwasm.plugins.memories import MODULE_MAGIC

__all__ = ["Hoisted", "hoist", "module_name"]

_CORE_MODULE, _CORE_TYPES, _ALIASES, _IMPORTS = 1, 3, 6, 10
_TYPES, _MODULE_IMPORTS, _FUNCTIONS, _TABLES, _MEMORIES, _GLOBALS, _EXPORTS = 1, 2, 3, 4, 5, 6, 7
_FUNCTION, _TABLE, _MEMORY, _GLOBAL = range(4)
# Smaller ones are compiled as fast as they are found.
_WORTH_SHARING_BYTES = 128 << 10
_SIMPLE_TYPES = {0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F}
_ARITHMETIC = {0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E}
_END = 0x0B


@attrs.frozen
class Hoisted:
    """
    A plugin less its large *modules*, and the sections by which a component around it has them.
    """

    guest: bytes
    imports: tuple[bytes, ...] = ()
    modules: tuple[bytes, ...] = ()


def module_name(number: int) -> str:
    """
    By which name a component imports the module of that *number*.
    """
    return f"code{number}"


def hoist(guest: bytes) -> Hoisted:
    """
    Take the large modules out of *guest*, a component.
    """
    kept = [guest[: len(MAGIC)]]
    types: list[bytes] = []
    imports: list[bytes] = []
    modules: list[bytes] = []
    reader = Reader(guest, len(MAGIC))
    while reader.at < len(guest):
        start = reader.at
        kind = reader.byte()
        size = reader.number()
        at, reader.at = reader.at, reader.at + size
        if kind == _CORE_MODULE and size >= _WORTH_SHARING_BYTES:
            module = guest[at : reader.at]
            try:
                types.append(_type_of(module))
            except UnknownFormError:
                pass
            else:
                number = len(modules)
                modules.append(module)
                imports.append(b"\x00" + name(module_name(number)) + b"\x00\x11" + leb(number))
                kept.append(section(_ALIASES, [b"\x00\x11\x02\x01" + leb(number)]))
                continue
        kept.append(guest[start : reader.at])
    if not modules:
        return Hoisted(guest)
    sections = (section(_CORE_TYPES, types), section(_IMPORTS, imports))
    return Hoisted(b"".join(kept), sections, tuple(modules))


def _type_of(module: bytes) -> bytes:
    """
    The type of *module* in the binary format: its types, imports and exports.
    """
    if module[: len(MODULE_MAGIC)] != MODULE_MAGIC:
        raise UnknownFormError("it holds a module of an unknown version")
    lines: list[bytes] = []
    # What exports are made of: the description of each function, table, memory and global.
    things: tuple[list[bytes], ...] = ([], [], [], [])
    reader = Reader(module, len(MODULE_MAGIC))
    while reader.at < len(module):
        kind = reader.byte()
        end = reader.number() + reader.at
        if kind == _TYPES:
            lines += (b"\x01" + each for each in _items(reader, _function_type))
        elif kind == _MODULE_IMPORTS:
            for _ in range(reader.number()):
                start = reader.at
                reader.string(), reader.string()
                at, sort = reader.at, reader.byte()
                _description(reader, sort)
                things[sort].append(module[at : reader.at])
                lines.append(b"\x00" + module[start : reader.at])
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
                lines.append(b"\x03" + exported + things[sort][number])
        reader.at = end
    return b"\x50" + leb(len(lines)) + b"".join(lines)


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
