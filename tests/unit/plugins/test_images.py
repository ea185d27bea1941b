"""
A plugin's data leaves its module only where it certainly is what the memory begins with.
"""

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import component, wat2wasm

from otelwasm.plugins.images import Data, take_data

PAGE = 1 << 16
PAGES = 8
BULK = b"abc" * 100_000


def text(data: bytes) -> str:
    """
    A string literal of WAT.
    """
    if data == BULK:
        return f'"{BULK.decode()}"'
    return '"' + "".join(f"\\{byte:02x}" for byte in data) + '"'


def active(offset: int, data: bytes) -> str:
    """
    A segment at a constant offset.
    """
    return f"(data (i32.const {offset}) {text(data)})"


def guest(*fields: str, memory: str = f"(memory {PAGES})", more: str = "") -> bytes:
    """
    A component with one instance of a module of *memory* and *fields*.
    """
    module = f"(core module $m {memory} {' '.join(fields)})"
    return bytes(wat2wasm(f"(component {module} (core instance (instantiate $m)) {more})"))


def is_valid(data: bytes) -> bool:
    """
    Does wasmtime take the component?
    """
    component.Component(wasmtime.Engine(), data)
    return True


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, PAGES * PAGE - 500), st.binary(max_size=500)),
        max_size=8,
    )
)
def test_the_image_is_what_the_segments_write(segments: list[tuple[int, bytes]]) -> None:
    """
    Segments are written in their order, wherever they overlap; the module keeps empty ones.
    """
    segments = [(PAGE // 2, BULK), *segments]
    memory = bytearray(PAGES * PAGE)
    for offset, data in segments:
        memory[offset : offset + len(data)] = data

    kept, data = take_data(guest(*(active(*each) for each in segments)))

    assert data is not None
    assert memory[data.offset : data.offset + len(data.content)] == data.content
    assert not any(memory[: data.offset])
    assert not any(memory[data.offset + len(data.content) :])
    assert 0 == data.offset % PAGE == len(data.content) % PAGE
    assert guest(*[active(0, b"")] * len(segments)) == kept


def test_passive_segments_stay() -> None:
    """
    What code copies later by number keeps its number and its bytes.
    """
    passive = '(data "later") (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 5)))'
    kept, data = take_data(guest(active(PAGE, BULK), passive, active(9, b"x")))

    assert data == Data(0, b"\0" * 9 + b"x" + b"\0" * (PAGE - 10) + BULK + b"\0" * 27_680)
    assert guest(active(0, b""), passive, active(0, b"")) == kept
    assert is_valid(kept)


def test_a_segment_may_end_with_the_memory() -> None:
    """
    The last byte of the memory may be a segment's, and one of none may lie behind it.
    """
    size = PAGES * PAGE
    _, data = take_data(guest(active(size - len(BULK), BULK), active(size, b"")))

    assert data is not None
    assert BULK == data.content[-len(BULK) :]


OTHER_MEMORY = "(core module $o (memory 1)) (core instance (instantiate $o))"


@pytest.mark.parametrize(
    "refused",
    (
        guest(active(0, b"little")),
        guest(active(0, BULK), active(PAGES * PAGE - 3, b"over")),
        guest(active(0, BULK), active(PAGES * PAGE + 1, b"")),
        guest(active(0, BULK), active(-1, b"far")),
        guest(active(0, BULK), active((PAGES - 1) * PAGE * 900, b"far"), memory="(memory 65536)"),
        guest("(global $g i32 (i32.const 0))", f"(data (global.get $g) {text(BULK)})"),
        guest(f"(data (i32.add (i32.const 0) (i32.const 0)) {text(BULK)})"),
        guest(f"(data (i64.const 0) {text(BULK)})", memory=f"(memory i64 {PAGES})"),
        guest(active(0, BULK), memory=f"(memory {PAGES}) (memory {PAGES})"),
        guest(active(0, BULK), more=OTHER_MEMORY),
        guest(active(0, BULK), more="(core module (memory 1))"),
        guest(active(0, BULK), more="(core instance (instantiate $m))"),
        guest(),
        b"\0asm\x0d\0\1\0",
    ),
)
def test_anything_else_stays_as_it_is(refused: bytes) -> None:
    """
    Data out of bounds, computed offsets, other kinds and numbers of memories: wasmtime's to judge.
    """
    assert (refused, None) == take_data(refused)


def test_what_is_cut_off_stays_as_it_is() -> None:
    """
    A component that ends anywhere in the middle is nobody's image.
    """
    whole = guest(active(0, BULK), active(PAGE, b"more"))

    for length in (*range(8, 80), len(whole) - 300, len(whole) - 20):
        assert (whole[:length], None) == take_data(whole[:length])
