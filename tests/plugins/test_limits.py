"""
A plugin that traps, loops, or takes too much memory ends its instance, never the host.
"""

import threading
import time

import pytest

from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.processing import VerdictPass
from otelwasm.plugins._generated.types import Attributes, FailurePermanent
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.guests import LOG, emitting, processor, replying
from plugins.hosts import Notes
from plugins.opening import Opening


class Deaf(Notes):
    """
    A host that notes no log lines.
    """

    def write(self, level: Level, message: str, attributes: Attributes) -> None:
        pass


PASS = processor("(call $pass)")
TRAP = processor("unreachable")
LOOP = processor("(loop $again (br $again)) (call $pass)")
RECURSE = processor(
    "(drop (call $deeper (i32.const 0))) (call $pass)",
    functions="""
  (func $deeper (param i32) (result i32)
    (i32.add (i32.const 1) (call $deeper (i32.add (local.get 0) (i32.const 1)))))""",
)
# Grows its memory by a MiB at a time, until it may not; then it gives up as guests do.
BOMB = processor(
    """
    (loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
    unreachable"""
)
# The same, but content with what it got.
MODEST = processor(
    """
    (loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
    (call $pass)"""
)
TABLE_BOMB = processor(
    """
    (loop $more (br_if $more (i32.ne (i32.const -1)
      (table.grow $table (ref.null func) (i32.const 100000)))))
    (if (i32.gt_u (table.size $table) (i32.const 2000000)) (then unreachable))
    (call $pass)""",
    functions="(table $table 1 funcref)",
)
ENDLESS_START = """
  (func $forever (loop $again (br $again)))
  (start $forever)
"""


def test_a_trap_is_named(opening: Opening) -> None:
    """
    A trap is a fault of its kind; its message names the plugin and the trap.
    """
    instance = opening(TRAP)

    with pytest.raises(Fault, match=r"plugin 'guest': wasm trap: .*unreachable") as caught:
        instance.run(Signal.TRACES, b"batch")

    assert "trap" == caught.value.kind


def test_a_dead_instance_says_so(opening: Opening) -> None:
    """
    After a fault every call fails at once and repeats what ended the instance.
    """
    instance = opening(TRAP)
    with pytest.raises(Fault):
        instance.run(Signal.TRACES, b"batch")

    with pytest.raises(
        Fault, match=r"the instance is dead: plugin 'guest': .*unreachable"
    ) as caught:
        instance.lifecycle.tick()

    assert "trap" == caught.value.kind
    assert instance.is_dead


def test_a_closed_instance_says_so(opening: Opening) -> None:
    """
    Closing twice is safe, and a call afterwards fails with a clear text.
    """
    instance = opening(PASS)
    instance.close()
    instance.close()

    with pytest.raises(Fault, match="plugin 'guest': the instance is closed"):
        instance.run(Signal.TRACES, b"batch")

    assert instance.is_dead


def test_an_endless_loop_ends_at_its_deadline(opening: Opening) -> None:
    """
    A call that does not return is ended, not long after its deadline.
    """
    instance = opening(LOOP, deadline_s=0.2)
    began = time.monotonic()

    with pytest.raises(Fault, match=r"a call ran beyond its deadline of 0.2 s") as c:
        instance.run(Signal.TRACES, b"batch")

    assert "deadline" == c.value.kind
    assert 0.2 <= time.monotonic() - began < 5


def test_an_endless_start_ends_at_its_deadline(opening: Opening) -> None:
    """
    Code that runs while a plugin is instantiated has the deadline too.
    """
    with pytest.raises(Fault) as caught:
        opening(PASS + ENDLESS_START, deadline_s=0.1)

    assert "deadline" == caught.value.kind


def test_the_hosts_own_time_does_not_count(opening: Opening) -> None:
    """
    The deadline is the plugin's: it begins anew after each function of the host's.
    """
    waited = threading.Event()

    def emit(*_: object) -> Ok[None]:
        waited.wait(0.3)
        return Ok(None)

    instance = opening(emitting(), deadline_s=0.1, host=Notes(emit=emit))

    assert Ok(VerdictPass()) == instance.run(Signal.TRACES, b"batch")


