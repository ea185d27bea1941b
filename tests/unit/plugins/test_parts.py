"""
Several byte strings pass as one, and are believed only as far as they fill what they lie in.
"""

import struct

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.plugins.abi import MalformedError, Memory
from otelwasm.plugins.parts import header_parts, header_texts, joined, read_parts
from otelwasm_sdk.parts import pack, unpack

BUDGET_BYTES = 100_000


@attrs.define
class Region:
    """
    A region that holds some bytes.
    """

    view: memoryview


def memory_of(data: bytes, *, before: int = 8) -> Memory:
    """
    A memory with *data* at *before*, and 8 bytes behind it.
    """
    region = Region(memoryview(bytearray(before) + data + bytearray(8)))
    memory = Memory(region, lambda size, alignment: 0)  # type: ignore[arg-type]  # its view is all that is used
    memory.left_bytes = BUDGET_BYTES
    return memory


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_parts_come_apart_as_they_were_joined(parts: list[bytes]) -> None:
    """
    The host and the guest take apart what either of them joined.
    """
    data = joined(parts)
    memory = memory_of(data)
    found = [memory.octets(*span) for span in read_parts(memory, 8, len(data), least=0)]

    assert data == pack(*parts)
    assert parts == found
    assert parts == unpack(data)


@given(st.binary(max_size=60), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_parts_lie_within_what_they_were_said_to(data: bytes, least: int, count: int) -> None:
    """
    Whatever the bytes are: parts that are found fill them exactly, in order, or none are.
    """
    for tried in (data, struct.pack("<I", count % 16) + data):
        memory = memory_of(tried)
        try:
            spans = read_parts(memory, 8, len(tried), least=least)
        except MalformedError:
            continue
        assert len(spans) >= least
        at = 8 + 4 * (len(spans) + 1)
        for start, length in spans:
            assert at == start
            at += length
        assert 8 + len(tried) == at


@pytest.mark.parametrize("length", [0, 3, 2**32 - 1])
def test_a_length_that_cannot_be_is_refused(length: int) -> None:
    """
    Less than the number of parts takes, or more than the memory has.
    """
    with pytest.raises(MalformedError):
        read_parts(memory_of(joined([b"a"])), 8, length, least=0)


def test_headers_are_names_and_values_in_turn() -> None:
    """
    They come out as they went in; a name alone is refused, and what is not UTF-8.
    """
    headers = (("a", "é"), ("a", ""))
    data = joined(header_parts(headers))
    memory = memory_of(data)

    assert headers == header_texts(memory, read_parts(memory, 8, len(data), least=0))
    for bad in ([b"a"], [b"a", b"\xff"]):
        data = joined(bad)
        memory = memory_of(data)
        with pytest.raises(MalformedError):
            header_texts(memory, read_parts(memory, 8, len(data), least=0))
