"""
Waits of one length end in time, each for itself, as with `asyncio.timeout`.
"""

import asyncio

import pytest

from otelwasm.pipeline.patience import Patience
from unit.otlp.peers import run


def test_waits_that_take_too_long_end() -> None:
    """
    Of several waits those that are not over in time raise TimeoutError; the others go on.
    """

    async def scenario() -> list[str]:
        patience = Patience(0.05)
        never = asyncio.get_running_loop().create_future()

        async def wait(what: "asyncio.Future[None]") -> str:
            try:
                with patience.wait():
                    await asyncio.shield(what)
            except TimeoutError:
                return "late"
            return "in time"

        soon = asyncio.get_running_loop().create_future()
        waits = [asyncio.create_task(wait(what)) for what in (never, soon, never)]
        await asyncio.sleep(0)
        soon.set_result(None)
        first = await asyncio.gather(*waits)
        return [*first, await wait(never), await wait(soon)]

    assert ["late", "in time", "late", "late", "in time"] == run(scenario())


def test_cancelling_a_wait_is_no_timeout() -> None:
    """
    Who is cancelled by somebody else hears that, and not of a timeout.
    """

    async def scenario() -> None:
        patience = Patience(10)

        async def wait() -> None:
            with patience.wait():
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario())


def test_errors_pass() -> None:
    """
    What goes wrong within a wait is raised as it is.
    """

    async def scenario() -> None:
        with Patience(1).wait():
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(scenario())
