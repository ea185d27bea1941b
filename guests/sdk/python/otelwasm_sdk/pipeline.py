"""
Send batches on besides the one that is returned: later, of another signal, in parts.
"""

from typing import Any

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.host import current_host

__all__ = ["emit"]


def emit(batch: Batch[Any]) -> None:
    """
    Hand *batch*, of any signal, to the next step; returns once it is accepted there.

    Raises Permanent or Retryable if it is not. A plugin that lets those through passes them on
    to the sender of the batch that it handles.
    """
    if not isinstance(batch, Batch):
        raise TypeError(
            f"emit takes Traces, Metrics, Logs or Profiles, not {type(batch).__name__};"
            " raw bytes are put into one of them: Traces(payload)"
        )
    current_host().emit(batch.signal, bytes(batch))
