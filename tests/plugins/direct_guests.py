"""
Guests of the integers-only form of wit/direct.wit, whose bodies a test writes in WAT.
"""

from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.native_calls import NativeCalls
from plugins.guests import LIFECYCLE
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES
from plugins.wat import component

__all__ = ["CALL", "ECHO", "OUT", "RESERVE", "Running", "guest", "outcome"]

OUT = "0xfffffff0"
CALL = """
  (import "otelwasm:plugin/direct-host@0.1.0" "call"
    (func $call (param i32 i32 i32 i32 i32) (result i32)))
  (import "otelwasm:plugin/direct-host@0.1.0" "answer"
    (func $answer (param i32) (result i32)))
"""
RESERVE = "(i32.const 2097152)"


def outcome(kind: int, at: str = "0", length: str = "0", has: int = 0, number: int = 0) -> str:
    """
    A body of `run` that leaves this outcome at 512.
    """
    return f"""
    (i32.store (i32.const 512) (i32.const {kind}))
    (i32.store (i32.const 516) {at if "(" in at else f"(i32.const {at})"})
    (i32.store (i32.const 520) {length if "(" in length else f"(i32.const {length})"})
    (i32.store (i32.const 524) (i32.const {has})) (i64.store (i32.const 528) (i64.const {number}))
    (i32.const 512)"""


ECHO = outcome(1, "2097152", "(local.get $length)")


_TYPED = {
    "processor": [("processing@0.1.0#process", 3)],
    "exporter": [("exporting@0.1.0#send", 3)],
    "receiver": [("receiving@0.1.0#receive", 10), ("receiving@0.1.0#poll", 0)],
}


def guest(run: str, *, reserve: str = RESERVE, imports: str = "", world: str = "processor") -> str:
    """
    A guest with the direct form; its typed function traps, so that nobody takes it by mistake.
    """
    typed = "".join(
        f"""
  (func (export "otelwasm:plugin/{name}")
    (param{" i32" * count}) (result i32) unreachable)"""
        for name, count in _TYPED[world]
    )
    return f"""{imports}{LIFECYCLE}{typed}
  (func (export "otelwasm:plugin/direct@0.1.0#reserve") (param $length i32) (result i32)
    (if (i32.lt_u (memory.size) (i32.const 256)) (then (drop (memory.grow (i32.const 252)))))
    {reserve})
  (func (export "otelwasm:plugin/direct@0.1.0#run")
    (param $signal i32) (param $length i32) (result i32) {run})
"""


class Running:
    """
    Opens guests of the direct form and closes them.
    """

    def __init__(self, native: NativeCalls | None) -> None:
        self._native = native
        self.instances: list[Instance] = []

    def __call__(self, core: str, world: str = "processor", host: Notes | None = None) -> Instance:
        loaded = Component.load(component(core, f"python-{world}"), name="guest")
        assert loaded.has_direct
        instance = Instance(
            loaded,
            host or Notes(),
            memory_bytes=LIMIT_BYTES,
            deadline_s=10.0,
            native=self._native,
        )
        self.instances.append(instance)
        return instance
