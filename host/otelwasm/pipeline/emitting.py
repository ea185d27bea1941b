"""
Hand on what a plugin emits: from its own thread into its pipelines, and the answer back to it.
"""

import asyncio
from collections.abc import Callable

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.step import Consumer
from otelwasm.signals import Signal

__all__ = ["Emitting"]

_TIMEOUT_S = 120.0
_RETRY_S = 0.1


class Emitting:
    """
    The way out of one plugin: *consumer_for* is where a signal's batches go, if anywhere.

    *component* is what telemetry calls the plugin (`processor/wasm/redact`), *name* what messages
    do. While the plugin runs it hears what happens to its batches, and can try again or tell
    whoever waits for it. Once it is asked to stop, nobody but the host can do that.
    """

    def __init__(
        self,
        component: str,
        name: str,
        *,
        consumer_for: Callable[[Signal], Consumer | None],
        quarantine: Quarantine,
    ) -> None:
        self._component = component
        self._name = name
        self._consumer_for = consumer_for
        self._quarantine = quarantine
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_deadline: float | None = None

    def open(self) -> None:
        """
        Take batches from now on, into the running loop.
        """
        self._loop = asyncio.get_running_loop()

    def finish_by(self, deadline: float) -> None:
        """
        Try what is emitted from now on until *deadline* (the loop's time), then quarantine it.
        """
        self._stop_deadline = deadline

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Return once the next steps accepted a batch; raise BatchError if one did not.

        Runs on the plugin's thread and blocks it.
        """
        consumer = self._consumer_for(signal)
        if consumer is None:
            section, _, id_ = self._component.partition("/")
            raise PermanentError(
                f"plugin '{self._name}' emitted {signal.label}, but no {signal.label} pipeline "
                f"lists it: add {id_} to the {section}s of one"
            )
        if not payload:
            return
        if self._loop is None:
            raise RetryableError(f"plugin '{self._name}' is not running")
        handing_on = asyncio.run_coroutine_threadsafe(
            self._hand_on(Batch(signal, payload), consumer), self._loop
        )
        try:
            handing_on.result(_TIMEOUT_S)
        except TimeoutError as error:
            handing_on.cancel()
            raise RetryableError(
                f"plugin '{self._name}' emitted {signal.label}: not accepted within {_TIMEOUT_S:g}s"
            ) from error

    async def _hand_on(self, batch: Batch, consumer: Consumer) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(self._stop_deadline):
                    await consumer.consume(batch)
            except (BatchError, TimeoutError) as error:
                if self._stop_deadline is None:
                    raise
                is_late = loop.time() + _RETRY_S > self._stop_deadline
                if isinstance(error, PermanentError) or is_late:
                    reason = str(error) or "not accepted before the shutdown timeout"
                    self._quarantine.keep(batch, self._component, reason=reason)
                    return
                await asyncio.sleep(_RETRY_S)
            else:
                return
