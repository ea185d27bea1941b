"""
Nothing that a plugin says about its memory is believed, on both lanes.
"""

import pytest

from otelwasm.plugins._generated.processing import VerdictPass
from otelwasm.plugins._generated.receiving import Message
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.values import Ok
from otelwasm.signals import Signal
from plugins.guests import EMIT, LOG, processor, receiver, replying
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES, Opening

OUT = "0xfffffff0"
REPLACE = "(i32.store8 (i32.const 516) (i32.const 1))"
PERMANENT = "(i32.store8 (i32.const 512) (i32.const 1))"
RETRYABLE = f"{PERMANENT} (i32.store8 (i32.const 516) (i32.const 1))"


def place(at: int | str, length: int | str, where: int = 520) -> str:
    """
    Store an offset and a length.
    """
    return (
        f"(i32.store (i32.const {where}) (i32.const {at}))"
        f"(i32.store (i32.const {where + 4}) (i32.const {length}))"
    )


RESULTS = {
    "a result outside of the memory": f"(i32.const {OUT})",
    "a result across the end of the memory": "(i32.const 0x3fff8)",
    "a result that is not aligned": "(i32.const 513)",
    "a payload outside of the memory": replying(REPLACE, place(OUT, 100)),
    "a payload longer than the memory": replying(REPLACE, place(0, -1)),
    "a payload whose end overflows": replying(REPLACE, place("0xffffffff", "0xffffffff")),
    "a text outside of the memory": replying(PERMANENT, place(OUT, 100)),
    "a text that is not UTF-8": replying(
        PERMANENT, "(i32.store8 (i32.const 64) (i32.const 0xff))", place(64, 1)
    ),
    "a text that ends inside of a character": replying(
        PERMANENT, "(i32.store8 (i32.const 64) (i32.const 0xc3))", place(64, 1)
    ),
    "a text with a surrogate": replying(
        PERMANENT, "(i32.store (i32.const 64) (i32.const 0x80a0ed))", place(64, 3)
    ),
    "a result that is neither ok nor err": replying("(i32.store8 (i32.const 512) (i32.const 2))"),
    "a verdict that does not exist": replying("(i32.store8 (i32.const 516) (i32.const 7))"),
    "a failure that does not exist": replying(
        PERMANENT, "(i32.store8 (i32.const 516) (i32.const 2))"
    ),
    "an option that is neither": replying(
        RETRYABLE, place(64, 0), "(i32.store8 (i32.const 528) (i32.const 2))"
    ),
}
# In the bridge lane wasmtime's adapter reads the result; a wild pointer to it is a plain trap.
ADAPTER_TRAPS = {"a result outside of the memory", "a result across the end of the memory"}


@pytest.mark.parametrize("what", RESULTS)
def test_malformed_results_end_the_instance(opening: Opening, what: str) -> None:
    """
    A malformed result is a fault of its kind, and ends the instance alone.
    """
    instance = opening(processor(RESULTS[what]))

    with pytest.raises(Fault, match="plugin 'guest'") as caught:
        instance.run(Signal.TRACES, b"batch")

    is_trap = opening.lane == "bridge" and what in ADAPTER_TRAPS
    assert ("trap" if is_trap else "malformed") == caught.value.kind
    assert instance.is_dead


def calling(call: str, *before: str) -> str:
    """
    A processor that makes one bad call of a host function.
    """
    return processor(f"{' '.join(before)} {call} (call $pass)", imports=EMIT + LOG)


