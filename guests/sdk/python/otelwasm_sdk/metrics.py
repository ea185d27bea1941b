"""
Metrics: batches of data points.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, ClassVar, TypeVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2

from otelwasm_sdk.batch import Batch, prune
from otelwasm_sdk.edits import Edits
from otelwasm_sdk.items import Item, Resource, Scope
from otelwasm_sdk.signals import Signal

__all__ = ["DataPoint", "Metric", "Metrics"]

K = TypeVar("K", bound=Hashable)


class Metric:
    """
    What data points measure: a name, a unit, a kind.
    """

    __slots__ = ("_edits", "_proto", "resource", "scope")

    def __init__(self, proto: Any, edits: Edits, *, resource: Resource, scope: Scope) -> None:
        self._proto = proto
        self._edits = edits
        self.resource = resource
        self.scope = scope

    @property
    def proto(self) -> Any:
        """
        The protobuf message itself, to read or to change.
        """
        self._edits.is_exposed = True
        return self._proto

    @property
    def name(self) -> str:
        """
        What is measured, as `http.server.request.duration`.
        """
        return str(self._proto.name)

    @name.setter
    def name(self, name: str) -> None:
        self._edits.is_changed = True
        self._proto.name = name

    @property
    def unit(self) -> str:
        """
        The unit of its values, as `s` or `By`; may be empty.
        """
        return str(self._proto.unit)

    @property
    def description(self) -> str:
        """
        What it is about, in words; may be empty.
        """
        return str(self._proto.description)

    @property
    def kind(self) -> str:
        """
        `gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`; empty if it has none.
        """
        return self._proto.WhichOneof("data") or ""

    def data_points(self) -> "Iterator[DataPoint]":
        """
        Go through its data points.
        """
        for point in _points(self._proto):
            yield DataPoint(point, self._edits, metric=self)


class DataPoint(Item):
    """
    One measured value, or the distribution of several.
    """

    __slots__ = ("metric",)

    def __init__(self, proto: Any, edits: Edits, *, metric: Metric) -> None:
        super().__init__(proto, edits, resource=metric.resource, scope=metric.scope)
        self.metric = metric

    @property
    def value(self) -> int | float | None:
        """
        The value of a gauge's or a sum's point; None where there is no single one.
        """
        if not isinstance(self._proto, metrics_pb2.NumberDataPoint):
            return None
        kind = self._proto.WhichOneof("value")
        return None if kind is None else getattr(self._proto, kind)

    @property
    def time_ns(self) -> int:
        """
        When it was measured, in nanoseconds since 1970.
        """
        return int(self._proto.time_unix_nano)

    @property
    def start_ns(self) -> int:
        """
        From when on its value counts, in nanoseconds since 1970; 0 if that is unknown.
        """
        return int(self._proto.start_time_unix_nano)


class Metrics(Batch[DataPoint]):
    """
    Metrics with their data points, in the order in which they came.
    """

    signal: ClassVar[Signal] = Signal.METRICS
    _request: ClassVar[type[Message]] = ExportMetricsServiceRequest
    _fields: ClassVar[tuple[str, str, str]] = ("resource_metrics", "scope_metrics", "metrics")

    __slots__ = ()

    def metrics(self) -> Iterator[Metric]:
        """
        Go through all metrics.
        """
        for member, resource, scope in self._members():
            yield Metric(member, self._edits, resource=resource, scope=scope)

    def data_points(self) -> Iterator[DataPoint]:
        """
        Go through the data points of all metrics.
        """
        for metric in self.metrics():
            yield from metric.data_points()

    def items(self) -> Iterator[DataPoint]:
        """
        Go through the data points of all metrics.
        """
        return self.data_points()

    def _prune(
        self,
        container: Any,
        predicate: Callable[[DataPoint], object],
        *,
        resource: Resource,
        scope: Scope,
    ) -> int:
        dropped = 0

        def is_emptied(member: Any) -> bool:
            nonlocal dropped
            metric = Metric(member, self._edits, resource=resource, scope=scope)
            points = _points(member)
            gone = prune(
                points, lambda point: bool(predicate(DataPoint(point, self._edits, metric=metric)))
            )
            dropped += gone
            return gone > 0 and not points

        prune(container, is_emptied)
        return dropped

    def _pieces(
        self, member: Any, key: Callable[[DataPoint], K], *, resource: Resource, scope: Scope
    ) -> Iterator[tuple[K, Any]]:
        metric = Metric(member, self._edits, resource=resource, scope=scope)
        pieces: dict[K, Any] = {}
        for point in _points(member):
            value = key(DataPoint(point, self._edits, metric=metric))
            if value not in pieces:
                pieces[value] = _without_points(member)
            _points(pieces[value]).append(point)
        yield from pieces.items()

    def _item_pairs(self, member: Any) -> Iterator[Any]:
        for point in _points(member):
            yield point.attributes

    def _inner_pairs(self, member: Any) -> Iterator[Any]:
        yield member.metadata
        for point in _points(member):
            for exemplar in getattr(point, "exemplars", ()):
                yield exemplar.filtered_attributes


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return () if kind is None else getattr(metric, kind).data_points


def _without_points(metric: Any) -> Any:
    shell = metrics_pb2.Metric(
        name=metric.name,
        description=metric.description,
        unit=metric.unit,
        metadata=metric.metadata,
    )
    kind = metric.WhichOneof("data")
    data = getattr(shell, kind)
    data.SetInParent()
    for field, value in getattr(metric, kind).ListFields():
        if field.name != "data_points":
            setattr(data, field.name, value)
    return shell
