"""
Instances of one plugin share the pages that they do not write, and nothing else.
"""

from pathlib import Path
from typing import Any

import pytest

from otelwasm.plugins._generated.processing import VerdictReplace
from otelwasm.plugins.component import Component
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.values import Ok
from otelwasm.signals import Signal
from plugins.guests import processor, replying
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES
from plugins.wat import BUMP, component

PAGES = 320
BULK = "x" * (16 << 20)
# Counts its calls in its data, and answers with that and what lies behind.
COUNTER = processor(
    replying(
        "(i32.store8 (i32.const 1048576)",
        "(i32.add (i32.const 1) (i32.load8_u (i32.const 1048576))))",
        "(i32.store8 (i32.const 516) (i32.const 1))",
        "(i32.store (i32.const 520) (i32.const 1048576)) (i32.store (i32.const 524) (i32.const 9))",
    ),
)
# Later segments go over earlier ones, and code that runs at the start finds them all.
DATA = f"""
  (data (i32.const 1048577) "{BULK}")
  (data (i32.const 1048576) "\\01contact")
  (data (i32.const 1048581) "ent")
  (func $begin
    (i32.store8 (i32.const 1048584) (i32.sub (i32.load8_u (i32.const 1048584)) (i32.const 87))))
  (start $begin)
"""
COUNTING = component(COUNTER, pages=PAGES, realloc=BUMP + DATA)


def private_bytes() -> int:
    """
    What this process holds for itself alone.
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) << 10


def test_instances_write_to_memories_of_their_own(lane: Any) -> None:
    """
    What one instance writes no other sees, and all begin with the plugin's data.
    """
    loaded = Component.load(COUNTING, name="counter", lane=lane)
    instances = [
        Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10) for _ in range(3)
    ]
    for calls, instance in enumerate(instances, start=1):
        for _ in range(calls):
            result = instance.run(Signal.TRACES, b"batch")

        assert Ok(VerdictReplace(bytes([1 + calls]) + b"content!")) == result

    for instance in instances:
        instance.close()


def test_equal_pages_are_held_once() -> None:
    """
    Five more instances of a plugin of 20 MiB take less than one of them would.
    """
    loaded = Component.load(COUNTING, name="counter")
    first = Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10)
    before = private_bytes()
    assert loaded.images
    more = [Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10) for _ in range(5)]
    for instance in more:
        instance.run(Signal.TRACES, b"batch")

    assert private_bytes() - before < 8 << 20

    for instance in (first, *more):
        instance.close()


def test_data_out_of_bounds_is_refused(lane: Any) -> None:
    """
    A plugin whose data lies outside of its memory does not start, however much is within.
    """
    outside = DATA + f'(data (i32.const {PAGES * 65536 - 3}) "over")'
    loaded = Component.load(
        component(COUNTER, pages=PAGES, realloc=BUMP + outside), name="outside", lane=lane
    )

    with pytest.raises(Fault, match=r"plugin 'outside': .*out of bounds memory access"):
        Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10)

    assert not loaded.images


def test_data_counts_against_the_limit(lane: Any) -> None:
    """
    Data that is shared is memory of the instance all the same.
    """
    loaded = Component.load(COUNTING, name="counter", lane=lane)

    with pytest.raises(Fault, match=r"20\.. MiB asked, limit is 16\.0 MiB"):
        Instance(loaded, Notes(), memory_bytes=16 << 20, deadline_s=10)
