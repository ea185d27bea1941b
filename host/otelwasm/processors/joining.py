"""
Give each batch its turn with a plugin; those that wait meanwhile go together, in one call.

    senders ──► line (one signal, one next step) ──► turn: call, then the next step ──► answers

A call and what follows it cost the same for one span as for a hundred, so under load small batches
are joined, as databases join the commits of transactions. Nobody waits for it: a batch whose plugin
is idle goes in this turn of the event loop, with those that came in the same one. Each sender has
its own answer; when a joined call fails, or what becomes of it is refused for good further on, its
batches are tried once more, one by one, so that a bad one spoils no other. (The plugin sees those
batches twice: what it counted stays.)
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

import attrs

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.otlp import wire
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.pipeline.step import Step, consumer_of

__all__ = ["Line", "Turn", "Turns"]


class Turns:
    """
    Lets so many calls of a plugin run at once and forms lines before it.

    *call* processes one batch. Batches are joined up to *limit_bytes*; 0 joins none. The *budget*
    bounds what waits or is processed, *patience_s* for how long a batch waits.
    """

    def __init__(
        self,
        call: Callable[[Batch], Awaitable[Batch | None]],
        *,
        at_once: int,
        limit_bytes: int,
        patience_s: float,
        budget: ByteBudget,
    ) -> None:
        self.call = call
        self.limit_bytes = limit_bytes
        self.budget = budget
        self._patience_s = patience_s
        self._free = at_once
        self._lines: deque[Line] = deque()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """
        Whether a batch could be processed without waiting, and without overtaking another.
        """
        return self._free > 0 and not self._lines

    def begin(self, batches: Sequence[Batch]) -> "Turn":
        """
        Take the turn for *batches*.
        """
        self._free -= 1
        return Turn(self, batches)

    def end(self) -> None:
        """
        Let the next in line have its turn.
        """
        self._free += 1
        self._call_next()

    def line_up(self, line: "Line") -> None:
        """
        Let *line*, in which nobody waited, have turns.
        """
        self._lines.append(line)
        self._call_next()

    def serve(self, line: "Line", group: "Sequence[_Waiting]", turn: "Turn") -> None:
        """
        Process *group* whoever leaves meanwhile: in a task that is none of the senders'.
        """
        task = asyncio.create_task(line.serve(group, turn))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _call_next(self) -> None:
        while self._free and self._lines:
            line = self._lines.popleft()
            group = line.take(asyncio.get_running_loop().time() - self._patience_s)
            if line.has_waiting:
                self._lines.append(line)
            if group:
                self.serve(line, group, self.begin([waiting.batch for waiting in group]))


class Turn:
    """
    The time that a plugin spends on some batches; ending it twice is safe.
    """

    def __init__(self, turns: Turns, batches: Sequence[Batch]) -> None:
        self._turns: Turns | None = turns
        self._batches = [*batches]

    def take_along(self, batches: Iterable[Batch]) -> None:
        """
        Spend the turn on *batches*, too.
        """
        self._batches.extend(batches)

    def end(self) -> None:
        """
        Free the room of the batches, and let the next in line have its turn.
        """
        turns, self._turns = self._turns, None
        if turns is not None:
            for batch in self._batches:
                turns.budget.give_back(batch.size)
            turns.end()


@attrs.frozen(eq=False)
class _Waiting:
    batch: Batch
    answer: "asyncio.Future[None]"
    since_s: float


class Line:
    """
    Batches of one signal that go on to one next step.
    """

    def __init__(self, turns: Turns, then: Step) -> None:
        self._turns = turns
        self._then = then
        self._consumer = consumer_of(then)
        self._waiting: deque[_Waiting] = deque()

    @property
    def has_waiting(self) -> bool:
        """
        Whether anybody waits.
        """
        return bool(self._waiting)

    async def consume(self, batch: Batch) -> None:
        """
        Return once what became of *batch* is accepted; raise BatchError if it is not.
        """
        turns = self._turns
        turns.budget.take(batch.size)
        loop = asyncio.get_running_loop()
        if turns.is_idle:
            turn = turns.begin((batch,))
            try:
                # The others that came in this turn of the loop line up meanwhile.
                await asyncio.sleep(0)
                if not self._waiting:
                    await self._process(batch, turn)
                    return
                first = _Waiting(batch, loop.create_future(), loop.time())
                group = self.take(0.0, first)
                turn.take_along(waiting.batch for waiting in group[1:])
                turns.serve(self, group, turn)
            except BaseException:
                turn.end()
                raise
            await first.answer
            return
        waiting = _Waiting(batch, loop.create_future(), loop.time())
        self._waiting.append(waiting)
        if len(self._waiting) == 1:
            turns.line_up(self)
        await waiting.answer

    def take(self, earliest_s: float, first: _Waiting | None = None) -> list[_Waiting]:
        """
        Take *first*, or who is first in line, and as many more as may be joined with it; refuse who
        waits since before *earliest_s*, forget who is gone.
        """
        group: list[_Waiting] = [] if first is None else [first]
        joined_bytes = sum(waiting.batch.size for waiting in group)
        while self._waiting:
            waiting = self._waiting[0]
            is_gone = waiting.answer.done()
            if not is_gone and waiting.since_s >= earliest_s:
                joined_bytes += waiting.batch.size
                does_fit = joined_bytes <= self._turns.limit_bytes
                if group and not (does_fit and wire.is_mergeable(waiting.batch.signal)):
                    break
                group.append(waiting)
            else:
                self._turns.budget.give_back(waiting.batch.size)
                if not is_gone:
                    budget = self._turns.budget
                    waiting.answer.set_exception(
                        RetryableError(f"{budget.owner}: had no turn, {budget.used_bytes} B wait")
                    )
            self._waiting.popleft()
        return group

    async def serve(self, group: Sequence[_Waiting], turn: Turn) -> None:
        """
        Process what is in *group* and answer each.
        """
        try:
            if len(group) > 1 and await self._is_served_together(group, turn):
                return
            for waiting in group:
                # The last one ends the turn before its next step; the others keep it, for order.
                is_last = waiting is group[-1]
                await self._answer(waiting, turn if is_last else None)
        except BaseException as error:
            _answer_all(group, error if isinstance(error, Exception) else _interrupted())
            raise
        finally:
            turn.end()

    async def _is_served_together(self, group: Sequence[_Waiting], turn: Turn) -> bool:
        """
        Join *group* and process it; False if each has to be processed alone.
        """
        signal = group[0].batch.signal
        joined = Batch(signal, wire.merge(signal, [waiting.batch.payload for waiting in group]))
        try:
            result = await self._turns.call(joined)
        except BatchError:
            return False
        turn.end()
        if result is not None:
            try:
                admission = await self._then.admit(result)
            except RetryableError as error:
                _answer_all(group, error)
                return True
            except PermanentError:
                return False
            if admission.refusal is not None:
                admission.cancel()
                return False
            admission.commit()
        _answer_all(group)
        return True

    async def _answer(self, waiting: _Waiting, turn: Turn | None) -> None:
        try:
            await self._process(waiting.batch, turn)
        except BatchError as error:
            _answer_all([waiting], error)
        else:
            _answer_all([waiting])

    async def _process(self, batch: Batch, turn: Turn | None) -> None:
        try:
            result = await self._turns.call(batch)
        finally:
            if turn is not None:
                turn.end()
        if result is not None:
            await self._consumer.consume(result)


def _interrupted() -> RetryableError:
    return RetryableError("the pipeline was interrupted")


def _answer_all(group: Sequence[_Waiting], error: Exception | None = None) -> None:
    """
    Answer those of *group* who still wait.
    """
    for waiting in group:
        if waiting.answer.done():
            continue
        if error is None:
            waiting.answer.set_result(None)
        else:
            waiting.answer.set_exception(error)
