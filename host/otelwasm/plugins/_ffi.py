"""
Declare the parts of wasmtime's C API that a batch passes through, as plain integers.

wasmtime-py converts each argument by introspecting its type, 55 us a call. Here every pointer is
an `int`, so that a call into a plugin costs what the C function costs.
"""

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from wasmtime import Config, Store, WasiConfig, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Func, LinkerInstance

__all__ = [
    "CALL_ADDRESS",
    "SET_DEADLINE_ADDRESS",
    "U32_KIND",
    "VALUE_BYTES",
    "CreateMemory",
    "FreeMemory",
    "GetMemory",
    "GrowMemory",
    "HostFunction",
    "Numbers",
    "add_function",
    "address_of",
    "answer_integer",
    "capture_output",
    "configure",
    "context_of",
    "error",
    "forbid_network",
    "integers_at",
    "memory_creator",
    "prepared",
    "set_deadline",
    "take_error",
]

_Pointer = ctypes.c_void_p
_Size = ctypes.c_size_t
_Value = ffi.wasmtime_component_val_t
_WORD = 8
_VALUE_WORDS = ctypes.sizeof(_Value) // _WORD
_PAYLOAD = _Value.of.offset // _WORD

_KINDS = {
    "i32": ffi.WASMTIME_COMPONENT_U32.value,
    "i64": ffi.WASMTIME_COMPONENT_U64.value,
    "f32": ffi.WASMTIME_COMPONENT_F32.value,
    "f64": ffi.WASMTIME_COMPONENT_F64.value,
}
_FORMATS = {"i32": "I", "i64": "Q", "f32": "f", "f64": "d"}

# (environment, store context, type, arguments, their count, results, their count) -> error
HostFunction = ctypes.CFUNCTYPE(
    _Size, _Pointer, _Pointer, _Pointer, _Pointer, _Size, _Pointer, _Size
)
CreateMemory = ffi.wasmtime_new_memory_callback_t
GetMemory = ffi.wasmtime_memory_get_callback_t
GrowMemory = ffi.wasmtime_memory_grow_callback_t
FreeMemory = ctypes.CFUNCTYPE(None, _Pointer)
_Output = ctypes.CFUNCTYPE(ctypes.c_ssize_t, _Pointer, _Pointer, _Size)

# (function, store context, arguments, their count, results, their count) -> error. No types are
# given: `prepared` passes C values, and to check and convert them takes as long as a small call.
_call = ctypes.CFUNCTYPE(_Pointer)(("wasmtime_component_func_call", ffi.dll))
# (store context, ticks from now)
set_deadline = ctypes.CFUNCTYPE(None, _Pointer, ctypes.c_uint64)(
    ("wasmtime_context_set_epoch_deadline", ffi.dll)
)
_add_function = ctypes.CFUNCTYPE(
    _Pointer, _Pointer, ctypes.c_char_p, _Size, HostFunction, _Pointer, FreeMemory
)(("wasmtime_component_linker_instance_add_func", ffi.dll))
_output_setters = [
    ctypes.CFUNCTYPE(None, _Pointer, _Output, _Pointer, FreeMemory)((name, ffi.dll))
    for name in ("wasi_config_set_stdout_custom", "wasi_config_set_stderr_custom")
]
_new_error = ctypes.CFUNCTYPE(_Pointer, ctypes.c_char_p)(("wasmtime_error_new", ffi.dll))


# For native/guest.c, which calls these functions itself.
CALL_ADDRESS, SET_DEADLINE_ADDRESS = (
    ctypes.cast(function, _Pointer).value or 0
    for function in (
        ffi.dll.wasmtime_component_func_call,
        ffi.dll.wasmtime_context_set_epoch_deadline,
    )
)
VALUE_BYTES = ctypes.sizeof(_Value)
U32_KIND: int = _KINDS["i32"]

# No finalizer. A function of Python's could be called by a thread of wasmtime's while Python ends,
# which takes that thread, and with it the process, down.
_nothing = FreeMemory()


def error(text: str) -> int:
    """
    Make a wasmtime error that a callback returns; wasmtime frees it.
    """
    return int(_new_error(text.encode("utf-8", "replace").replace(b"\0", b"?")))


def take_error(pointer: int) -> WasmtimeError:
    """
    Own the error that a call returned.
    """
    return WasmtimeError._from_ptr(ctypes.cast(pointer, ctypes.POINTER(ffi.wasmtime_error_t)))


def context_of(store: Store) -> int:
    """
    The address that names *store* in calls and callbacks.
    """
    return int(ctypes.cast(store._context(), _Pointer).value or 0)


def address_of(function: Func) -> int:
    """
    The address of an exported function's handle; *function* must outlive its use.
    """
    return ctypes.addressof(function._func)


