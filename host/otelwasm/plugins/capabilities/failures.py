"""
Translate between the contract's `failure` and the errors of the pipeline.
"""

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.plugins._generated.types import Failure, FailurePermanent, FailureRetryable, Retry

__all__ = ["failure_error", "failure_of"]


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