BAD_BYTE = "(i32.store8 (i32.const 64) (i32.const 0xff))"
CALLS = {
    "a payload outside of the memory": calling(
        f"(call $emit (i32.const 0) (i32.const {OUT}) (i32.const 100) (i32.const 768))"
    ),
    "a payload longer than the memory": calling(
        "(call $emit (i32.const 0) (i32.const 0) (i32.const 0xfff0000) (i32.const 768))"
    ),
    "a signal that does not exist": calling(
        "(call $emit (i32.const 9) (i32.const 0) (i32.const 1) (i32.const 768))"
    ),
    "a level that does not exist": calling(
        "(call $log (i32.const -1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"
    ),
    "a message that is not UTF-8": calling(
        "(call $log (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0) (i32.const 0))",
        BAD_BYTE,
    ),
    "a message outside of the memory": calling(
        f"(call $log (i32.const 0) (i32.const {OUT}) (i32.const 99) (i32.const 0) (i32.const 0))"
    ),
    "a list whose size overflows": calling(
        "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x10000001))"
    ),
    "a list that is not aligned": calling(
        "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65) (i32.const 1))"
    ),
    "an attribute outside of the memory": calling(
        "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 1))",
        place(OUT, 100, 64),
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_malformed_arguments_end_the_instance(opening: Opening, host: Notes, what: str) -> None:
    """
    A malformed argument never reaches the host's function, and ends the instance.
    """
    instance = opening(CALLS[what])

    with pytest.raises(Fault, match="plugin 'guest'") as caught:
        instance.run(Signal.TRACES, b"batch")

    assert "malformed" == caught.value.kind
    assert [] == host.calls
    assert instance.is_dead


def test_an_answers_area_outside_of_the_memory_ends_the_instance(opening: Opening) -> None:
    """
    A host function whose answer is wanted outside of the memory ends the instance.
    """
    instance = opening(
        calling(f"(call $emit (i32.const 0) (i32.const 0) (i32.const 1) (i32.const {OUT}))")
    )

    with pytest.raises(Fault):
        instance.run(Signal.TRACES, b"batch")

    assert instance.is_dead


def test_a_list_of_empty_texts_is_fine(opening: Opening, host: Notes) -> None:
    """
    Offsets of zero with lengths of zero are an empty text wherever they are.
    """
    core = calling(
        "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 128) (i32.const 3))"
    )

    assert Ok(VerdictPass()) == opening(core).run(Signal.TRACES, b"")
    assert (("", ""),) * 3 == host.calls[0][3]


ALLOCATORS = {
    "outside of the memory": "(i32.const 0xfffffff0)",
    "across the end of the memory": "(i32.const 0x3ffff)",
    "not aligned": "(i32.const 4097)",
}


@pytest.mark.parametrize("what", ALLOCATORS)
def test_an_allocator_that_lies_ends_the_instance(opening: Opening, what: str) -> None:
    """
    Room that an allocator gives where there is none is not written to.
    """
    realloc = (
        f'(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {ALLOCATORS[what]})'
    )
    instance = opening(receiver("(call $done)"), "receiver", realloc=realloc)
    message = Message("peer", "POST", "/", (("a", "b"),), b"body")

    with pytest.raises(Fault) as caught:
        instance.receiving.receive(message)

    assert caught.value.kind in ("malformed", "trap")
    assert "malformed" == caught.value.kind or opening.lane == "bridge"
    assert instance.is_dead


# A reply whose 2,000 headers all point at one text of 1 MiB.
ALIASES = receiver(
    """
    (local $count i32) (local $at i32)
    (drop (memory.grow (i32.const 48)))
    (local.set $count (i32.const 2000)) (local.set $at (i32.const 1048576))
    (memory.fill (i32.const 2097152) (i32.const 97) (i32.const 1048576))
    (loop $more
      (i32.store (local.get $at) (i32.const 2097152))
      (i32.store offset=4 (local.get $at) (i32.const 1048576))
      (i64.store offset=8 (local.get $at) (i64.load (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (i64.store (i32.const 512) (i64.const 0)) (i32.store (i32.const 520) (i32.const 1048576))
    (i32.store (i32.const 524) (i32.const 2000)) (i64.store (i32.const 528) (i64.const 0))
    (i32.const 512)"""
)


def test_lists_that_alias_do_not_multiply(opening: Opening) -> None:
    """
    A small memory cannot make the host decode more than the memory limit.
    """
    instance = opening(ALIASES, "receiver")

    with pytest.raises(Fault) as caught:
        instance.receiving.receive(Message("", "", "", (), b""))

    # The bridge's window runs into the memory limit, the direct lane into the budget.
    assert {"bridge": "memory", "direct": "malformed"}[opening.lane] == caught.value.kind
    assert instance.memory_bytes <= LIMIT_BYTES
