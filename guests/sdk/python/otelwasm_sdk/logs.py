"""
Logs: batches of log records.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from otelwasm_sdk.batch import Batch
from otelwasm_sdk.items import Item, Resource, Scope
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.values import read_value, write_value

__all__ = ["LogRecord", "Logs"]


class LogRecord(Item):
    """
    One log line, or one event.
    """

    __slots__ = ()

    @property
    def body(self) -> Any:
        """
        What it says: mostly a str, or what a structured log holds.
        """
        return read_value(self._proto.body)

    @body.setter
    def body(self, body: object) -> None:
        self._edits.is_changed = True
        write_value(self._proto.body, body)

    @property
    def severity_number(self) -> int:
        """
        1 to 24: from 9 on it is information, from 13 on a warning, from 17 on an error.
        """
        return int(self._proto.severity_number)

    @property
    def severity_text(self) -> str:
        """
        The severity in its source's own words; may be empty.
        """
        return str(self._proto.severity_text)

    @property
    def event_name(self) -> str:
        """
        What kind of event it is; empty for a log line.
        """
        return str(self._proto.event_name)

    @property
    def time_ns(self) -> int:
        """
        When it happened, in nanoseconds since 1970; 0 if its source did not say.
        """
        return int(self._proto.time_unix_nano)

    @property
    def observed_time_ns(self) -> int:
        """
        When it was first seen, in nanoseconds since 1970.
        """
        return int(self._proto.observed_time_unix_nano)

    @property
    def trace_id(self) -> str:
        """
        The trace during which it was written, in hexadecimal; may be empty.
        """
        return str(self._proto.trace_id.hex())

    @property
    def span_id(self) -> str:
        """
        The span during which it was written, in hexadecimal; may be empty.
        """
        return str(self._proto.span_id.hex())


class Logs(Batch[LogRecord]):
    """
    Log records, in the order in which they came.
    """

    signal: ClassVar[Signal] = Signal.LOGS
    _request: ClassVar[type[Message]] = ExportLogsServiceRequest
    _fields: ClassVar[tuple[str, str, str]] = ("resource_logs", "scope_logs", "log_records")

    __slots__ = ()

    def log_records(self) -> Iterator[LogRecord]:
        """
        Go through all log records.
        """
        return self.items()

    def _view(self, member: Any, *, resource: Resource, scope: Scope) -> LogRecord:
        return LogRecord(member, self._edits, resource=resource, scope=scope)
