"""
Hand a Python plugin's files to a runner: a component that can be any plugin (wit/direct.wit).

    files, as parts ──► buffer of the runner's own ──► its Python imports them ──► done, or why not

Each instance is told anew, so that a fresh one is the same plugin, whatever became of the files.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from otelwasm.plugins import _ffi
from otelwasm.plugins.abi import MalformedError
from otelwasm.plugins.contract import DIRECT, SOURCES
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.outcome import PASS, PERMANENT, read_outcome
from otelwasm.plugins.parts import joined
from otelwasm.plugins.sandbox import Sandbox

__all__ = ["Sources", "load_sources"]

# Importing takes its time, however short a batch's deadline is.
_LEAST_S = 10.0


@attrs.frozen
class Sources:
    """
    A Python plugin by its files, the plugin's own first, and the runner that can be it.

    *key* changes with the content of *runner*; *refusal* words what the runner's Python answers
    where it cannot be the plugin.
    """

    name: str
    runner: Path
    key: str
    files: Mapping[str, bytes] = attrs.field(repr=False)
    refusal: Callable[[str], str] = attrs.field(repr=False)


def load_sources(sandbox: Sandbox, sources: Sources, *, budget_bytes: int) -> str | None:
    """
    Have the runner import *sources*; returns what its Python answers if it cannot. Raises Fault.
    """
    data = joined([part for name, text in sources.files.items() for part in (name.encode(), text)])
    length, at = _ffi.Numbers(("i32",)), _ffi.Numbers(("i32",))
    reserve = sandbox.prepared(sandbox.integer_function(DIRECT, "reserve"), length, at)
    load = sandbox.prepared(sandbox.integer_function(SOURCES, "load"), length, at)
    sandbox.begin()
    sandbox.allow(_LEAST_S)
    length.set((len(data),))
    sandbox.enter(reserve)
    memory = sandbox.guest_memory()
    memory.left_bytes = budget_bytes
    try:
        start = int(at.get())
        memory.place(start, len(data), alignment=1)
        # Safety: in range, and only this thread can grow the memory.
        memory.region.view[start : start + len(data)] = data
        sandbox.enter(load)
        kind, start, size, _ = read_outcome(memory, int(at.get()))
        if kind not in (PASS, PERMANENT):
            raise MalformedError(f"an outcome of the kind {kind}")
        return None if kind == PASS else memory.text(start, size)
    except MalformedError as error:
        text = f"loading its sources gave a malformed value: {error}"
        raise sandbox.end(Fault(text, kind="malformed")) from None
