"""
Hand on what a plugin emits: from its own thread into its pipelines, and the answer back to it.
"""

import asyncio
import threading

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.http.eager import EagerCall
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.step import Consumer, ConsumerFor
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
        consumer_for: ConsumerFor,
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
                f"it emitted {signal.label}, but no {signal.label} pipeline "
                f"lists it: add {id_} to the {section}s of one"
            )
        if not payload:
            return
        if self._loop is None:
            raise RetryableError(f"plugin '{self._name}' is not running")
        batch = Batch(signal, payload)
        if self._stop_deadline is None:
            handing_on = consumer.consume(batch)
        else:
            handing_on = self._hand_on(batch, consumer, deadline=self._stop_deadline)
        answer = _Answer()
        call = EagerCall(handing_on, answer.put, loop=self._loop)
        self._loop.call_soon_threadsafe(call.start)
        if not answer.wait(_TIMEOUT_S):
            self._loop.call_soon_threadsafe(call.cancel)
            raise RetryableError(
                f"plugin '{self._name}' emitted {signal.label}: not accepted within {_TIMEOUT_S:g}s"
            )
        if answer.error is not None:
            raise answer.error

    async def _hand_on(self, batch: Batch, consumer: Consumer, *, deadline: float) -> None:
        """
        Try until *deadline*; keep the batch if it is not accepted.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    await consumer.consume(batch)
                return
            except (BatchError, TimeoutError) as error:
                is_late = loop.time() + _RETRY_S > deadline
                if isinstance(error, PermanentError) or is_late:
                    reason = str(error) or "not accepted before the shutdown timeout"
                    self._quarantine.keep(batch, self._component, reason=reason)
                    return
            await asyncio.sleep(_RETRY_S)


class _Answer:
    """
    What became of one batch: put on the loop's thread, waited for on the plugin's.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._is_open = threading.Lock()
        self._is_open.acquire()

    def put(self, _: None, error: BaseException | None) -> None:
        """
        Say it, once.
        """
        self.error = error
        self._is_open.release()

    def wait(self, timeout_s: float) -> bool:
        """
        Return whether it came within *timeout_s*.
        """
        return self._is_open.acquire(timeout=timeout_s)
