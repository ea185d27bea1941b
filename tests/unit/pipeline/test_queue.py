"""
A queue holds so many bytes and not one more, and says so at once.
"""

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
