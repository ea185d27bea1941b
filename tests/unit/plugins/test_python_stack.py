"""
A plugin's memory is read for where its Python was, whatever it holds.
"""

import random
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from otelwasm.plugins.python_stack import python_place

COOKIE = b"xdebugpy"
VERSION = 0x030E00F0


def memory_with(numbers: list[int], rest: bytes) -> memoryview:
    """
    A memory with a table of *numbers*, which need not make sense, and *rest*.
    """
    table = struct.pack("<50Q", *([VERSION, *numbers, *[0] * 50][:50]))
    return memoryview(b"\0" * 64 + COOKIE + table + rest)


def test_what_is_no_python_has_no_place() -> None:
    """
    Neither a memory without the table nor one of another version is read further.
    """
    other = COOKIE + struct.pack("<50Q", 0x030D00F0, *[0] * 49)

    assert python_place([]) is None
    assert python_place([memoryview(b""), memoryview(b"\0" * 100), memoryview(COOKIE)]) is None
    assert python_place([memoryview(other)]) is None


@settings(max_examples=200, deadline=None)
@given(
    numbers=st.lists(st.sampled_from([0, 4, 8, 64, 300, 2**31, 2**32 - 1, 2**64 - 1]), max_size=50),
    seed=st.integers(0, 1000),
)
def test_a_memory_that_lies_harms_nothing(numbers: list[int], seed: int) -> None:
    """
    Wild offsets, pointers that lead nowhere or in circles: an answer, or none, and soon.
    """
    rest = random.Random(seed).randbytes(2000)
    small = b"".join(struct.pack("<I", random.Random(seed).randrange(2400)) for _ in range(500))

    for content in (rest, small, b"\0" * 2000):
        place = python_place([memory_with(numbers, content)])
        assert place is None or len(place) < 10_000
