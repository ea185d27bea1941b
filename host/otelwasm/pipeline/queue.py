"""
Hold batches between two steps, with a limit in bytes; a full queue says so at once.
"""

import asyncio
from collections import deque

from otelwasm.config.values import ByteSize
from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch

__all__ = ["PER_BATCH_BYTES", "BatchQueue", "ByteBudget"]

# What Python keeps around a payload; without it, a flood of tiny batches would cost nothing.
PER_BATCH_BYTES = 256


class ByteBudget:
    """
    Counts the bytes of the batches that a component holds, and refuses what exceeds its limit.
    """

    def __init__(self, owner: str, *, limit_bytes: int) -> None:
        self.owner = owner
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self._is_unused = asyncio.Event()
        self._is_unused.set()
        self._asking: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take(self, size: int) -> None:
        """
        Count a batch of *size* bytes in; raise RetryableError if it does not fit now,
        PermanentError if it never will.
        """
        if self.used_bytes + size + PER_BATCH_BYTES > self.limit_bytes:
            raise self._refusal(size)
        self.force(size)

    def force(self, size: int) -> None:
        """
        Count a batch of *size* bytes in, whether it fits or not: it is here already.
        """
        self.used_bytes += size + PER_BATCH_BYTES
        self._is_unused.clear()

    async def take_in_turn(self, size: int) -> None:
        """
        Count *size* bytes in once they fit, in the order of those who wait; raise PermanentError
        if they never will.
        """
        if size + PER_BATCH_BYTES > self.limit_bytes:
            raise self._refusal(size)
        if not self._asking and self.used_bytes + size + PER_BATCH_BYTES <= self.limit_bytes:
            self.force(size)
            return
        admitted = asyncio.get_running_loop().create_future()
        self._asking.append((size, admitted))
        try:
            await admitted
        except asyncio.CancelledError:
            if admitted.cancelled():
                self._admit()
            else:
                self.give_back(size)
            raise

    def give_back(self, size: int) -> None:
        """
        Count a batch of *size* bytes out.
        """
        self.used_bytes -= size + PER_BATCH_BYTES
        if self._asking:
            self._admit()
        if self.used_bytes == 0:
            self._is_unused.set()

    def _admit(self) -> None:
        """
        Let in who asked first, as long as there is room.
        """
        while self._asking:
            size, admitted = self._asking[0]
            if admitted.cancelled():
                self._asking.popleft()
                continue
            if self.used_bytes + size + PER_BATCH_BYTES > self.limit_bytes:
                return
            self._asking.popleft()
            self.force(size)
            admitted.set_result(None)

    def _refusal(self, size: int) -> BatchError:
        limit, wanted = ByteSize(self.limit_bytes), ByteSize(size + PER_BATCH_BYTES)
        if wanted > limit:
            return PermanentError(
                f"{self.owner}: a batch of {wanted} can never fit; the limit is {limit}"
            )
        return RetryableError(
            f"{self.owner}: {ByteSize(self.used_bytes)} wait already, {wanted} more do not "
            f"fit; the limit is {limit}"
        )

    async def unused(self) -> None:
        """
        Return once nothing is held any more; the caller sets the timeout.
        """
        await self._is_unused.wait()


class BatchQueue:
    """
    Batches in order of arrival; each counts in the budget until it is done with.
    """

    def __init__(self, owner: str, *, limit_bytes: int) -> None:
        self.budget = ByteBudget(owner, limit_bytes=limit_bytes)
        self._waiting: deque[Batch] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()  # who waits for a batch

    def put(self, batch: Batch) -> None:
        """
        Add a batch that the budget has counted in.
        """
        self._waiting.append(batch)
        self._wake()

    async def get(self) -> Batch:
        """
        Wait for the next batch; whoever gets it calls `done` when it is out of memory.
        """
        while not self._waiting:
            awake = asyncio.get_running_loop().create_future()
            self._idle.append(awake)
            try:
                await awake
            except asyncio.CancelledError:
                if self._waiting and not awake.cancelled():
                    self._wake()  # somebody else, in this one's place
                raise
        return self._waiting.popleft()

    def _wake(self) -> None:
        while self._idle:
            awake = self._idle.popleft()
            if not awake.done():
                awake.set_result(None)
                return

    def done(self, batch: Batch) -> None:
        """
        Free the room of a batch that was delivered or is kept elsewhere.
        """
        self.budget.give_back(batch.size)

    def waiting(self) -> list[Batch]:
        """
        What is not in anybody's hand yet.
        """
        return list(self._waiting)

    def take_rest(self) -> list[Batch]:
        """
        Empty the queue at once, without waiting.
        """
        rest = self.waiting()
        self._waiting.clear()
        return rest
