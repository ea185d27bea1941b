"""
Traces: batches of spans.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.items import Item, Part, Resource, Scope
from otelwasm_sdk.signals import Signal

__all__ = ["Event", "Link", "Span", "Traces"]

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")


class Event(Part):
    """
    Something that happened during a span.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """
        What happened, as `exception`.
        """
        return str(self._proto.name)

    @property
    def time_ns(self) -> int:
        """
        When, in nanoseconds since 1970.
        """
        return int(self._proto.time_unix_nano)


class Link(Part):
    """
    A reference from one span to another.
    """

    __slots__ = ()

    @property
    def trace_id(self) -> str:
        """
        The other span's trace, in hexadecimal.
        """
        return str(self._proto.trace_id.hex())

    @property
    def span_id(self) -> str:
        """
        The other span, in hexadecimal.
        """
        return str(self._proto.span_id.hex())


class Span(Item):
    """
    One operation within a trace.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """
        What the operation is called.
        """
        return str(self._proto.name)

    @name.setter
    def name(self, name: str) -> None:
        self._edits.is_changed = True
        self._proto.name = name

    @property
    def kind(self) -> str:
        """
        Its role: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
        """
        kind = self._proto.kind
        return _KINDS[kind] if kind < len(_KINDS) else _KINDS[0]

    @property
    def trace_id(self) -> str:
        """
        The trace that it belongs to, in hexadecimal.
        """
        return str(self._proto.trace_id.hex())

    @property
    def span_id(self) -> str:
        """
        Its own id, in hexadecimal.
        """
        return str(self._proto.span_id.hex())

    @property
    def parent_span_id(self) -> str:
        """
        The span that it was started by, in hexadecimal; empty for a root.
        """
        return str(self._proto.parent_span_id.hex())

    @property
    def start_ns(self) -> int:
        """
        When it began, in nanoseconds since 1970.
        """
        return int(self._proto.start_time_unix_nano)

    @property
    def end_ns(self) -> int:
        """
        When it ended, in nanoseconds since 1970.
        """
        return int(self._proto.end_time_unix_nano)

    @property
    def duration_s(self) -> float:
        """
        How long it took, in seconds; 0 where a sender's clock went backwards.
        """
        return max(0, self.end_ns - self.start_ns) / 1e9

    @property
    def is_error(self) -> bool:
        """
        Whether its status says that it failed.
        """
        return bool(self._proto.status.code == trace_pb2.Status.STATUS_CODE_ERROR)

    @property
    def status_message(self) -> str:
        """
        What its status says; may be empty.
        """
        return str(self._proto.status.message)

    @property
    def events(self) -> tuple[Event, ...]:
        """
        What happened during it.
        """
        return tuple(Event(event, self._edits) for event in self._proto.events)

    @property
    def links(self) -> tuple[Link, ...]:
        """
        The other spans that it refers to.
        """
        return tuple(Link(link, self._edits) for link in self._proto.links)


class Traces(Batch[Span]):
    """
    Spans, in the order in which they came.
    """

    signal: ClassVar[Signal] = Signal.TRACES
    _request: ClassVar[type[Message]] = ExportTraceServiceRequest
    _fields: ClassVar[tuple[str, str, str]] = ("resource_spans", "scope_spans", "spans")

    __slots__ = ()

    def spans(self) -> Iterator[Span]:
        """
        Go through all spans.
        """
        return self.items()

    def _view(self, member: Any, *, resource: Resource, scope: Scope) -> Span:
        return Span(member, self._edits, resource=resource, scope=scope)

    def _inner_pairs(self, member: Any) -> Iterator[Any]:
        for event in member.events:
            yield event.attributes
        for link in member.links:
            yield link.attributes
