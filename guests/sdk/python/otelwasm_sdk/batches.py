"""
Batches of traces, metrics and logs.
"""

from collections.abc import Sequence
from typing import ClassVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.views import DataPoint, Event, Exemplar, Link, LogRecord, Metric, Span

__all__ = ["Logs", "Metrics", "Traces"]


class Traces(Batch[Span]):
    """
    Spans, in the order in which they came.
    """

    signal: ClassVar[Signal] = Signal.TRACES
    _request: ClassVar[type[Message]] = ExportTraceServiceRequest
    _way: ClassVar[tuple[str, str, str]] = ("resource_spans", "scope_spans", "spans")

    __slots__ = ()

    def spans(self) -> Sequence[Span]:
        """
        All spans.
        """
        return self.items()

    def events(self) -> Sequence[Event]:
        """
        The events of all spans.
        """
        return self._views("events")

    def links(self) -> Sequence[Link]:
        """
        The links of all spans.
        """
        return self._views("links")


class Metrics(Batch[DataPoint]):
    """
    Metrics with their data points, in the order in which they came.
    """

    signal: ClassVar[Signal] = Signal.METRICS
    _request: ClassVar[type[Message]] = ExportMetricsServiceRequest
    _way: ClassVar[tuple[str, str, str]] = ("resource_metrics", "scope_metrics", "metrics")

    __slots__ = ()

    def metrics(self) -> Sequence[Metric]:
        """
        All metrics.
        """
        return self._views("metrics")

    def data_points(self) -> Sequence[DataPoint]:
        """
        The data points of all metrics.
        """
        return self.items()

    def exemplars(self) -> Sequence[Exemplar]:
        """
        The exemplars of all data points.
        """
        return self._views("exemplars")


class Logs(Batch[LogRecord]):
    """
    Log records, in the order in which they came.
    """

    signal: ClassVar[Signal] = Signal.LOGS
    _request: ClassVar[type[Message]] = ExportLogsServiceRequest
    _way: ClassVar[tuple[str, str, str]] = ("resource_logs", "scope_logs", "log_records")

    __slots__ = ()

    def log_records(self) -> Sequence[LogRecord]:
        """
        All log records.
        """
        return self.items()
