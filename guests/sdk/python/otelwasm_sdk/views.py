"""
What plugins see of spans, log records and data points: OTLP's own fields, and a little more.

Every field of an OTLP message is there under its own name, and with its own value: `trace_id` is
bytes, `kind` a number, `status.code` one too. A message within one is another view, a list of
them a sequence. The classes here say what is there for whoever checks types, and add a little;
how fields are read from the payload's bytes, and changed in them, is the C extension's business.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, ClassVar, TypeVar

from otelwasm_sdk.wire import native

__all__ = [
    "DataPoint",
    "Event",
    "Exemplar",
    "Item",
    "Link",
    "LogRecord",
    "Metric",
    "Profile",
    "Resource",
    "Scope",
    "Span",
    "Status",
    "Views",
]

V = TypeVar("V", covariant=True)


class Views(Sequence[V]):
    """
    What is in one message: its events, its links, its data points.
    """

    __slots__ = ()

    def append(self, fields: Mapping[str, object]) -> None:
        """
        Add one, made of its fields: `span.events.append({"name": "retry", "attributes": {…}})`.
        """
        raise NotImplementedError


class Resource:
    """
    Where telemetry comes from: a service, a host.
    """

    __slots__ = ()
    attributes: MutableMapping[str, Any]


class Scope:
    """
    Which library made the telemetry.
    """

    __slots__ = ()
    name: str
    version: str
    attributes: MutableMapping[str, Any]


class Item:
    """
    What a signal counts: a span, a log record, a data point or a profile.

    A list or a dict that is read from *attributes* is a copy: change it, and set it again,
    `item.attributes["tags"] = [*item.attributes["tags"], "new"]`.
    """

    __slots__ = ()
    attributes: MutableMapping[str, Any]
    resource: Resource
    scope: Scope

    def drop(self) -> None:
        """
        Leave it out of its batch.
        """
        raise NotImplementedError


class Event:
    """
    Something that happened during a span.
    """

    __slots__ = ()
    name: str
    time_unix_nano: int
    attributes: MutableMapping[str, Any]
    span: "Span"


class Link:
    """
    A reference from one span to another.
    """

    __slots__ = ()
    trace_id: bytes
    span_id: bytes
    trace_state: str
    attributes: MutableMapping[str, Any]
    span: "Span"


class Status:
    """
    How a span ended: *code* is 0 for unset, 1 for ok, 2 for an error.
    """

    __slots__ = ()
    code: int
    message: str


class Span(Item):
    """
    One operation within a trace.
    """

    __slots__ = ()
    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes
    trace_state: str
    flags: int
    name: str
    kind: int
    start_time_unix_nano: int
    end_time_unix_nano: int
    events: Views[Event]
    links: Views[Link]
    status: Status

    _KINDS: ClassVar = ("unspecified", "internal", "server", "client", "producer", "consumer")

    @property
    def kind_name(self) -> str:
        """
        Its role: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
        """
        kind = self.kind
        return str(self._KINDS[kind if kind < len(self._KINDS) else 0])

    @property
    def duration_s(self) -> float:
        """
        How long it took, in seconds; 0 where a sender's clock went backwards.
        """
        return max(0, self.end_time_unix_nano - self.start_time_unix_nano) / 1e9

    @property
    def is_error(self) -> bool:
        """
        Whether its status says that it failed.
        """
        return self.status.code == 2


class LogRecord(Item):
    """
    One log line, or one event. Its body is a plain value, mostly a str.
    """

    __slots__ = ()
    time_unix_nano: int
    observed_time_unix_nano: int
    severity_number: int
    severity_text: str
    body: Any
    trace_id: bytes
    span_id: bytes
    event_name: str
    flags: int


class Metric:
    """
    What data points measure: a name, a unit, a kind.
    """

    __slots__ = ()
    name: str
    description: str
    unit: str
    metadata: MutableMapping[str, Any]
    resource: Resource
    scope: Scope

    _KINDS: ClassVar = ("gauge", "sum", "histogram", "exponential_histogram", "summary")

    @property
    def kind(self) -> str:
        """
        `gauge`, `sum`, `histogram`, `exponential_histogram` or `summary`; empty if it has none.
        """
        return next((kind for kind in self._KINDS if getattr(self, kind) is not None), "")

    @property
    def data_points(self) -> "Views[DataPoint] | tuple[()]":
        """
        Its data points, of whatever kind.
        """
        kind = self.kind
        points: Views[DataPoint] | tuple[()] = getattr(self, kind).data_points if kind else ()
        return points


class DataPoint(Item):
    """
    One measured value, or the distribution of several: then its fields are those of its kind.
    """

    __slots__ = ()
    metric: Metric
    start_time_unix_nano: int
    time_unix_nano: int
    flags: int

    @property
    def value(self) -> int | float | None:
        """
        The value of a gauge's or a sum's point; None where there is no single one.
        """
        as_int: int | None = getattr(self, "as_int", None)
        return getattr(self, "as_double", None) if as_int is None else as_int


class Exemplar:
    """
    One of the measurements that a data point sums up.
    """

    __slots__ = ()
    filtered_attributes: MutableMapping[str, Any]
    attributes: MutableMapping[str, Any]
    time_unix_nano: int
    trace_id: bytes
    span_id: bytes


class Profile(Item):
    """
    One profile: samples of what a program did.
    """

    __slots__ = ()
    profile_id: bytes
    time_unix_nano: int
    duration_nano: int
    samples: Views[Any]


_VIEWS: dict[str, type] = {
    "Event": Event,
    "Exemplar": Exemplar,
    "ExponentialHistogramDataPoint": DataPoint,
    "HistogramDataPoint": DataPoint,
    "InstrumentationScope": Scope,
    "Link": Link,
    "LogRecord": LogRecord,
    "Metric": Metric,
    "NumberDataPoint": DataPoint,
    "Profile": Profile,
    "Resource": Resource,
    "Span": Span,
    "Status": Status,
    "SummaryDataPoint": DataPoint,
}
for _name, _view in _VIEWS.items():
    native.extend_view(_name, _view)
Views.register(native.Views)
