"""
Answer a plugin's calls of host functions.

A callback from C may not raise: ctypes would print the exception and answer "all is well", and
wasmtime-py keeps it in a module global where it reaches other threads. So every path here catches
BaseException and answers: with the function's own error if it has one, else by cutting the guest
call short; what cut it is kept for the thread that made the call.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from otelwasm.plugins import _ffi
from otelwasm.plugins.abi import MalformedError, Memory
from otelwasm.plugins.deadline import Deadline
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.memory import Account
from otelwasm.plugins.world import HostFunction

__all__ = ["Dispatcher", "Imports", "NeedsRoomError"]

_CELL = struct.Struct("<I")
_TOP, _NEED = 0, 4
_FETCH, _NAP, _FIRST = range(3)
_PAGE = 1 << 16
# Characters of a traceback and its message.
_MOST_SHOWN = 10_000


class NeedsRoomError(Exception):
    """
    A window must grow to *end* bytes before a value fits.
    """

    def __init__(self, end: int) -> None:
        super().__init__(f"{end} bytes")
        self.end = end


@attrs.frozen
class _Answer:
    """
    A result on its way into the window, above *top*.
    """

    function: HostFunction
    value: Any
    top: int


class Imports:
    """
    The host functions of one plugin instance; *payloads* is the number of the memory that lists
    of bytes lie in.
    """

    def __init__(
        self,
        account: Account,
        functions: list[tuple[HostFunction, Callable[..., Any]]],
        *,
        plugin: str,
        integers: Sequence[Callable[..., int]],
        payloads: int,
        budget_bytes: int,
        deadline: Deadline,
    ) -> None:
        self.cut: BaseException | None = None
        self.host_errors = 0
        self._plugin = plugin
        self._account = account
        self._functions = functions
        self._integers = integers
        self._payloads_region = payloads
        self._budget_bytes = budget_bytes
        self._deadline = deadline
        self._window: Memory | None = None
        self._payloads: Memory | None = None
        self._answer: _Answer | None = None
        self._asked_bytes = 0
        self._next = 0

    @property
    def window(self) -> Memory:
        """
        The imports bridge's window: the first memory that an instance gets (compose.py).
        """
        if self._window is None:
            self._window = Memory(self._account.regions[0], self._allocate)
            source = self._account.regions[self._payloads_region]
            self._payloads = Memory(source, self._allocate)
        return self._window

    def serve(self, number: int) -> int:
        """
        Answer a call; returns an error or 0.

        Number 0 is `fetch`: the window has grown for the answer; 1 is `nap`: the plugin waits.
        """
        try:
            if number == _NAP:
                self._deadline.nap()
                return 0
            self._deadline.pause()
            if number == _FETCH:
                failed = self._give()
            else:
                failed = self._call(*self._functions[number - _FIRST])
            if not failed:
                self._deadline.resume()
            return failed
        except BaseException as error:
            return self._stop(error)

    def serve_integers(self, number: int, arguments: list[int], result: int) -> int:
        """
        Answer a call of a function of integers; its result goes to the address *result*.
        """
        try:
            self._deadline.pause()
            _ffi.answer_integer(result, self._integers[number](*arguments))
            self._deadline.resume()
            return 0
        except MalformedError as error:
            return self._stop(
                Fault(f"it called the host with a malformed value: {error}", kind="malformed")
            )
        except BaseException as error:
            return self._stop(error)

    def fail(self, error: Exception) -> None:
        """
        Count an exception of the host's own code; of an instance's first the log has a traceback.
        """
        self.host_errors += 1
        if self.host_errors == 1:
            import traceback  # here, as these take long to import

            import structlog

            # As text: what formats it where nobody configured structlog shows all variables, and
            # takes minutes for a long message, with every other thread waiting.
            shown = "".join(traceback.format_exception(error))
            structlog.get_logger("otelwasm").error(
                "a function that a plugin called failed in the host",
                plugin=self._plugin,
                exception=shown[:_MOST_SHOWN],
            )

    def close(self) -> None:
        """
        Let go of memories and of the host's functions.
        """
        for memory in (self._window, self._payloads):
            if memory is not None:
                memory.close()
        self._window = self._payloads = self._answer = None
        self._functions = []
        self._integers = []

    def _call(self, described: HostFunction, function: Callable[..., Any]) -> int:
        window = self.window
        payloads = self._payloads
        assert payloads is not None
        window.left_bytes = payloads.left_bytes = self._budget_bytes
        try:
            arguments = described.take(window, payloads)
        except MalformedError as error:
            return self._stop(
                Fault(f"it called {described} with a malformed value: {error}", kind="malformed")
            )
        # Safety: cells lie in a window's first page, which it always has.
        top = int(_CELL.unpack_from(window.view, _TOP)[0])
        try:
            value = function(*arguments)
        except Exception as error:
            self.fail(error)
            text = f"{type(error).__name__}: {error}"
            if described.give is not None and described.fail is None:
                return self._stop(Fault(f"{described} failed: {text}", kind="trap"))
            value = None if described.fail is None else described.fail(text)
        if described.give is None:
            return 0
        self._answer = _Answer(described, value, top)
        self._asked_bytes = 0
        return self._give()

    def _give(self) -> int:
        answer = self._answer
        window = self.window
        if answer is None or answer.function.give is None:
            return self._stop(Fault("the bridge asked for an answer too many", kind="trap"))
        self._next = answer.top
        try:
            answer.function.give(window, answer.value)
        except NeedsRoomError as needed:
            if self._asked_bytes:
                wanted = self._account.refused_bytes or needed.end
                text = f"an answer of {answer.function} has no room: {wanted} bytes asked"
                return self._stop(Fault(text, kind="memory"))
            self._asked_bytes = needed.end
            pages = (needed.end - len(window.view) + _PAGE - 1) // _PAGE
            # Safety: cells lie in a window's first page, which it always has.
            _CELL.pack_into(window.view, _NEED, pages)
            return 0
        except Exception as error:
            self.fail(error)
            text = f"{answer.function} answered {type(answer.value).__name__}: {error}"
            return self._stop(Fault(text, kind="trap"))
        # Safety: cells lie in a window's first page, which it always has.
        _CELL.pack_into(window.view, _TOP, self._next)
        self._answer = None
        return 0

    def _allocate(self, size: int, alignment: int) -> int:
        at = (self._next + alignment - 1) & -alignment
        self._next = at + size
        if self._next > len(self.window.view):
            raise NeedsRoomError(self._next)
        return at

    def _stop(self, error: BaseException) -> int:
        self.cut = error
        return _ffi.error(f"host: {error}")


class Dispatcher:
    """
    Find the instance that a callback is for, by its store.
    """

    def __init__(self) -> None:
        self._live: dict[int, Imports] = {}
        self.callback = _ffi.HostFunction(self._on_call)
        self.integers_callback = _ffi.HostFunction(self._on_integers)

    @property
    def count(self) -> int:
        """
        How many instances may call.
        """
        return len(self._live)

    def add(self, context: int, imports: Imports) -> None:
        """
        Serve the store at *context* with *imports*.
        """
        self._live[context] = imports

    def remove(self, context: int) -> None:
        """
        Forget a store.
        """
        self._live.pop(context, None)

    def _on_call(self, number: int | None, context: int, *_: object) -> int:
        try:
            return self._live[context].serve(number or 0)
        except BaseException as error:  # a callback from C: nothing may escape
            return _ffi.error(f"host: {error!r}")

    def _on_integers(
        self,
        number: int | None,
        context: int,
        _type: int,
        arguments: int,
        count: int,
        result: int,
        _results: int,
    ) -> int:
        try:
            integers = _ffi.integers_at(arguments, count)
            return self._live[context].serve_integers(number or 0, integers, result)
        except BaseException as error:  # a callback from C: nothing may escape
            return _ffi.error(f"host: {error!r}")
