"""
Write plugins for OpenTelemetry pipelines in Python; see `processor` for where to begin.
"""

from otelwasm_sdk import http, log, meter, state
from otelwasm_sdk.batch import Batch
from otelwasm_sdk.batches import Logs, Metrics, Traces
from otelwasm_sdk.definition import exporter, processor, receiver
from otelwasm_sdk.failures import Failure, Malformed, Permanent, Retryable
from otelwasm_sdk.messages import Message, Receipt, Reply
from otelwasm_sdk.pipeline import emit
from otelwasm_sdk.profiles import Profiles
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.texts import text_of
from otelwasm_sdk.values import hashed, key_values
from otelwasm_sdk.views import (
    DataPoint,
    Event,
    Exemplar,
    Item,
    Link,
    LogRecord,
    Metric,
    Profile,
    Resource,
    Scope,
    Span,
    Status,
)
from otelwasm_sdk.wire import at_least, below

__all__ = [
    "Batch",
    "DataPoint",
    "Event",
    "Exemplar",
    "Failure",
    "Item",
    "Link",
    "LogRecord",
    "Logs",
    "Malformed",
    "Message",
    "Metric",
    "Metrics",
    "Permanent",
    "Profile",
    "Profiles",
    "Receipt",
    "Reply",
    "Resource",
    "Retryable",
    "Scope",
    "Signal",
    "Span",
    "Status",
    "Traces",
    "at_least",
    "below",
    "emit",
    "exporter",
    "hashed",
    "http",
    "key_values",
    "log",
    "meter",
    "processor",
    "receiver",
    "state",
    "text_of",
]
