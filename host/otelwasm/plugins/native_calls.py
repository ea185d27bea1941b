"""
Load the C module that makes the host's calls of plugins in the direct form (native/).

It is compiled once, in a second or two. Where it cannot be, calls are made in Python: the results
are the same, each takes a few microseconds more, and the threads wait for each other's lock.
"""

import functools
from collections.abc import Callable
from typing import Any, Protocol, cast

from otelwasm.errors import SetupError

__all__ = ["Guest", "Inbox", "NativeCalls", "Port", "load_native_calls"]


class Guest(Protocol):
    """
    A plugin's `reserve` and `run`, to be called on one thread at a time.
    """

    @property
    def error(self) -> int:
        """
        The address of wasmtime's error after FAULTED; whoever asks owns it.
        """

    @property
    def outcome_at(self) -> int:
        """
        Where the plugin says that its outcome is, after ANSWERED.
        """

    def run(self, what: int, payload: bytes) -> bytes | int | None:
        """
        True if *payload* passed, the bytes that replace it, None if it was dropped; else UNTRIED,
        ANSWERED or FAULTED.
        """


class Port(Protocol):
    """
    The way of answers to an event loop.
    """

    def drain(self) -> None:
        """
        Tell the futures of all that came; in the loop.
        """

    def close(self) -> None:
        """
        Take no more.
        """


class Inbox(Protocol):
    """
    What waits for one worker, who makes calls in the direct form while it looks for more.
    """

    @property
    def calls(self) -> int:
        """
        How many calls were made so.
        """

    @property
    def busy_s(self) -> float:
        """
        How long they took.
        """

    def put(self, item: object) -> None:
        """
        Add what `get` shall return.
        """

    def offer(
        self,
        what: int,
        payload: bytes,
        port: Port,
        answer: object,
        call: Callable[..., Any],
        /,
    ) -> None:
        """
        Add a call; *port* tells *answer*. Where Python has to make it, `get` returns
        (a future, *call*).
        """

    def get(self) -> Any:
        """
        Make the calls that come, and return what else does.
        """

    def qsize(self) -> int:
        """
        How much has not been made here, and not been returned.
        """

    def use(self, guest: Guest | None) -> None:
        """
        Say which plugin to call; None has Python make all calls.
        """


class NativeCalls(Protocol):
    """
    The module.
    """

    UNTRIED: int
    ANSWERED: int
    FAULTED: int
    Guest: Callable[..., Guest]
    Inbox: Callable[[], Inbox]
    Port: Callable[[int, int], Port]


@functools.cache
def load_native_calls() -> NativeCalls | None:
    """
    The module, compiled first where the cache does not hold it; None where it cannot be.
    """
    # Here, as a program that finds it compiled needs no compiler.
    from otelwasm.build.extension import load_extension

    try:
        return cast(NativeCalls, load_extension(name="otelwasm_calls"))
    except (SetupError, ImportError, OSError) as error:
        import structlog  # here, as it takes long to import

        structlog.get_logger("otelwasm").info(
            "plugins are called the slower way", reason=str(error)
        )
        return None
