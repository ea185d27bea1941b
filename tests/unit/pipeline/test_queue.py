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


@in_a_loop
async def test_a_full_queue_refuses_at_once() -> None:
    """
    What does not fit now is retryable, and the message has all figures.
    """
    queue = BatchQueue("exporter/otlp", limit_bytes=2048)
    queue.admit(of_size(1536)).commit()

    with pytest.raises(RetryableError) as caught:
        queue.admit(of_size(1024))

    assert (
        str(caught.value)
        == "exporter/otlp: 1.5 KiB wait already, 1 KiB more do not fit; the limit is 2 KiB"
    )


@in_a_loop
async def test_what_never_fits_is_refused_for_good() -> None:
    """
    A batch larger than the whole queue is a permanent failure: no retry would help.
    """
    queue = BatchQueue("exporter/otlp", limit_bytes=1024)

    with pytest.raises(PermanentError, match="a batch of 2 KiB can never fit; the limit is 1 KiB"):
        queue.admit(of_size(2048))


@in_a_loop
async def test_a_batch_counts_until_it_is_done() -> None:
    """
    Taking a batch out for delivery does not make room; being done with it does.
    """
    queue = BatchQueue("queue", limit_bytes=1024)
    queue.admit(of_size(1024)).commit()
    batch = await queue.get()
    with pytest.raises(RetryableError):
        queue.admit(of_size(512))
    queue.done(batch)
    queue.admit(of_size(1024)).commit()

    assert queue.budget.used_bytes == 1024


@in_a_loop
async def test_a_cancelled_admission_leaves_nothing_behind() -> None:
    """
    Room that was kept and not used is free again, and nothing is in the queue.
    """
    queue = BatchQueue("queue", limit_bytes=1024)
    queue.admit(of_size(1024)).cancel()

    assert queue.budget.used_bytes == 0
    assert queue.take_rest() == []


@in_a_loop
async def test_batches_leave_in_the_order_they_came() -> None:
    """
    A queue is first in, first out.
    """
    queue = BatchQueue("queue", limit_bytes=1 << 20)
    batches = [of_size(300 + number) for number in range(5)]
    for batch in batches:
        queue.admit(batch).commit()

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
