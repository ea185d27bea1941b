"""
Take the batches of one receiver for one signal into every pipeline that lists it.
"""

import asyncio

from otelwasm.errors import BatchError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import Step, consumer_of
from otelwasm.telemetry import Telemetry

__all__ = ["Intake"]


class Intake:
    """
    The consumer that a receiver gets; it counts what was accepted and what was refused.
    """

    def __init__(self, component: str, step: Step, *, telemetry: Telemetry) -> None:
        self._component = component
        self._way = _Way(step)
        self._telemetry = telemetry

    async def consume(self, batch: Batch) -> None:
        """
        Return once every pipeline accepted *batch*; raise BatchError if one did not.
        """
        if not batch.payload:
            # An empty request is valid, and done.
            return
        way = self._way
        way.under_way += 1
        try:
            await way.consumer.consume(batch)
        except BatchError:
            self._telemetry.count("refused", self._component, batch)
            raise
        finally:
            way.under_way -= 1
            if not way.under_way and way.is_left is not None:
                way.is_left.set()
        self._telemetry.count("accepted", self._component, batch)

    def lead_to(self, step: Step) -> asyncio.Event:
        """
        Take batches to *step* from now on; the event is set once all before are where they go.
        """
        way, self._way = self._way, _Way(step)
        way.is_left = left = asyncio.Event()
        if not way.under_way:
            left.set()
        return left


class _Way:
    """
    Where batches go, and how many are on their way there.
    """

    def __init__(self, step: Step) -> None:
        self.consumer = consumer_of(step)
        self.under_way = 0
        self.is_left: asyncio.Event | None = None
