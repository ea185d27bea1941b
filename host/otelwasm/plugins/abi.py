"""
Read and write the values of a batch's calls in linear memory, for the generated bindings.

Nothing that a plugin says about its memory is believed: every offset, length, alignment and case
is checked against the memory's current size right before the bytes are touched, and the bytes
copied for one call have a budget, because lists may alias and so multiply.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

from otelwasm.plugins.memory import Region

__all__ = [
    "ARGUMENTS_AT",
    "RESULT_AT",
    "MalformedError",
    "Memory",
    "bits_of_f32",
    "bits_of_f64",
    "case_error",
    "char",
    "f32_of_bits",
    "f64_of_bits",
    "nothing",
    "number_of_char",
    "ranged",
    "signed",
]

# Where a window has the flat values of a call, 8 bytes each, and its result. See compose.py.
ARGUMENTS_AT = 64
RESULT_AT = 192

_F32 = struct.Struct("<f")
_F64 = struct.Struct("<d")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
# What a decoded element costs the host beyond its bytes in the plugin's memory: an object.
_ELEMENT_BYTES = 64


class MalformedError(Exception):
    """
    A plugin passed a value that its types do not allow.
    """


class Memory:
    """
    Checked access to one linear memory; *allocate* (size, alignment) finds room in it.
    """

    def __init__(self, region: Region, allocate: Callable[[int, int], int]) -> None:
        self.region = region
        self.allocate = allocate
        self.left_bytes = 0

    @property
    def view(self) -> memoryview:
        """
        The memory's current bytes; never kept, as the memory may grow.
        """
        return self.region.view

    def close(self) -> None:
        """
        Let go of the memory, which is unmapped once nobody has it.
        """
        del self.region, self.allocate

    def place(self, at: int, size: int, *, alignment: int) -> int:
        """
        Check that *size* bytes lie at *at*, aligned; return *at*.
        """
        if at & (alignment - 1):
            raise MalformedError(f"offset {at:#x} is not a multiple of {alignment}")
        if at + size > len(self.region.view):
            raise MalformedError(
                f"{size} bytes at {at:#x} lie outside of the memory of "
                f"{len(self.region.view):#x} bytes"
            )
        return at

    def octets(self, at: int, length: int) -> bytes:
        """
        Copy a `list<u8>` out.
        """
        self.place(at, length, alignment=1)
        self._spend(length)
        # Safety: in range, and only this thread can grow the memory.
        return bytes(self.region.view[at : at + length])

    def text(self, at: int, length: int) -> str:
        """
        Copy a `string` out.
        """
        self.place(at, length, alignment=1)
        self._spend(length)
        try:
            # Safety: in range, and only this thread can grow the memory.
            return str(self.region.view[at : at + length], "utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError(f"a string is not UTF-8: {error.reason}") from None

    def numbers(self, code: str, at: int, *, count: int, size: int) -> tuple[Any, ...]:
        """
        Copy a list of plain numbers out; *code* is their `struct` format.
        """
        self.place(at, count * size, alignment=size)
        self._spend(count * (size + _ELEMENT_BYTES))
        # Safety: in range, and only this thread can grow the memory.
        return struct.unpack_from(f"<{count}{code}", self.region.view, at)

    def elements(self, at: int, count: int, *, size: int, alignment: int) -> range:
        """
        The offsets of a list's elements, all of them in range.
        """
        self.place(at, count * size, alignment=alignment)
        self._spend(count * (size + _ELEMENT_BYTES))
        return range(at, at + count * size, size)

    def put_octets(self, octets: bytes) -> int:
        """
        Copy a `list<u8>` in.
        """
        length = len(octets)
        at = self.place(self.allocate(length, 1), length, alignment=1)
        # Safety: in range, and only this thread can grow the memory.
        self.region.view[at : at + length] = octets
        return at

    def put_text(self, text: str) -> tuple[int, int]:
        """
        Copy a `string` in; return offset and length in bytes.
        """
        octets = text.encode()
        return self.put_octets(octets), len(octets)

    def put_numbers(self, code: str, numbers: Sequence[Any], *, size: int) -> int:
        """
        Copy a list of plain numbers in.
        """
        count = len(numbers)
        at = self.place(self.allocate(count * size, size), count * size, alignment=size)
        # Safety: in range, and only this thread can grow the memory.
        struct.pack_into(f"<{count}{code}", self.region.view, at, *numbers)
        return at

    def put_elements(self, count: int, *, size: int, alignment: int) -> int:
        """
        Make room for a list's elements, which the caller then stores.
        """
        at = self.allocate(count * size, alignment)
        return self.place(at, count * size, alignment=alignment)

    def _spend(self, length: int) -> None:
        self.left_bytes -= length
        if self.left_bytes < 0:
            raise MalformedError("the value's lists and strings multiply beyond the memory limit")


def case_error(type_: str, number: int) -> MalformedError:
    """
    What to raise for a discriminant that *type_* does not have.
    """
    return MalformedError(f"`{type_}` has no case {number}")


def nothing(_memory: Memory, _number: int) -> None:
    """
    The result of a function that has none.
    """


def char(number: int) -> str:
    """
    The character of a code point, which must be a Unicode scalar value.
    """
    if number >= 0x110000 or 0xD800 <= number < 0xE000:
        raise MalformedError(f"{number:#x} is no character")
    return chr(number)


def number_of_char(character: str) -> int:
    """
    The code point of *character*, which must be a Unicode scalar value.
    """
    number = ord(character)
    if 0xD800 <= number < 0xE000:
        raise ValueError(f"{number:#x} is a surrogate, no character")
    return number


def ranged(number: int, low: int, high: int) -> int:
    """
    A small or signed integer as the unsigned i32 or i64 that it is passed as.
    """
    if not low <= number <= high:
        raise ValueError(f"{number} is not between {low} and {high}")
    return number & (0xFFFF_FFFF_FFFF_FFFF if low < -(1 << 31) else 0xFFFF_FFFF)


def signed(number: int, bits: int) -> int:
    """
    The low *bits* of *number* as a signed integer.
    """
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def bits_of_f32(number: float) -> int:
    """
    A float's bits, where a variant's cases share a place with an integer.
    """
    return int(_U32.unpack(_F32.pack(number))[0])


def bits_of_f64(number: float) -> int:
    """
    A float's bits, where a variant's cases share a place with an integer.
    """
    return int(_U64.unpack(_F64.pack(number))[0])


def f32_of_bits(bits: int) -> float:
    """
    The float of an integer's low 32 bits.
    """
    return float(_F32.unpack(_U32.pack(bits & 0xFFFF_FFFF))[0])


def f64_of_bits(bits: int) -> float:
    """
    The float of an integer's bits.
    """
    return float(_F64.unpack(_U64.pack(bits))[0])
