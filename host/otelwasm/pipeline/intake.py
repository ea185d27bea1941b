"""
Take the batches of one receiver for one signal into every pipeline that lists it.
"""

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
        self._consumer = consumer_of(step)
        self._telemetry = telemetry

    async def consume(self, batch: Batch) -> None:
        """
        Return once every pipeline accepted *batch*; raise BatchError if one did not.
        """
        if not batch.payload:
            # An empty request is valid, and done.
            return
        try:
            await self._consumer.consume(batch)
        except BatchError:
            self._telemetry.count("refused", self._component, batch)
            raise
        self._telemetry.count("accepted", self._component, batch)
