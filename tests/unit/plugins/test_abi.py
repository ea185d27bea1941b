"""
Memory is read and written within its bounds only, and within a budget.
"""

import attrs
import pytest

from otelwasm.plugins.abi import (
    MalformedError,
    Memory,
    bits_of_f32,
    bits_of_f64,
    case_error,
    char,
    f32_of_bits,
    f64_of_bits,
    number_of_char,
    ranged,
    signed,
)


@attrs.define
class Page:
    """
    A region of 64 bytes.
    """

    view: memoryview = attrs.field(factory=lambda: memoryview(bytearray(range(64))))


def a_memory(budget_bytes: int = 1000, room_at: int = 0) -> Memory:
    """
    A memory of 64 bytes whose allocator always gives the same place.
    """
    memory = Memory(Page(), lambda size, alignment: room_at)  # type: ignore[arg-type]  # its view is all that is used
    memory.left_bytes = budget_bytes
    return memory


def test_bytes_in_range_are_copied() -> None:
    """
    Any run of bytes within the memory is copied out, to its very end.
    """
    memory = a_memory()

    assert bytes(range(64)) == memory.octets(0, 64)
    assert b"\x3f" == memory.octets(63, 1)
    assert b"" == memory.octets(64, 0)


@pytest.mark.parametrize(
    ("at", "length"), [(0, 65), (63, 2), (64, 1), (65, 0), (0xFFFF_FFFF, 0xFFFF_FFFF)]
)
def test_bytes_out_of_range_are_refused(at: int, length: int) -> None:
    """
    A run that begins or ends outside of the memory is malformed, whoever reads it.
    """
    memory = a_memory(1 << 40)

    with pytest.raises(MalformedError, match="outside of the memory of 0x40 bytes"):
        memory.octets(at, length)
    with pytest.raises(MalformedError, match="outside"):
        memory.text(at, length)
    with pytest.raises(MalformedError, match="outside"):
        memory.elements(at, length, size=1, alignment=1)
    with pytest.raises(MalformedError, match="outside"):
        memory.numbers("B", at, count=length, size=1)


def test_unaligned_offsets_are_refused() -> None:
    """
    A value lies at a multiple of its alignment.
    """
    memory = a_memory()

    assert 8 == memory.place(8, 8, alignment=8)
    with pytest.raises(MalformedError, match="0x9 is not a multiple of 4"):
        memory.place(9, 4, alignment=4)
    with pytest.raises(MalformedError, match="multiple of 2"):
        memory.numbers("H", 1, count=1, size=2)


def test_the_budget_is_for_all_reads_together() -> None:
    """
    What is decoded for one call may not exceed its budget, however it is cut.
    """
    memory = a_memory(100)
    memory.octets(0, 60)

    assert 40 == memory.left_bytes
    with pytest.raises(MalformedError, match="multiply beyond the memory limit"):
        memory.text(0, 60)


def test_small_elements_cost_more_than_their_bytes() -> None:
    """
    A list of bytes that become objects is charged for the objects.
    """
    memory = a_memory(100)

    with pytest.raises(MalformedError, match="multiply"):
        memory.numbers("B", 0, count=64, size=1)


def test_text_must_be_utf_8() -> None:
    """
    Bytes that are no UTF-8 are malformed.
    """
    memory = a_memory()
    memory.view[0:3] = b"\xed\xa0\x80"

    with pytest.raises(MalformedError, match="not UTF-8"):
        memory.text(0, 3)


def test_what_is_put_can_be_read() -> None:
    """
    Texts, bytes and numbers come out as they were put in.
    """
    memory = a_memory()

    assert "é!" == memory.text(*memory.put_text("é!"))
    assert b"abc" == memory.octets(memory.put_octets(b"abc"), 3)
    assert (-1, 2) == memory.numbers("i", memory.put_numbers("i", [-1, 2], size=4), count=2, size=4)


def test_an_allocators_room_is_checked() -> None:
    """
    Room outside of the memory is not written to.
    """
    memory = a_memory(room_at=62)

    with pytest.raises(MalformedError, match="outside"):
        memory.put_octets(b"abc")
    with pytest.raises(MalformedError, match="multiple"):
        memory.put_elements(1, size=4, alignment=4)


def test_signs_survive_the_core_types() -> None:
    """
    Small and signed integers become unsigned ones and back.
    """
    assert 0xFFFF_FFFF == ranged(-1, -128, 127)
    assert (1 << 64) - 1 == ranged(-1, -(1 << 63), (1 << 63) - 1)
    assert (-1, 127, -128) == (signed(0xFFFF_FFFF, 8), signed(127, 8), signed(128, 8))
    with pytest.raises(ValueError, match="128 is not between -128 and 127"):
        ranged(128, -128, 127)


def test_floats_survive_as_bits() -> None:
    """
    A float in an integer's place is the float again.
    """
    assert 1.5 == f32_of_bits(bits_of_f32(1.5))
    assert -0.1 == f64_of_bits(bits_of_f64(-0.1))
    assert 1.5 == f32_of_bits(bits_of_f32(1.5) | 0xABCD << 32)


@pytest.mark.parametrize("number", (0xD800, 0xDFFF, 0x110000, 0xFFFF_FFFF))
def test_what_is_no_character_is_refused(number: int) -> None:
    """
    Surrogates and numbers beyond Unicode are no characters.
    """
    with pytest.raises(MalformedError, match="no character"):
        char(number)


def test_characters_survive() -> None:
    """
    A character becomes its number and back; a surrogate is the caller's mistake.
    """
    assert "\U0001f600" == char(number_of_char("\U0001f600"))
    with pytest.raises(ValueError, match="surrogate"):
        number_of_char("\ud800")


def test_a_case_that_does_not_exist_is_named() -> None:
    """
    The message has the type and the number.
    """
    assert "`verdict` has no case 7" == str(case_error("verdict", 7))