def test_calling_the_host_for_ever_ends_at_the_deadline(opening: Opening) -> None:
    """
    A plugin does not gain time by calling the host: its own time adds up over the call.
    """
    core = processor(
        """
    (loop $again
      (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (br $again))
    (call $pass)""",
        imports=LOG,
    )

    with pytest.raises(Fault, match=r"beyond its deadline of 0.1 s") as caught:
        opening(core, deadline_s=0.1, host=Deaf()).run(Signal.TRACES, b"batch")

    assert "deadline" == caught.value.kind


def test_a_memory_bomb_ends_at_the_limit(opening: Opening) -> None:
    """
    Memory stops growing at the limit; a trap that follows is a fault of memory.
    """
    instance = opening(BOMB, memory_bytes=20 << 20)

    with pytest.raises(Fault, match=r"MiB asked, limit is 20.0 MiB") as caught:
        instance.run(Signal.TRACES, b"batch")

    assert "memory" == caught.value.kind
    assert instance.memory_bytes <= 20 << 20


def test_memory_that_is_refused_is_no_fault_by_itself(opening: Opening) -> None:
    """
    A plugin that can do without the memory it was refused goes on.
    """
    instance = opening(MODEST, memory_bytes=20 << 20)

    assert Ok(VerdictPass()) == instance.run(Signal.TRACES, b"batch")
    assert 18 << 20 <= instance.memory_bytes <= 20 << 20


def test_a_plugin_larger_than_its_limit_does_not_start(opening: Opening) -> None:
    """
    A limit below the memory that a plugin begins with is a fault that names both.
    """
    with pytest.raises(Fault, match=r"MiB asked, limit is 0.1 MiB \(`lim.*: …}`\)$") as caught:
        opening(PASS, memory_bytes=128 << 10)

    assert "memory" == caught.value.kind


def test_a_payload_larger_than_the_limit_is_a_fault_of_memory(opening: Opening) -> None:
    """
    A payload that finds no room within the limit ends the instance, and the text says why.
    """
    instance = opening(PASS, memory_bytes=4 << 20)

    with pytest.raises(Fault, match=r"MiB asked, limit is 4.0 MiB") as caught:
        instance.run(Signal.TRACES, bytes(8 << 20))

    assert "memory" == caught.value.kind


def test_an_answer_larger_than_the_limit_is_a_fault_of_memory(opening: Opening) -> None:
    """
    An answer of the host's that finds no room within the limit ends the instance.
    """
    host = Notes(emit=lambda *_: Err(FailurePermanent("x" * (8 << 20))))
    instance = opening(emitting(), memory_bytes=4 << 20, host=host)

    with pytest.raises(Fault) as caught:
        instance.run(Signal.TRACES, b"batch")

    assert "memory" == caught.value.kind


def test_tables_have_a_limit(opening: Opening) -> None:
    """
    A plugin cannot take the host's memory by growing a table.
    """
    assert Ok(VerdictPass()) == opening(TABLE_BOMB).run(Signal.TRACES, b"batch")


def test_endless_recursion_traps(opening: Opening) -> None:
    """
    A full stack is a trap of the plugin's, not of the host's.
    """
    instance = opening(RECURSE)

    with pytest.raises(Fault, match="call stack exhausted") as caught:
        instance.run(Signal.TRACES, b"batch")

    assert "trap" == caught.value.kind


def test_endless_recursion_traps_on_a_thread(opening: Opening) -> None:
    """
    The stack of a thread has room for all that Wasm may use.
    """
    instance = opening(RECURSE)
    faults: list[Fault] = []

    def work() -> None:
        with pytest.raises(Fault) as caught:
            instance.run(Signal.TRACES, b"batch")
        faults.append(caught.value)

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join(timeout=30)

    assert ["trap"] == [fault.kind for fault in faults]


def test_a_fresh_instance_takes_over(opening: Opening) -> None:
    """
    A fault of one instance leaves the next one of the same plugin untouched.
    """
    core = processor(
        f"(if (i32.eq (local.get $length) (i32.const 4)) (then unreachable)) {replying()}"
    )
    with pytest.raises(Fault):
        opening(core).run(Signal.TRACES, b"trap")

    assert Ok(VerdictPass()) == opening(core).run(Signal.TRACES, b"no trap")
