"""
Walk and write the binary format of components, as far as composing them needs it.
"""

import mmap
from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["MAGIC", "Bytes", "Reader", "UnknownFormError", "leb", "name", "section"]

_T = TypeVar("_T")

# A component in memory, or in a file of which only the parts that are looked at are read.
Bytes = bytes | mmap.mmap

MAGIC = b"\0asm\x0d\0\1\0"


class UnknownFormError(Exception):
    """
    A component of a form that this version does not know; wasmtime may know it.
    """


def leb(number: int) -> bytes:
    """
    *number* as unsigned LEB128.
    """
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def name(text: str) -> bytes:
    """
    A string with its length.
    """
    encoded = text.encode()
    return leb(len(encoded)) + encoded


def section(kind: int, items: Iterable[bytes]) -> bytes:
    """
    A section that is a list of *items*.
    """
    each = list(items)
    body = leb(len(each)) + b"".join(each)
    return bytes([kind]) + leb(len(body)) + body


class Reader:
    """
    A place in a component's bytes; each method moves it past one thing.
    """

    def __init__(self, data: Bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def byte(self) -> int:
        """
        One byte.
        """
        if self.at >= len(self.data):
            raise UnknownFormError("it ends in the middle of something")
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        """
        An unsigned LEB128.
        """
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found
            if shift > 35:
                raise UnknownFormError("a number is longer than 32 bits")

    def string(self) -> str:
        """
        A string with its length.
        """
        length = self.number()
        self.at += length
        if self.at > len(self.data):
            raise UnknownFormError("it ends in the middle of a name")
        return self.data[self.at - length : self.at].decode("utf-8", "replace")

    def extern_name(self) -> str:
        """
        The name of an import or export.
        """
        if self.byte() > 1:
            raise UnknownFormError("an import or export has a name with attributes")
        return self.string()

    def each(self, item: Callable[[], _T]) -> list[_T]:
        """
        A list of items.
        """
        return [item() for _ in range(self.number())]

    def optional(self, item: Callable[[], object]) -> object:
        """
        Something that may be missing.
        """
        return item() if self.byte() else None

    def value_type(self) -> int:
        """
        A type's index, or a negative byte for a primitive.
        """
        return self.number()

    def definition(self) -> None:
        """
        The definition of a type.
        """
        kind = self.byte()
        if 0x73 <= kind <= 0x7F or kind == 0x64:
            return
        readers: dict[int, Callable[[], object]] = {
            0x72: lambda: self.each(self._field),
            0x71: lambda: self.each(self._case),
            0x70: self.value_type,
            0x6B: self.value_type,
            0x67: lambda: (self.value_type(), self.number()),
            0x6F: lambda: self.each(self.value_type),
            0x6E: lambda: self.each(self.string),
            0x6D: lambda: self.each(self.string),
            0x6A: lambda: (self.optional(self.value_type), self.optional(self.value_type)),
            0x69: self.number,
            0x68: self.number,
            0x66: lambda: self.optional(self.value_type),
            0x65: lambda: self.optional(self.value_type),
            0x43: self._function,
            0x40: self._function,
            0x41: lambda: self.each(self.declaration),
            0x42: lambda: self.each(self.declaration),
            0x3F: lambda: (self.byte(), self.optional(self.number)),
        }
        if kind not in readers:
            raise UnknownFormError(f"a type has the form {kind:#x}")
        readers[kind]()

    def alias(self) -> tuple[int, int | None, str | None]:
        """
        An alias: its sort (0 is core), its core sort, and the name of the export it is of.
        """
        sort = self.byte()
        core = self.byte() if sort == 0 else None
        target = self.byte()
        self.number()
        if target < 2:
            return sort, core, self.string()
        self.number()
        return sort, core, None

    def description(self) -> tuple[int, int]:
        """
        What an import or export is: its sort, and its type's index.
        """
        sort = self.byte()
        if sort == 0:
            self.byte()
        elif sort == 3 and self.byte() == 1:
            return sort, -1
        return sort, self.number()

    def declaration(self) -> tuple[int, str, int]:
        """
        A line of an instance's or component's type: its form, and an export's name and sort.
        """
        form = self.byte()
        if form == 1:
            self.definition()
        elif form == 2:
            self.alias()
        elif form in (3, 4):
            exported = self.extern_name()
            return form, exported, self.description()[0]
        else:
            raise UnknownFormError(f"a type has a declaration of the form {form:#x}")
        return form, "", -1

    def canonical(self) -> tuple[int, dict[int, int | None]] | None:
        """
        A canonical function: the core function and the options of a lift, None for others.
        """
        kind = self.byte()
        if kind == 0x00:
            self.byte()
            core = self.number()
            options = self._options()
            self.number()
            return core, options
        if kind == 0x01:
            self.byte()
            self.number()
            self._options()
        elif kind in (0x02, 0x03, 0x04, 0x07):
            self.number()
        else:
            raise UnknownFormError(f"it has a canonical function of the form {kind:#x}")
        return None

    def _options(self) -> dict[int, int | None]:
        found: dict[int, int | None] = {}
        for _ in range(self.number()):
            option = self.byte()
            found[option] = self.number() if 3 <= option <= 7 and option != 6 else None
        return found

    def _field(self) -> None:
        self.string()
        self.value_type()

    def _case(self) -> None:
        self.string()
        self.optional(self.value_type)
        self.byte()

    def _function(self) -> None:
        self.each(self._field)
        if self.byte() == 0:
            self.value_type()
        else:
            self.byte()
