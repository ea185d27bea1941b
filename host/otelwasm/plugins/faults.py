"""
Name what ended a plugin's instance: a trap, its deadline, its memory limit or a malformed value.

Every exception of wasmtime's becomes a `Fault` here; none leaves `otelwasm.plugins`.
"""

import re
from typing import Literal

import wasmtime

__all__ = ["Fault", "FaultKind", "from_wasmtime", "missing_import"]

FaultKind = Literal["trap", "deadline", "memory", "malformed"]

# wasmtime's own words, as its traps carry no code through the C API of components.
_KINDS: tuple[tuple[str, FaultKind], ...] = (
    ("wasm trap: interrupt", "deadline"),
    ("invalid utf8", "malformed"),
    ("string content out-of-bounds", "malformed"),
    ("string pointer/length out of bounds", "malformed"),
    ("list content out-of-bounds", "malformed"),
    ("list pointer/length out of bounds", "malformed"),
    ("unaligned pointer", "malformed"),
    ("pointer not aligned", "malformed"),
    ("invalid `char`", "malformed"),
    ("unexpected discriminant", "malformed"),
    ("invalid discriminant", "malformed"),
    ("invalid variant discriminant", "malformed"),
)
# Not compiled here: most processes never need them (`re` keeps what it compiled).
_FRAME = r"^\s+\d+:\s+0x[0-9a-f]+ - (?P<where>.+)$"
_FRAMES = 8
_MISSING = r"component imports \w+ `(.+?)`, but a matching implementation was not found"


class Fault(Exception):
    """
    A call that ended its instance; *kind* is trap, deadline, memory or malformed.
    """

    def __init__(self, message: str, *, kind: FaultKind) -> None:
        super().__init__(message)
        self.kind: FaultKind = kind


def from_wasmtime(error: Exception, *, refused_bytes: int | None = None) -> Fault:
    """
    What *error* means; *refused_bytes* is the memory that was refused during the call, if any.
    """
    if isinstance(error, wasmtime.ExitTrap):
        return Fault(f"the plugin called exit({error.code})", kind="trap")
    text = error.message if isinstance(error, wasmtime.Trap) else str(error)
    kind: FaultKind = next((kind for words, kind in _KINDS if words in text.lower()), "trap")
    if kind == "trap" and refused_bytes is not None:
        kind = "memory"
    return Fault(_useful(text), kind=kind)


def missing_import(error: Exception) -> str | None:
    """
    What a component imports that the linker does not have, if *error* says that.
    """
    found = re.match(_MISSING, str(error))
    return None if found is None else f"it imports {found[1]}, which plugins are not offered"


def _useful(text: str) -> str:
    """
    The reason first, then the innermost frames of the plugin's own code.
    """
    reasons = []
    frames = []
    for line in text.splitlines():
        if frame := re.match(_FRAME, line):
            name = frame["where"].rsplit("!", 1)[-1]
            # A component without names has numbers, which say nothing.
            if not name.startswith("<wasm function"):
                frames.append(name)
        elif "wasm backtrace" not in line and line.strip() not in ("", "Caused by:"):
            reasons.append(re.sub(r"^\s*(\d+: )?", "", line))
    reason = reasons[-1] if reasons else "no reason given"
    if not frames:
        return reason
    more = f" < … {len(frames) - _FRAMES} more" if len(frames) > _FRAMES else ""
    return f"{reason}; in {' < '.join(frames[:_FRAMES])}{more}"
