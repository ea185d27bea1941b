"""
Say where in its author's code a Python plugin was when its instance ended, from its memory.

CPython keeps a table for debuggers at the start of its own state: where its structures have what
they look for (PEP 768). Reading is all that happens, within the memory, of bounded effort: it is a
plugin's, and may hold anything.
"""

import re
import struct
from collections.abc import Iterable, Iterator

__all__ = ["python_place"]

_COOKIE = b"xdebugpy"
# CPython 3.14, which is what componentize-py brings; its table, by the numbers of its entries.
_VERSION = 0x030E
_TABLE = struct.Struct("<50Q")
_INTERPRETERS, _THREADS, _FRAME = 4, 8, 25
_PREVIOUS, _EXECUTABLE, _INSTRUCTION, _OWNER = 31, 32, 33, 35
_FILE, _NAME, _LINES, _FIRST_LINE, _CODE = 39, 40, 42, 43, 47
_LENGTH, _TEXT, _BYTES = 8, 20, 16
# Static data come first; a plugin's own heap need not be searched.
_SEARCHED_BYTES = 16 << 20
_MOST_FRAMES = 200
_LONGEST_TEXT = 512
_LONGEST_LINES = 1 << 20
_SHOWN = 4
# A frame beyond these is the interpreter's own.
_OWNERS = (0, 1, 2)
_NOT_THEIRS = ("/python/", "<", "/otelwasm_sdk/", "/otelwasm_entry.py")


def python_place(memories: Iterable[memoryview]) -> str | None:
    """
    The author's innermost lines, as `rules.py:11 in apply < plugin.py:24 in process`; None if it
    is no Python, or none of them runs.
    """
    for memory in memories:
        for found in re.finditer(_COOKIE, memory[:_SEARCHED_BYTES]):
            try:
                frames = list(_Python(memory, found.start()).frames())
            except (struct.error, ValueError, IndexError, OverflowError):
                continue
            if frames:
                more = " < …" if len(frames) > _SHOWN else ""
                return " < ".join(frames[:_SHOWN]) + more
    return None


class _Python:
    """
    An interpreter's state at an address of its memory.
    """

    def __init__(self, memory: memoryview, at: int) -> None:
        self._memory = memory
        self._at = at
        self._offsets = _TABLE.unpack_from(memory, at + len(_COOKIE))
        if self._offsets[0] >> 16 != _VERSION:
            raise ValueError("another version of Python")

    def frames(self) -> Iterator[str]:
        """
        The author's frames, from the innermost on.
        """
        thread = self._pointer(self._pointer(self._at, _INTERPRETERS), _THREADS)
        frame = self._pointer(thread, _FRAME)
        for _ in range(_MOST_FRAMES):
            if not frame:
                return
            [owner] = struct.unpack_from("<b", self._memory, frame + self._offsets[_OWNER])
            if owner in _OWNERS:
                # References to objects carry flags in their lowest bits.
                code = self._pointer(frame, _EXECUTABLE) & ~3
                file = self._text(self._pointer(code, _FILE))
                if not any(each in file for each in _NOT_THEIRS):
                    line = self._line(code, self._pointer(frame, _INSTRUCTION))
                    # The first folder is the plugin's, whatever it is called in there.
                    name = file.lstrip("/").partition("/")[2] or file
                    yield f"{name}:{line} in {self._text(self._pointer(code, _NAME))}"
            frame = self._pointer(frame, _PREVIOUS)

    def _pointer(self, at: int, entry: int) -> int:
        return self._number(at + self._offsets[entry])

    def _number(self, at: int) -> int:
        found: int
        [found] = struct.unpack_from("<I", self._memory, at)
        return found

    def _text(self, at: int) -> str:
        length = self._number(at + _LENGTH)
        if length > _LONGEST_TEXT:
            raise ValueError("no file's or function's name")
        text = bytes(self._memory[at + _TEXT : at + _TEXT + length])
        return "".join(chr(each) if 32 <= each < 127 else "?" for each in text)

    def _line(self, code: int, instruction: int) -> int:
        """
        The line of an instruction, by the code's table of locations: entries begin with a byte
        above 127, which says how many units of two bytes they are for, and how the line changes.
        """
        table = self._pointer(code, _LINES)
        size = self._number(table + _LENGTH)
        if size > _LONGEST_LINES:
            raise ValueError("no table of lines")
        entries = bytes(self._memory[table + _BYTES : table + _BYTES + size])
        left = (instruction - code - self._offsets[_CODE]) // 2
        line = self._pointer(code, _FIRST_LINE)
        at = 0
        while at < len(entries):
            kind, units = entries[at] >> 3 & 15, (entries[at] & 7) + 1
            if 10 <= kind <= 12:
                line += kind - 10
            elif kind in (13, 14):
                line += _signed(entries, at + 1)
            left -= units
            if left < 0:
                break
            at += 1
            while at < len(entries) and entries[at] < 128:
                at += 1
        return line


def _signed(entries: bytes, at: int) -> int:
    """
    A number in groups of six bits, the lowest first; its own lowest bit is the sign.
    """
    value = shift = 0
    while at < len(entries):
        value |= (entries[at] & 63) << shift
        if not entries[at] & 64:
            break
        shift += 6
        at += 1
    return -(value >> 1) if value & 1 else value >> 1
