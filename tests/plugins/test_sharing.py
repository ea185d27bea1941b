"""
Instances of one plugin share the pages that they do not write, and nothing else.
"""

from pathlib import Path
from typing import Any

from otelwasm.plugins._generated.processing import VerdictReplace
from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.values import Ok
from otelwasm.signals import Signal
from plugins.guests import processor, replying
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES
from plugins.wat import component

# Counts its calls, in its memory, and answers with 16 MiB of data, of which it changed one byte.
COUNTER = processor(
    replying(
        "(i32.store8 (i32.const 1048576)",
        "(i32.add (i32.const 1) (i32.load8_u (i32.const 1048576))))",
        "(i32.store8 (i32.const 516) (i32.const 1))",
        "(i32.store (i32.const 520) (i32.const 1048576)) (i32.store (i32.const 524) (i32.const 8))",
    ),
    functions="""(data (i32.const 1048576) "\\01content")
  (func $fill (memory.fill (i32.const 2097152) (i32.const 7) (i32.const 16000000)))
  (start $fill)""",
)


def private_bytes() -> int:
    """
    What this process holds for itself alone.
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) << 10


def test_instances_write_to_memories_of_their_own(lane: Any) -> None:
    """
    What one instance writes no other sees, whether it was the first or backed by its image.
    """
    loaded = Component.load(component(COUNTER, pages=320), name="counter", lane=lane)
    instances = [
        Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10) for _ in range(3)
    ]
    for calls, instance in enumerate(instances, start=1):
        for _ in range(calls):
            result = instance.run(Signal.TRACES, b"batch")

        assert Ok(VerdictReplace(bytes([1 + calls]) + b"content")) == result

    for instance in instances:
        instance.close()


def test_equal_pages_are_held_once() -> None:
    """
    Five more instances of a plugin of 20 MiB take less than two of them would.
    """
    loaded = Component.load(component(COUNTER, pages=320), name="counter")
    first = Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10)
    before = private_bytes()
    more = [Instance(loaded, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10) for _ in range(5)]
    for instance in more:
        instance.run(Signal.TRACES, b"batch")

    assert private_bytes() - before < 30 << 20

    for instance in (first, *more):
        instance.close()
