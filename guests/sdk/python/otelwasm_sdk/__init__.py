"""
Write plugins for OpenTelemetry pipelines in Python; see `processor` for where to begin.
"""

from otelwasm_sdk import log, meter
from otelwasm_sdk.attributes import Attributes
from otelwasm_sdk.batch import Batch
from otelwasm_sdk.definition import exporter, processor, receiver
from otelwasm_sdk.failures import Failure, Malformed, Permanent, Retryable
from otelwasm_sdk.items import Item, Resource, Scope
from otelwasm_sdk.logs import LogRecord, Logs
from otelwasm_sdk.messages import Message, Receipt, Reply
from otelwasm_sdk.metrics import DataPoint, Metric, Metrics
from otelwasm_sdk.pipeline import emit
from otelwasm_sdk.profiles import Profile, Profiles
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.traces import Event, Link, Span, Traces
from otelwasm_sdk.values import hashed, key_values

__all__ = [
    "Attributes",
    "Batch",
    "DataPoint",
    "Event",
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
    "Traces",
    "emit",
    "exporter",
    "hashed",
    "key_values",
    "log",
    "meter",
    "processor",
    "receiver",
]
