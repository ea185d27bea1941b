"""
Call a plugin's exported functions: numbers in, numbers out, the rest through memory.
"""

import struct
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from otelwasm.plugins import _ffi
from otelwasm.plugins.abi import ARGUMENTS_AT, RESULT_AT, MalformedError, Memory
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.world import GuestFunction

__all__ = ["Callee", "Caller", "Function", "RawRoute", "Route", "WindowRoute"]

_R = TypeVar("_R")

_SLOTS = {"i32": "I4x", "i64": "Q", "f32": "f4x", "f64": "d"}
_CELL = struct.Struct("<I")


class Caller(Protocol):
    """
    What a function needs of the instance that it belongs to.
    """

    def begin(self) -> Memory:
        """
        Open a call: the memory for its arguments and result.
        """

    def prepared(
        self,
        function: int,
        arguments: _ffi.Numbers | None = None,
        result: _ffi.Numbers | None = None,
    ) -> Callable[[], int | None]:
        """
        A call of a wasmtime function, to `enter`.
        """

    def enter(self, call: Callable[[], int | None]) -> None:
        """
        Make a call; raises Fault.
        """

    def end(self, fault: Fault) -> Fault:
        """
        Declare the instance dead.
        """


class Route(Protocol):
    """
    How flat arguments reach the plugin, and its flat result the host.
    """

    def call(self, numbers: tuple[int | float, ...]) -> int | float:
        """
        Call; the result is the offset of a result in memory.
        """

    def done(self, number: int | float) -> None:
        """
        Say that the result has been read.
        """


class Function(Generic[_R]):
    """
    One exported function. The generated classes call it: `begin`, put arguments, call.

    Its *route* is made for the first call; many functions are never called in an instance's life.
    """

    def __init__(
        self,
        caller: Caller,
        described: GuestFunction,
        load: Callable[[Memory, int], _R],
        *,
        route: Callable[[], Route],
        budget_bytes: int,
    ) -> None:
        self._caller = caller
        self._described = described
        self._load = load
        self._make_route = route
        self._route: Route | None = None
        self._budget_bytes = budget_bytes
        self._memory: Memory | None = None

    def begin(self) -> Memory:
        """
        Open a call; the arguments go into the memory that this returns.
        """
        self._memory = memory = self._caller.begin()
        return memory

    def __call__(self, *numbers: int | float) -> _R:
        """
        Call with flat arguments and read the result.
        """
        memory = self._memory
        assert memory is not None
        route = self._route
        if route is None:
            self._route = route = self._make_route()
        number = route.call(numbers)
        described = self._described
        memory.left_bytes = self._budget_bytes
        try:
            if described.result_size:
                memory.place(
                    int(number), described.result_size, alignment=described.result_alignment
                )
            value = self._load(memory, number)  # type: ignore[arg-type]  # a float loads a float
        except MalformedError as error:
            text = f"{described} returned a malformed result: {error}"
            raise self._caller.end(Fault(text, kind="malformed")) from None
        route.done(number)
        return value


class Callee(Protocol):
    """
    An instance whose exported functions can be called: a Sandbox.
    """

    def function(self, described: GuestFunction, load: Callable[[Memory, int], _R]) -> Function[_R]:
        """
        An exported function; *load* reads its result.
        """


class WindowRoute:
    """
    Through the exports bridge: arguments and result lie in its window.
    """

    def __init__(
        self, caller: Caller, function: int, described: GuestFunction, *, window: Memory
    ) -> None:
        self._caller = caller
        self._function = caller.prepared(function)
        self._window = window
        self._arguments = struct.Struct("<" + "".join(_SLOTS[each] for each in described.params))
        self._result = None
        if described.result is not None and not described.result_size:
            self._result = struct.Struct("<" + _SLOTS[described.result])

    def call(self, numbers: tuple[int | float, ...]) -> int | float:
        """
        Put the numbers into their slots and call.
        """
        # Safety: at most 16 slots, and the result's, lie in the window's first page.
        self._arguments.pack_into(self._window.view, ARGUMENTS_AT, *numbers)
        self._caller.enter(self._function)
        if self._result is None:
            return RESULT_AT
        number: int | float = self._result.unpack_from(self._window.view, RESULT_AT)[0]
        return number

    def done(self, number: int | float) -> None:
        """
        Nothing: the window is used again from its start.
        """


class RawRoute:
    """
    Straight to the plugin's core function, then to its post-return.
    """

    def __init__(
        self,
        caller: Caller,
        function: int,
        described: GuestFunction,
        *,
        post_return: int | None,
    ) -> None:
        self._caller = caller
        self._arguments = _ffi.Numbers(described.params)
        self._result = None if described.result is None else _ffi.Numbers((described.result,))
        self._function = caller.prepared(function, self._arguments, self._result)
        self._returned = _ffi.Numbers(("i32",))
        self._post_return = None
        if post_return is not None:
            self._post_return = caller.prepared(post_return, self._returned)

    def call(self, numbers: tuple[int | float, ...]) -> int | float:
        """
        Call with the numbers themselves.
        """
        self._arguments.set(numbers)
        self._caller.enter(self._function)
        return 0 if self._result is None else self._result.get()

    def done(self, number: int | float) -> None:
        """
        Let the plugin free what it returned.
        """
        if self._post_return is not None:
            self._returned.set((number,))
            self._caller.enter(self._post_return)
