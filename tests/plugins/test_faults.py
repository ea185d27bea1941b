"""
Every exception of wasmtime's becomes a Fault, and none leaves the package.
"""

import inspect

import pytest
import wasmtime
import wasmtime.component

from otelwasm.plugins.faults import Fault, FaultKind, from_wasmtime

EXCEPTIONS = sorted(
    {
        found
        for module in (wasmtime, wasmtime.component)
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, BaseException) and found.__module__.startswith("wasmtime")
    },
    key=lambda found: found.__name__,
)


def test_all_exceptions_are_known() -> None:
    """
    A new exception of wasmtime's shows up here first.
    """
    assert ["ExitTrap", "Trap", "WasmtimeError"] == [found.__name__ for found in EXCEPTIONS]


@pytest.mark.parametrize("class_", EXCEPTIONS)
def test_each_exception_becomes_a_fault(class_: type[Exception]) -> None:
    """
    Each exception has a kind and a text that is not empty.
    """
    error = class_("some reason")
    if isinstance(error, wasmtime.ExitTrap):
        error.code = 3

    fault = from_wasmtime(error)

    assert "trap" == fault.kind
    assert {
        "ExitTrap": "the plugin called exit(3)",
        "Trap": "some reason",
        "WasmtimeError": "some reason",
    }[class_.__name__] == str(fault)


TEXTS: list[tuple[str, FaultKind]] = [
    ("wasm trap: interrupt", "deadline"),
    ("wasm trap: wasm `unreachable` instruction executed", "trap"),
    ("wasm trap: call stack exhausted", "trap"),
    ("wasm trap: list content out-of-bounds", "malformed"),
    ("wasm trap: string content out-of-bounds", "malformed"),
    ("wasm trap: unaligned pointer", "malformed"),
    ("wasm trap: invalid variant discriminant", "malformed"),
    ("invalid utf8 encoding", "malformed"),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_wasmtimes_words_are_understood(text: str, kind: FaultKind) -> None:
    """
    The kind follows from what wasmtime says.
    """
    assert kind == from_wasmtime(wasmtime.WasmtimeError(text)).kind


def test_a_trap_after_memory_was_refused_is_a_fault_of_memory() -> None:
    """
    A plugin that gives up because it got no memory ran into its limit.
    """
    error = wasmtime.WasmtimeError("wasm trap: wasm `unreachable` instruction executed")

    assert "memory" == from_wasmtime(error, refused_bytes=1 << 30).kind


def test_a_backtrace_is_cut_to_the_plugins_own_frames() -> None:
    """
    The text has the reason first, then the innermost functions by name.
    """
    frames = "\n".join(f"    {n}: 0x{n:x} - guest.wasm!function{n}" for n in range(30))
    text = f"error while executing at wasm backtrace:\n{frames}\n\nCaused by:\n    wasm trap: boom"

    fault = from_wasmtime(wasmtime.WasmtimeError(text))

    assert str(fault).startswith("wasm trap: boom; in function0 < function1 < ")
    assert str(fault).endswith("function7 < … 22 more")
    assert isinstance(fault, Fault)
