"""
Bytes that are no component are told apart, and said to be what they are.
"""

import pytest
import wasmtime

from otelwasm.errors import ComponentError
from otelwasm.wit.reader import Reader, component_sections

COMPONENT = b"\0asm\x0d\0\x01\0"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "an empty file, not a component"),
        (b"#!/usr/bin/env python", "not WebAssembly: it begins with b'#!/usr/b'"),
        (b"  (component)", "WebAssembly in text form, not a component"),
        (b"\0as", "bad component: cut short at byte 3"),
        (b"\0asm\x0d\0", "bad component: cut short at byte 6"),
        (b"\0asm\x01\0\0\0", "a core module, not a component: `wasm-tools component new`"),
        (b"\0asm\x0c\0\x01\0", "a version that is not known here (0c 00 01 00; a component has"),
        (COMPONENT + b"\x01", "bad component: cut short at byte 9"),
        (COMPONENT + b"\x01\x05ab", "bad component: cut short at byte 12"),
        (COMPONENT + b"\x63\x00", "bad component: an unknown section (99) at byte 8"),
        (COMPONENT + b"\x01\xff\xff\xff\xff\x7f", "a number of more than 32 bits at byte 9"),
    ],
)
def test_other_bytes_are_named(data: bytes, message: str) -> None:
    """
    The error says what the bytes are, or where they go wrong.
    """
    with pytest.raises(ComponentError) as caught:
        list(component_sections(Reader(data)))

    assert message in str(caught.value)


def test_modules_inside_are_passed_over() -> None:
    """
    A section is known by its place; nothing in it is looked at.
    """
    data = COMPONENT + b"\x01\x80\x80\x04" + bytes(0x10000) + b"\x00\x01\x00"

    sections = [(number, part.at, part.end) for number, part in component_sections(Reader(data))]

    assert [(1, 12, 12 + 0x10000), (0, 0x1000E, 0x1000F)] == sections


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x00", 0),
        (b"\x7f", -1),
        (b"\x3f", 63),
        (b"\x40", -64),
        (b"\xff\xff\xff\xff\x0f", 2**32 - 1),
    ],
)
def test_signed_numbers_are_read(data: bytes, expected: int) -> None:
    """
    Numbers of 33 bits have a sign.
    """
    assert expected == Reader(data).s33()


def test_names_are_utf8() -> None:
    """
    A name with other bytes is refused where it stands.
    """
    with pytest.raises(ComponentError, match="a name that is not UTF-8 at byte 1"):
        Reader(b"\x02\xff\xff").text()


def test_counts_beyond_the_bytes_are_refused_at_once() -> None:
    """
    A list of four billion items in two bytes is not begun.
    """
    with pytest.raises(ComponentError, match="a list of 4294967295 items in 2 bytes"):
        Reader(b"\xff\xff\xff\xff\x0f\x00\x00").several(Reader.byte)


def test_components_cut_within_a_section_are_refused() -> None:
    """
    Wherever a section is cut, the error says at which byte.
    """
    data = bytes(wasmtime.wat2wasm('(component (import "f" (func (param "x" (list u8)))))'))
    last = max(content.at for _, content in component_sections(Reader(data)))
    for end in range(last, len(data)):
        with pytest.raises(ComponentError, match=f"cut short at byte {end}"):
            list(component_sections(Reader(data[:end])))
