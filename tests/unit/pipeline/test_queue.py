"""
A queue holds so many bytes and not one more, and says so at once.
"""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.queue import PER_BATCH_BYTES, BatchQueue, ByteBudget
from otelwasm.signals import Signal
from pipeline.fakes import in_a_loop


def of_size(size: int) -> Batch:
    """
    A batch that counts *size* bytes in a queue.
    """
    return Batch(Signal.TRACES, bytes(size - PER_BATCH_BYTES))


def test_a_full_budget_refuses_at_once() -> None:
    """
    What does not fit now is retryable, and the message has all figures.
    """
    budget = ByteBudget("exporter/otlp", limit_bytes=2048)
    budget.take(of_size(1536).size)

    with pytest.raises(RetryableError) as caught:
        budget.take(of_size(1024).size)

    assert (
        str(caught.value)
        == "exporter/otlp: 1.5 KiB wait already, 1 KiB more do not fit; the limit is 2 KiB"
    )


def test_what_never_fits_is_refused_for_good() -> None:
    """
    A batch larger than the whole limit is a permanent failure: no retry would help.
    """
    budget = ByteBudget("exporter/otlp", limit_bytes=1024)

    with pytest.raises(PermanentError, match="a batch of 2 KiB can never fit; the limit is 1 KiB"):
        budget.take(of_size(2048).size)


@in_a_loop
async def test_a_batch_counts_until_it_is_done() -> None:
    """
    Taking a batch out for delivery does not make room; being done with it does.
    """
    queue = BatchQueue("queue", limit_bytes=1024)
    batch = of_size(1024)
    queue.budget.take(batch.size)
    queue.put(batch)
    taken = await queue.get()
    with pytest.raises(RetryableError):
        queue.budget.take(0)
    queue.done(taken)
    queue.budget.take(batch.size)

    assert queue.budget.used_bytes == 1024


@in_a_loop
async def test_batches_leave_in_the_order_they_came() -> None:
    """
    A queue is first in, first out.
    """
    queue = BatchQueue("queue", limit_bytes=1 << 20)
    batches = [of_size(300 + number) for number in range(5)]
    for batch in batches:
        queue.put(batch)

    assert batches == [await queue.get() for _ in batches]


@given(st.lists(st.integers(0, 4000), max_size=60))
def test_a_budget_never_exceeds_its_limit(sizes: list[int]) -> None:
    """
    Whatever comes in any order, what is held stays within the limit, and all comes back.
    """
    budget = ByteBudget("budget", limit_bytes=10_000)
    held: list[int] = []
    for size in sizes:
        try:
            budget.take(size)
            held.append(size)
        except RetryableError:
            budget.give_back(held.pop(0))

        assert budget.used_bytes == sum(held) + PER_BATCH_BYTES * len(held)
        assert budget.used_bytes <= budget.limit_bytes


@in_a_loop
async def test_those_who_wait_for_room_get_it_in_turn() -> None:
    """
    Room that is given back goes to who asked first, even if less would do for the next.
    """
    budget = ByteBudget("plugin 'x'", limit_bytes=2048)
    budget.take(of_size(2048).size)
    order: list[int] = []

    async def ask(size: int) -> None:
        await budget.take_in_turn(of_size(size).size)
        order.append(size)

    async with asyncio.TaskGroup() as tasks:
        for size in (2048, 512):
            tasks.create_task(ask(size))
        await asyncio.sleep(0)
        budget.give_back(of_size(1024).size)
        await asyncio.sleep(0)
        waited = list(order)
        budget.give_back(of_size(1024).size)
        while not order:
            await asyncio.sleep(0)
        budget.give_back(of_size(2048).size)

    assert [] == waited
    assert [2048, 512] == order
    assert 512 == budget.used_bytes


@in_a_loop
async def test_nobody_overtakes_those_who_wait_for_room() -> None:
    """
    Small ones that would fit now wait behind a large one, which would never have its turn else.
    """
    budget = ByteBudget("plugin 'x'", limit_bytes=2048)
    budget.take(of_size(1024).size)
    large = asyncio.create_task(budget.take_in_turn(of_size(2048).size))
    await asyncio.sleep(0)
    small = asyncio.create_task(budget.take_in_turn(of_size(512).size))
    await asyncio.sleep(0)
    had_room = small.done()
    budget.give_back(of_size(1024).size)
    await large
    budget.give_back(of_size(2048).size)
    await small

    assert not had_room


@in_a_loop
async def test_who_no_longer_waits_for_room_holds_nobody_up() -> None:
    """
    Cancelled while it waits, or just when it gets its room, an asker leaves nothing behind.
    """
    budget = ByteBudget("plugin 'x'", limit_bytes=2048)
    budget.take(of_size(1024).size)
    first = asyncio.create_task(budget.take_in_turn(of_size(2048).size))
    second = asyncio.create_task(budget.take_in_turn(of_size(1024).size))
    third = asyncio.create_task(budget.take_in_turn(of_size(1536).size))
    await asyncio.sleep(0)
    first.cancel()
    await second
    budget.give_back(of_size(1024).size)
    budget.give_back(of_size(1024).size)
    third.cancel()
    await asyncio.gather(first, third, return_exceptions=True)

    assert 0 == budget.used_bytes


@in_a_loop
async def test_nobody_waits_for_room_that_never_comes() -> None:
    """
    What exceeds the whole limit is refused for good, also behind others.
    """
    budget = ByteBudget("plugin 'x'", limit_bytes=1024)
    budget.take(of_size(1024).size)
    waiting = asyncio.create_task(budget.take_in_turn(of_size(512).size))
    await asyncio.sleep(0)

    with pytest.raises(PermanentError, match="can never fit"):
        await budget.take_in_turn(of_size(2048).size)
    budget.give_back(of_size(1024).size)
    await waiting
