"""
Say what every step of a pipeline offers to the one before it.

A batch is accepted in two moves, so that several next steps take it together or not at all: each
is asked to *admit* it (process it, find room for what becomes of it), and once all have, each
admission is *committed*. An admission that is not committed must be cancelled; it then leaves
nothing behind.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import attrs

from otelwasm.errors import PermanentError
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["Admission", "Consumer", "ConsumerFor", "Step", "StepConsumer", "consumer_of"]


def _nothing() -> None:
    pass


@attrs.frozen
class Admission:
    """
    Room that a step keeps for a batch; exactly one of *commit* and *cancel* is called.

    *refusal* tells that a part of what lies behind the step refused the batch for good, while the
    rest admits it.
    """

    commit: Callable[[], None] = _nothing
    cancel: Callable[[], None] = _nothing
    refusal: PermanentError | None = None


class Step(Protocol):
    """
    A processor in its pipeline, a fan-out, or an exporter's queue.
    """

    async def admit(self, batch: Batch) -> Admission:
        """
        Prepare to take *batch*; raise PermanentError or RetryableError if that cannot be.
        """


@runtime_checkable
class Consumer(Protocol):
    """
    What a receiver hands its batches to.
    """

    async def consume(self, batch: Batch) -> None:
        """
        Return once *batch* is accepted downstream; raise PermanentError or RetryableError if not.
        """


# Where a signal's batches go, if anywhere.
ConsumerFor = Callable[[Signal], Consumer | None]


@attrs.frozen
class StepConsumer:
    """
    The way into a pipeline's first step for whoever waits for one answer.
    """

    step: Step

    async def consume(self, batch: Batch) -> None:
        """
        Admit and commit; a refusal by a part is raised after the rest has taken the batch.
        """
        admission = await self.step.admit(batch)
        admission.commit()
        if admission.refusal is not None:
            raise admission.refusal


def consumer_of(step: Step) -> Consumer:
    """
    Return the way into *step* for whoever waits for one answer; some steps have a shorter one.
    """
    return step if isinstance(step, Consumer) else StepConsumer(step)