def prepared(
    function: int,
    context: int,
    arguments: "Numbers | None" = None,
    result: "Numbers | None" = None,
) -> Callable[[], int | None]:
    """
    A call of *function* that takes its arguments and leaves its result where they always are.

    It returns the error, if there is one; the function, the store and the numbers must outlive it.
    """
    given = (None, 0) if arguments is None else (arguments.address, arguments.count)
    answered = (None, 0) if result is None else (result.address, 1)
    return functools.partial(
        _call,
        _Pointer(function),
        _Pointer(context),
        *(_Pointer(given[0]), _Size(given[1])),
        *(_Pointer(answered[0]), _Size(answered[1])),
    )


def add_function(
    linker: LinkerInstance, name: str, *, function: Callable[..., int], environment: int
) -> None:
    """
    Define *name* as *function*, called with *environment*; *function* must outlive the linker.
    """
    encoded = name.encode()
    pointer = ctypes.cast(linker.ptr(), _Pointer).value
    failed = _add_function(pointer, encoded, len(encoded), function, environment, _nothing)
    if failed:
        raise take_error(failed)


def memory_creator(create: Callable[..., int]) -> Any:
    """
    The struct that makes an engine ask *create* for every linear memory.
    """
    return ffi.wasmtime_memory_creator_t(None, create, _nothing)


def configure(config: Config, *, creator: Any, stack_bytes: int) -> None:
    """
    Set what wasmtime-py has no setters for; *creator* must outlive the engine.
    """
    ffi.wasmtime_config_max_wasm_stack_set(config.ptr(), stack_bytes)
    # A plugin's memory is linear memory, 32 bits, on its instance's account: nothing else.
    for switch in ("gc", "exceptions", "memory64", "threads", "stack_switching"):
        getattr(ffi, f"wasmtime_config_wasm_{switch}_set")(config.ptr(), False)
    # Off each call: stores of the host run one call at a time.
    ffi.wasmtime_config_concurrency_support_set(config.ptr(), False)
    # wasmtime aborts on copy-on-write images together with a host's memories.
    ffi.wasmtime_config_memory_init_cow_set(config.ptr(), False)
    ffi.wasmtime_config_host_memory_creator_set(config.ptr(), ctypes.byref(creator))


def forbid_network(config: WasiConfig) -> None:
    """
    Say again what is wasmtime's default: no sockets and no name look-up.
    """
    ffi.wasi_config_allow_ip_name_lookup(config.ptr(), False)


def capture_output(
    config: WasiConfig, *, stdout: Callable[[bytes], None], stderr: Callable[[bytes], None]
) -> list[Any]:
    """
    Send a guest's output to functions that never raise; keep the result as long as the store.
    """

    def captured(take: Callable[[bytes], None]) -> Any:
        def write(_environment: int | None, at: int | None, length: int) -> int:
            # Safety: wasmtime lends *length* bytes at *at* for this call.
            take(ctypes.string_at(at or 0, length) if length else b"")
            return length

        return _Output(write)

    kept = [captured(stdout), captured(stderr)]
    for set_output, write in zip(_output_setters, kept, strict=True):
        set_output(ctypes.cast(config.ptr(), _Pointer), write, None, _nothing)
    return kept


def integers_at(address: int, count: int) -> list[int]:
    """
    The *count* u32 arguments that a callback was given.
    """
    # Safety: wasmtime lends *count* values at *address* for this call.
    words = (ctypes.c_uint64 * (count * _VALUE_WORDS)).from_address(address)
    return [word & 0xFFFF_FFFF for word in words[_PAYLOAD::_VALUE_WORDS]]


def answer_integer(address: int, number: int) -> None:
    """
    Leave a u32 result for wasmtime.
    """
    # Safety: wasmtime lends one value at *address* for this call.
    value = _Value.from_address(address)
    value.kind = _KINDS["i32"]
    value.of.u32 = number


class Numbers:
    """
    Core values in wasmtime's own structs, made once and filled for each call.

    `cells[i][0]` is the i-th number.
    """

    def __init__(self, types: tuple[str, ...]) -> None:
        values = (_Value * max(1, len(types)))()
        for value, type_ in zip(values, types, strict=False):
            value.kind = _KINDS[type_]
        self._values = values
        raw: Any = memoryview(values).cast("B")
        self.cells: list[Any] = [
            raw[at : at + (4 if type_ in ("i32", "f32") else 8)].cast(_FORMATS[type_])
            for at, type_ in (
                ((place * _VALUE_WORDS + _PAYLOAD) * _WORD, type_)
                for place, type_ in enumerate(types)
            )
        ]
        self.address = ctypes.addressof(values)
        self.count = len(types)

    def set(self, numbers: tuple[int | float, ...]) -> None:
        """
        Fill in the arguments of a call.
        """
        for cell, number in zip(self.cells, numbers, strict=False):
            cell[0] = number

    def get(self) -> int | float:
        """
        The result of a call.
        """
        number: int | float = self.cells[0][0]
        return number
