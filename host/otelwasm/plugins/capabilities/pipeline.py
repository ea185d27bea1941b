"""
Hand what a plugin emits to the next step of its pipeline.
"""

from collections.abc import Callable

from otelwasm.errors import BatchError
from otelwasm.plugins._generated.types import Failure, FailurePermanent
from otelwasm.plugins.capabilities.failures import failure_of
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal

__all__ = ["Emit", "PluginPipeline"]

Emit = Callable[[Signal, bytes], None]


class PluginPipeline:
    """
    Calls *emit*, which raises PermanentError or RetryableError when nobody takes the batch.
    """

    def __init__(self, plugin: str, emit: Emit | None) -> None:
        self._plugin = plugin
        self._emit = emit

    def emit(self, signal: Signal, payload: bytes) -> Ok[None] | Err[Failure]:
        """
        Hand a batch on; returns once it is accepted.
        """
        if self._emit is None:
            return Err(FailurePermanent(f"nobody takes what plugin '{self._plugin}' emits"))
        try:
            self._emit(signal, payload)
        except BatchError as error:
            return Err(failure_of(error))
        return Ok(None)
