"""
Take a plugin's data out of its module, as an image that its instances map in place of a copy.

CPython's heap, as the build of a plugin left it, is 15 MB of data segments, which wasmtime copies
into each fresh memory. The same bytes in a file, mapped copy-on-write while the memory is made,
cost nothing until they are touched, and instances share what they do not write.

    (memory 255) (data (i32.const 981808) "…") …      as the plugin came
    (memory 255) (data (i32.const 0) "") …            as it is compiled: all segments there, empty
    image: from 917504 on "…"                         as memory.py maps it before any code runs

Nobody can tell the difference. Segments are written before any code of their module runs, and an
empty one is what a written one becomes. Only what certainly is written is taken: segments at
constant offsets, within a memory that their own module defines and that is the only one of the
plugin. Anything else stays as it is, and so does what wasmtime says of it.
"""

import attrs

from otelwasm.plugins.binary import MAGIC, Reader, UnknownFormError, leb, section
from otelwasm.plugins.memories import MODULE_MAGIC, memory_count

__all__ = ["Data", "take_data"]

_CORE_MODULE = 1
_MEMORY, _DATA = 5, 11
_PAGE = 1 << 16
_ACTIVE, _PASSIVE, _ACTIVE_IN = range(3)
_I32_CONST, _END = 0x41, 0x0B
_EMPTY = bytes((_ACTIVE, _I32_CONST, 0, _END, 0))
# Fewer bytes are copied as fast as they are mapped.
_WORTH_MAPPING = 256 << 10
# Segments that lie far apart would make an image of the zeros between them.
_SPREAD = 2


@attrs.frozen
class Data:
    """
    What a plugin's memory holds from *offset* on before any code runs: whole pages.
    """

    offset: int
    content: bytes


@attrs.frozen
class _Section:
    """
    Where a section begins, where its content does, and where both end.
    """

    start: int
    at: int
    end: int


def take_data(guest: bytes) -> tuple[bytes, Data | None]:
    """
    The component *guest* less its data, and that; *guest* itself where there is none to take.
    """
    try:
        if memory_count(guest) != 1:
            return guest, None
        module, memory, data = _place(guest)
        kept, taken = _emptied(guest, data, size_bytes=_minimum(guest, memory))
    except UnknownFormError:
        return guest, None
    inside = guest[module.at : data.start] + kept + guest[data.end : module.end]
    wrapped = bytes((_CORE_MODULE,)) + leb(len(inside)) + inside
    return guest[: module.start] + wrapped + guest[module.end :], taken


def _place(guest: bytes) -> tuple[_Section, _Section, _Section]:
    """
    The module that defines the memory, and its sections of memories and of data.
    """
    found = []
    for kind, module in _sections(guest, len(MAGIC), len(guest)):
        if kind == _CORE_MODULE:
            inside = dict(_sections(guest, module.at + len(MODULE_MAGIC), module.end))
            if _MEMORY in inside:
                found.append((module, inside))
    if len(found) != 1 or _DATA not in found[0][1]:
        raise UnknownFormError("it is not clear which module has the data")
    module, inside = found[0]
    return module, inside[_MEMORY], inside[_DATA]


def _sections(guest: bytes, start: int, end: int) -> list[tuple[int, _Section]]:
    reader = Reader(guest, start)
    found = []
    while reader.at < end:
        begins = reader.at
        kind = reader.byte()
        stop = reader.number() + reader.at
        if stop > end:
            raise UnknownFormError("it is cut off")
        found.append((kind, _Section(begins, reader.at, stop)))
        reader.at = stop
    return found


def _minimum(guest: bytes, memory: _Section) -> int:
    """
    The bytes that the one memory has at first.
    """
    reader = Reader(guest, memory.at)
    count = reader.number()
    flags = reader.byte()
    if count != 1 or flags > 1:
        raise UnknownFormError("its memory is of an unknown kind")
    return reader.number() * _PAGE


def _emptied(guest: bytes, data: _Section, *, size_bytes: int) -> tuple[bytes, Data]:
    """
    The section *data* with empty segments, and what those wrote into *size_bytes* of memory.
    """
    reader = Reader(guest, data.at)
    kept = []
    written: list[tuple[int, int, int]] = []
    for _ in range(reader.number()):
        start = reader.at
        kind = reader.number()
        if kind == _PASSIVE:
            offset = None
        elif kind == _ACTIVE or (kind == _ACTIVE_IN and reader.number() == 0):
            offset = _constant(reader)
        else:
            raise UnknownFormError("a segment goes to another memory")
        length = reader.number()
        reader.at += length
        if reader.at > data.end:
            raise UnknownFormError("a segment is cut off")
        if offset is None:
            kept.append(guest[start : reader.at])
        elif offset + length > size_bytes:
            raise UnknownFormError("a segment lies outside of the memory")
        else:
            kept.append(_EMPTY)
            written.append((offset, reader.at - length, length))
    if reader.at != data.end:
        raise UnknownFormError("its data has an unknown form")
    return section(_DATA, kept), _image(guest, written)


def _constant(reader: Reader) -> int:
    """
    The offset of a segment, if it is a plain number.
    """
    if reader.byte() != _I32_CONST:
        raise UnknownFormError("a segment's offset is computed")
    found = shift = 0
    while True:
        byte = reader.byte()
        found |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if byte & 64:
        found -= 1 << shift
    if shift > 35 or not -(1 << 31) <= found < 1 << 31 or reader.byte() != _END:
        raise UnknownFormError("a segment's offset is no plain number")
    return found & 0xFFFF_FFFF


def _image(guest: bytes, written: list[tuple[int, int, int]]) -> Data:
    """
    Write the segments (offset, where they are in *guest*, length), in their order.
    """
    total = sum(length for _, _, length in written)
    if total < _WORTH_MAPPING:
        raise UnknownFormError("it has little data")
    first = min(offset for offset, _, _ in written) & -_PAGE
    last = (max(offset + length for offset, _, length in written) + _PAGE - 1) & -_PAGE
    if last - first > _SPREAD * total + _PAGE:
        raise UnknownFormError("its data is spread thinly")
    content = bytearray(last - first)
    view = memoryview(guest)
    for offset, at, length in written:
        content[offset - first : offset - first + length] = view[at : at + length]
    return Data(first, bytes(content))
