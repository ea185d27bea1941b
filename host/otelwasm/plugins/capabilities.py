"""
Answer what a plugin asks of the host: emit a batch, write to the log, count, and what else it may.

Everything here is called on a worker's thread, from inside a guest's call. A capability that was
not granted answers with its own error value, so that the plugin can go on without it.
"""

from collections.abc import Callable
from typing import Literal

import structlog

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.plugins._generated.http import Error as HttpError
from otelwasm.plugins._generated.http import ErrorRefused, Request, Response
from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.types import (
    Attributes,
    Failure,
    FailurePermanent,
    FailureRetryable,
    Retry,
)
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal

__all__ = ["Capabilities", "Emit", "Log", "Meter", "failure_error", "failure_of"]

Emit = Callable[[Signal, bytes], None]
Log = Callable[[str, str, Attributes], None]
Meter = Callable[[Literal["add", "observe"], str, float, Attributes], None]

_LOG_METHODS = ("debug", "info", "warning", "error")


class Capabilities:
    """
    The host's side of every world, for one plugin.
    """

    def __init__(
        self, plugin: str, *, emit: Emit | None, log: Log | None, meter: Meter | None
    ) -> None:
        self.pipeline = _Pipeline(plugin, emit)
        self.log = _Log(plugin, log)
        self.meter = _Meter(meter)
        self.state = _NoState(plugin)
        self.http = _NoHttp(plugin)


class _Pipeline:
    def __init__(self, plugin: str, emit: Emit | None) -> None:
        self._plugin = plugin
        self._emit = emit

    def emit(self, signal: Signal, payload: bytes) -> Ok[None] | Err[Failure]:
        if self._emit is None:
            return Err(FailurePermanent(f"nobody takes what plugin '{self._plugin}' emits"))
        try:
            self._emit(signal, payload)
        except BatchError as error:
            return Err(failure_of(error))
        return Ok(None)


class _Log:
    def __init__(self, plugin: str, log: Log | None) -> None:
        self._plugin = plugin
        self._log = log

    def write(self, level: Level, message: str, attributes: Attributes) -> None:
        if self._log is not None:
            self._log(level.name.lower(), message, attributes)
            return
        logger = structlog.get_logger("otelwasm").bind(plugin=self._plugin)
        getattr(logger, _LOG_METHODS[level])(message, **{f"guest.{k}": v for k, v in attributes})

    def output(self, stream: str, written: bytes) -> None:
        """
        Log what a guest wrote to its standard output or error, a line each.
        """
        level = Level.WARN if stream == "stderr" else Level.INFO
        for line in written.decode("utf-8", "replace").splitlines():
            self.write(level, line, (("stream", stream),))


class _Meter:
    def __init__(self, meter: Meter | None) -> None:
        self._meter = meter

    def add(self, name: str, amount: float, attributes: Attributes) -> None:
        if self._meter is not None:
            self._meter("add", name, amount, attributes)

    def observe(self, name: str, value: float, attributes: Attributes) -> None:
        if self._meter is not None:
            self._meter("observe", name, value, attributes)


class _NoState:
    def __init__(self, plugin: str) -> None:
        self._refusal = Err(f"`state` is not granted to plugin '{plugin}'")

    def get(self, key: str) -> Ok[bytes | None] | Err[str]:
        return self._refusal

    def set(self, key: str, value: bytes) -> Ok[None] | Err[str]:
        return self._refusal

    def delete(self, key: str) -> Ok[None] | Err[str]:
        return self._refusal


class _NoHttp:
    def __init__(self, plugin: str) -> None:
        self._refusal = Err(ErrorRefused(f"`http` is not granted to plugin '{plugin}'"))

    def send(self, request: Request) -> Ok[Response] | Err[HttpError]:
        return self._refusal


def failure_of(error: BatchError) -> Failure:
    """
    What a plugin is told when the host does not take its batch.
    """
    if isinstance(error, RetryableError):
        after_ms = None if error.after_s is None else round(error.after_s * 1000)
        return FailureRetryable(Retry(str(error), after_ms))
    return FailurePermanent(str(error))


def failure_error(failure: Failure, *, plugin: str) -> BatchError:
    """
    What the host raises when a plugin does not take a batch.
    """
    if isinstance(failure, FailurePermanent):
        return PermanentError(f"plugin '{plugin}': {failure.value}")
    after_ms = failure.value.after_ms
    return RetryableError(
        f"plugin '{plugin}': {failure.value.reason}",
        after_s=None if after_ms is None else after_ms / 1000,
    )
