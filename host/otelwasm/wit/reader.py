"""
Read the bytes of a component piece by piece; what is wrong with them is said with its offset.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

from otelwasm.errors import ComponentError

__all__ = ["Reader", "component_sections"]

_T = TypeVar("_T")

_MAGIC = b"\0asm"
_COMPONENT = b"\x0d\x00\x01\x00"
_CORE = b"\x01\x00\x00\x00"
_LAST_SECTION = 12


class Reader:
    """
    A place in *data*, which ends at *end*.
    """

    def __init__(self, data: bytes, *, start: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = start
        self.end = len(data) if end is None else end

    def copy(self) -> "Reader":
        """
        A second reader at the same place.
        """
        return Reader(self.data, start=self.at, end=self.end)

    def byte(self) -> int:
        """
        Take one byte.
        """
        if self.at >= self.end:
            raise self.cut_short()
        value = self.data[self.at]
        self.at += 1
        return value

    def peek(self) -> int:
        """
        The byte to come.
        """
        if self.at >= self.end:
            raise self.cut_short()
        return self.data[self.at]

    def u32(self) -> int:
        """
        Take an unsigned number in LEB128.
        """
        return self._unsigned(32)

    def u64(self) -> int:
        """
        Take an unsigned number of up to 64 bits in LEB128.
        """
        return self._unsigned(64)

    def s33(self) -> int:
        """
        Take a signed number of 33 bits in LEB128.
        """
        start = self.at
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value - (1 << (shift + 7)) if byte & 0x40 else value
        raise self.error("a number of more than 33 bits", start)

    def part(self, length: int) -> "Reader":
        """
        Take *length* bytes, as a reader of their own.
        """
        if length > self.end - self.at:
            raise self.cut_short()
        part = Reader(self.data, start=self.at, end=self.at + length)
        self.at += length
        return part

    def text(self) -> str:
        """
        Take a string: its length, then UTF-8.
        """
        length = self.u32()
        start = self.at
        if length > self.end - start:
            raise self.cut_short()
        self.at += length
        try:
            return self.data[start : self.at].decode("utf-8")
        except UnicodeDecodeError:
            raise self.error("a name that is not UTF-8", start) from None

    def several(self, item: Callable[["Reader"], _T]) -> list[_T]:
        """
        Take a count and that many *item*s.
        """
        count = self.u32()
        if count > self.end - self.at:
            raise self.error(f"a list of {count} items in {self.end - self.at} bytes")
        return [item(self) for _ in range(count)]

    def error(self, problem: str, at: int | None = None) -> ComponentError:
        """
        The complaint that *problem* stands at byte *at*, or here.
        """
        return ComponentError(f"bad component: {problem} at byte {self.at if at is None else at}")

    def _unsigned(self, bits: int) -> int:
        start = self.at
        value = 0
        for shift in range(0, bits + 3, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> bits:
                    break
                return value
        raise self.error(f"a number of more than {bits} bits", start)

    def cut_short(self) -> ComponentError:
        """
        The complaint that bytes are missing.
        """
        if self.end == len(self.data):
            return ComponentError(f"bad component: cut short at byte {self.end}")
        return self.error("a section that ends too early", self.end)


def component_sections(reader: Reader) -> Iterator[tuple[int, Reader]]:
    """
    The sections of a component, as number and content; ComponentError if it is none.
    """
    data, start, end = reader.data, reader.at, reader.end
    head = data[start : min(start + 8, end)]
    if head[:4] != _MAGIC[: len(head)] or not head:
        raise ComponentError(_not_wasm(data[start : min(start + 64, end)]))
    if len(head) < 8:
        raise ComponentError(f"bad component: cut short at byte {end}")
    if head[4:] == _CORE:
        raise ComponentError(
            "a core module, not a component: `wasm-tools component new` or the language's own "
            "component build makes one of it"
        )
    if head[4:] != _COMPONENT:
        raise ComponentError(
            f"WebAssembly of a version that is not known here ({head[4:].hex(' ')}; "
            f"a component has {_COMPONENT.hex(' ')})"
        )
    reader.at += len(head)
    while reader.at < end:
        at = reader.at
        number = reader.byte()
        if number > _LAST_SECTION:
            raise reader.error(f"an unknown section ({number})", at)
        size = reader.u32()
        if size > end - reader.at:
            raise reader.cut_short()
        content = Reader(data, start=reader.at, end=reader.at + size)
        reader.at = content.end
        yield number, content


def _not_wasm(data: bytes) -> str:
    if not data:
        return "an empty file, not a component"
    if data.lstrip().startswith((b"(component", b"(module", b";;")):
        return "WebAssembly in text form, not a component: `wasm-tools parse` makes binary of it"
    return f"not WebAssembly: it begins with {data[:8]!r}"
