"""
A coroutine that runs at once behaves as it does in a task of asyncio's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from otelwasm.http.eager import EagerCall
from unit.otlp.peers import run

Outcome = tuple[Any, BaseException | None]


async def called(
    coroutine: Coroutine[Any, Any, Any], meanwhile: Callable[[Any], None] = lambda call: None
) -> tuple[bool, Outcome]:
    """
    Run *coroutine* outside of any task; say whether it ended at once, and how.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Outcome] = loop.create_future()
    started: asyncio.Future[bool] = loop.create_future()

    def start() -> None:
        call = EagerCall(
            coroutine, lambda result, error: ended.set_result((result, error)), loop=loop
        )
        call.start()
        started.set_result(ended.done())
        meanwhile(call)

    loop.call_soon(start)
    return await started, await ended


async def at_once() -> int:
    """
    Wait for nothing.
    """
    return 1


async def later() -> int:
    """
    Wait for a turn of the loop, a task, a future that fails, and a thread.
    """
    await asyncio.sleep(0)
    await asyncio.create_task(asyncio.sleep(0))
    failing = asyncio.get_running_loop().create_future()
    failing.set_exception(KeyError("a"))
    with pytest.raises(KeyError):
        await failing
    return await asyncio.to_thread(int, "2")


def test_result_comes_within_the_call_if_it_can() -> None:
    """
    A coroutine that need not wait is done when `start` returns; another one is done later.
    """
    assert (True, (1, None)) == run(called(at_once()))
    assert (False, (2, None)) == run(called(later()))


def test_error_is_handed_on() -> None:
    """
    What the coroutine raises is its outcome.
    """

    async def fail() -> None:
        raise ValueError("no")

    _, (result, error) = run(called(fail()))

    assert result is None
    assert isinstance(error, ValueError)


def test_timeouts_and_groups_work() -> None:
    """
    `asyncio.timeout` and `asyncio.TaskGroup` find the task that they need, before any wait.
    """

    async def timeout() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "late"
        return "in time"

    async def group() -> list[int]:
        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(at_once()) for _ in range(2)]
        return [task.result() for task in made]

    async def broken_group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.Event().wait())
            raise KeyError("a")

    assert (False, ("late", None)) == run(called(timeout()))
    assert (False, ([1, 1], None)) == run(called(group()))
    _, (_, error) = run(called(broken_group()))
    assert isinstance(error, ExceptionGroup)


def test_cancelling_ends_the_wait() -> None:
    """
    A cancelled call gets CancelledError where it waits; what it does then is its own.
    """

    async def wait() -> None:
        await asyncio.Event().wait()

    async def turn() -> str:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return "cleaned up"
        return "missed"

    _, (_, error) = run(called(wait(), lambda call: call.cancel()))

    assert isinstance(error, asyncio.CancelledError)
    assert (False, ("cleaned up", None)) == run(called(turn(), lambda call: call.cancel()))


def test_waiting_for_nonsense_is_an_error() -> None:
    """
    What is no future of asyncio's cannot be waited for.
    """

    class Nonsense:
        def __await__(self) -> Any:
            yield "nonsense"

    async def wait() -> None:
        await Nonsense()

    _, (_, error) = run(called(wait()))

    assert "'nonsense' cannot be waited for here" == str(error)


def test_task_is_the_current_one() -> None:
    """
    While it runs, the call is the current task, and no longer.
    """

    async def current() -> Any:
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return first is asyncio.current_task() is not None

    _, (is_same, _) = run(called(current()))

    assert is_same
