"""
A fan-out gives a batch to all of its steps or to none.
"""

import pytest

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.fanout import Fanout, fan_out
from otelwasm.pipeline.step import Admission, StepConsumer
from pipeline.fakes import a_batch, in_a_loop


class Recorder:
    """
    A step that notes what happens to it, or refuses.
    """

    def __init__(self, refusal: Exception | None = None, *, partial: str | None = None) -> None:
        self.notes: list[str] = []
        self._refusal = refusal
        self._partial = PermanentError(partial) if partial is not None else None

    async def admit(self, batch: Batch) -> Admission:
        """
        Admit, or raise.
        """
        self.notes.append("asked")
        if self._refusal is not None:
            raise self._refusal
        return Admission(
            lambda: self.notes.append("committed"),
            lambda: self.notes.append("cancelled"),
            self._partial,
        )


@in_a_loop
async def test_all_take_the_batch_together() -> None:
    """
    Nothing is committed before all steps have admitted the batch.
    """
    steps = [Recorder(), Recorder()]
    admission = await Fanout(steps).admit(a_batch())
    asked = [list(step.notes) for step in steps]
    admission.commit()

    assert asked == [["asked"], ["asked"]]
    assert [step.notes for step in steps] == [["asked", "committed"]] * 2


@in_a_loop
async def test_one_that_wants_a_retry_keeps_it_from_all() -> None:
    """
    A retryable refusal cancels what was admitted: the sender's retry makes no duplicates.
    """
    steps = [Recorder(), Recorder(RetryableError("full", after_s=3)), Recorder()]

    with pytest.raises(RetryableError, match="full") as caught:
        await StepConsumer(Fanout(steps)).consume(a_batch())

    assert caught.value.after_s == 3
    assert [step.notes for step in steps] == [["asked", "cancelled"], ["asked"], []]


@in_a_loop
async def test_one_that_refuses_for_good_does_not_harm_the_others() -> None:
    """
    The others take the batch, and the sender hears of the refusal.
    """
    steps = [Recorder(PermanentError("trap")), Recorder()]

    with pytest.raises(PermanentError, match="trap"):
        await StepConsumer(Fanout(steps)).consume(a_batch())

    assert steps[1].notes == ["asked", "committed"]


@in_a_loop
async def test_later_wins_over_never() -> None:
    """
    With both refusals the sender tries again: then only the permanent one is left.
    """
    steps = [Recorder(PermanentError("trap")), Recorder(), Recorder(RetryableError("full"))]

    with pytest.raises(RetryableError, match="full"):
        await StepConsumer(Fanout(steps)).consume(a_batch())

    assert steps[1].notes == ["asked", "cancelled"]


@in_a_loop
async def test_all_refusals_are_told() -> None:
    """
    When nobody takes the batch, the sender hears every reason.
    """
    steps = [Recorder(PermanentError("one")), Recorder(PermanentError("two"))]

    with pytest.raises(PermanentError, match=r"^one; two$"):
        await Fanout(steps).admit(a_batch())


@in_a_loop
async def test_a_refusal_far_behind_reaches_the_sender() -> None:
    """
    A fan-out of fan-outs passes on that a part was refused, after the rest took the batch.
    """
    inner = Fanout([Recorder(partial="deep"), Recorder()])
    last = Recorder()

    with pytest.raises(PermanentError, match="deep"):
        await StepConsumer(Fanout([inner, last])).consume(a_batch())

    assert last.notes == ["asked", "committed"]


def test_a_single_step_needs_no_fan_out() -> None:
    """
    One exporter is the next step itself.
    """
    step = Recorder()

    assert step is fan_out([step])
