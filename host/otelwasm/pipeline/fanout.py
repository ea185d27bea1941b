"""
Hand one batch to several next steps: all of them take it, or none does.
"""

from collections.abc import Sequence
from contextlib import ExitStack

from otelwasm.errors import PermanentError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import Admission, Step

__all__ = ["Fanout", "fan_out"]


class Fanout:
    """
    Offers a batch to several steps; the payload is shared, never copied.

    A step that may take the batch later (RetryableError) makes all of them wait: the sender tries
    again, and no queue gets the batch twice. (A plugin is asked again, too: what it emitted or
    holds back the first time stays.) A step that never will (PermanentError) must not keep it from
    the others: they take it, and the sender hears of the refusal.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)

    async def admit(self, batch: Batch) -> Admission:
        """
        Ask all steps in turn; give back what was admitted as soon as one says "later".
        """
        admissions: list[Admission] = []
        refusals: list[PermanentError] = []
        with ExitStack() as undo:
            for step in self._steps:
                try:
                    admission = await step.admit(batch)
                except PermanentError as refusal:
                    refusals.append(refusal)
                    continue
                admissions.append(admission)
                undo.callback(admission.cancel)
                if admission.refusal is not None:
                    refusals.append(admission.refusal)
            if not admissions:
                raise _joined(refusals)
            undo.pop_all()

        def commit() -> None:
            for admission in admissions:
                admission.commit()

        def cancel() -> None:
            for admission in admissions:
                admission.cancel()

        return Admission(commit, cancel, refusal=_joined(refusals) if refusals else None)


def fan_out(steps: Sequence[Step]) -> Step:
    """
    Return one step for *steps*; a single one needs no fan-out.
    """
    return steps[0] if len(steps) == 1 else Fanout(steps)


def _joined(refusals: Sequence[PermanentError]) -> PermanentError:
    if len(refusals) == 1:
        return refusals[0]
    return PermanentError("; ".join(map(str, refusals)))
