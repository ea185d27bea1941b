"""
Test a plugin as the plain Python that it is, without building a component.

    from otelwasm.testing import a_span, run
    from redact import redact

    def test_user_ids_are_hashed() -> None:
        traces = run(redact, a_span(attributes={"enduser.id": "ada"}))

        [span] = traces.spans()
        assert span.attributes["enduser.id"] == hashed("ada")

`run` is for one batch. A `Trial` goes through a plugin's life, and keeps what it emitted, logged
and measured on the way.
"""

import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, cast

import attrs
from google.protobuf.message import Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otelwasm_sdk import Batch, Logs, Metrics, Traces
from otelwasm_sdk.definition import define
from otelwasm_sdk.host import Level, Pairs
from otelwasm_sdk.runner import DROP, PASS, Runner
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.signature import BATCHES
from otelwasm_sdk.values import key_values, write_value

__all__ = [
    "LogLine",
    "Measurement",
    "Trial",
    "a_log_record",
    "a_metric",
    "a_span",
    "logs",
    "metrics",
    "run",
    "traces",
]

_EPOCH_NS = 1_700_000_000 * 10**9


@attrs.frozen
class LogLine:
    """
    What a plugin wrote to the log.
    """

    level: Level
    message: str
    attributes: dict[str, str]


@attrs.frozen
class Measurement:
    """
    What a plugin added to a counter, or observed.
    """

    name: str
    value: float
    attributes: dict[str, str]


class Trial:
    """
    One plugin in the hands of a test.

    *config* is what a pipeline's configuration would hold, or an object of the plugin's own
    configuration class. `refuse_with` makes the next emits fail, as a full queue would.
    """

    def __init__(self, plugin: Callable[..., Any], *, config: object = None) -> None:
        self.emitted: list[Batch[Any]] = []
        self.logged: list[LogLine] = []
        self.added: list[Measurement] = []
        self.observed: list[Measurement] = []
        self.refuse_with: Exception | None = None
        self._runner = Runner(define(plugin), "", _Recorder(self))
        is_plain = config is None or isinstance(config, Mapping)
        self._runner.start(json.dumps(config or {}) if is_plain else config)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.stop()

    def process(self, batch: Batch[Any] | Message) -> Batch[Any] | None:
        """
        Let the plugin process a batch, or one item alone; return what it sends on.

        What the plugin raises comes through as it is.
        """
        came = _batch_of(batch)
        payload = bytes(came)
        outcome = self._runner.process(came.signal, payload)
        if outcome.kind == DROP:
            return None
        return type(came)(payload if outcome.kind == PASS else outcome.data)

    def tick(self) -> None:
        """
        Let the plugin do what is due.
        """
        self._runner.tick()

    def stop(self) -> None:
        """
        Let the plugin finish.
        """
        self._runner.stop()


class _Recorder:
    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def emit(self, signal: Signal, payload: bytes) -> None:
        if self._trial.refuse_with is not None:
            raise self._trial.refuse_with
        self._trial.emitted.append(BATCHES[signal](payload))

    def log(self, level: Level, message: str, attributes: Pairs) -> None:
        self._trial.logged.append(LogLine(level, message, dict(attributes)))

    def add(self, name: str, amount: float, attributes: Pairs) -> None:
        self._trial.added.append(Measurement(name, amount, dict(attributes)))

    def observe(self, name: str, value: float, attributes: Pairs) -> None:
        self._trial.observed.append(Measurement(name, value, dict(attributes)))


def run(plugin: Callable[..., Any], batch: Batch[Any] | Message, *, config: object = None) -> Any:
    """
    Let *plugin* process one batch, or one item alone; return what it sends on, None for nothing.
    """
    return Trial(plugin, config=config).process(batch)


def a_span(
    name: str = "GET /",
    *,
    attributes: Mapping[str, object] = {},
    trace_id: str = "5b8efff798038103d269b633813fc60c",
    span_id: str = "eee19b7ec3c1b174",
    parent_span_id: str = "",
    kind: str = "internal",
    duration_s: float = 0.1,
    is_error: bool = False,
) -> Span:
    """
    Make a span.
    """
    return Span(
        name=name,
        attributes=key_values(attributes),
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        parent_span_id=bytes.fromhex(parent_span_id),
        kind=Span.SpanKind.Value(f"SPAN_KIND_{kind.upper()}"),
        start_time_unix_nano=_EPOCH_NS,
        end_time_unix_nano=_EPOCH_NS + round(duration_s * 10**9),
        status=Status(code=Status.STATUS_CODE_ERROR) if is_error else None,
    )


def a_log_record(
    body: object = "hello",
    *,
    attributes: Mapping[str, object] = {},
    severity_number: int = 9,
    severity_text: str = "",
) -> LogRecord:
    """
    Make a log record.
    """
    record = LogRecord(
        attributes=key_values(attributes),
        severity_text=severity_text,
        time_unix_nano=_EPOCH_NS,
        observed_time_unix_nano=_EPOCH_NS,
    )
    record.severity_number = cast("SeverityNumber.ValueType", severity_number)
    write_value(record.body, body)
    return record


def a_metric(
    name: str = "requests", *, value: float = 1, attributes: Mapping[str, object] = {}
) -> Metric:
    """
    Make a gauge with one data point.
    """
    metric = Metric(name=name)
    point = metric.gauge.data_points.add(
        time_unix_nano=_EPOCH_NS, attributes=key_values(attributes)
    )
    if isinstance(value, int):
        point.as_int = value
    else:
        point.as_double = value
    return metric


def traces(*spans: Span, resource: Mapping[str, object] = {}, scope: str = "test") -> Traces:
    """
    Make a batch of spans.
    """
    batch = Traces()
    group = batch.proto.resource_spans.add()
    group.resource.attributes.extend(key_values(resource))
    group.scope_spans.add(scope={"name": scope}, spans=spans)
    return Traces(bytes(batch))


def logs(*records: LogRecord, resource: Mapping[str, object] = {}, scope: str = "test") -> Logs:
    """
    Make a batch of log records.
    """
    batch = Logs()
    group = batch.proto.resource_logs.add()
    group.resource.attributes.extend(key_values(resource))
    group.scope_logs.add(scope={"name": scope}, log_records=records)
    return Logs(bytes(batch))


def metrics(*members: Metric, resource: Mapping[str, object] = {}, scope: str = "test") -> Metrics:
    """
    Make a batch of metrics.
    """
    batch = Metrics()
    group = batch.proto.resource_metrics.add()
    group.resource.attributes.extend(key_values(resource))
    group.scope_metrics.add(scope={"name": scope}, metrics=members)
    return Metrics(bytes(batch))


def _batch_of(batch: Batch[Any] | Message) -> Batch[Any]:
    if isinstance(batch, Batch):
        return batch
    if isinstance(batch, Span):
        return traces(batch)
    if isinstance(batch, LogRecord):
        return logs(batch)
    if isinstance(batch, Metric):
        return metrics(batch)
    raise TypeError(f"give a batch, a span, a log record or a metric, not a {type(batch).__name__}")
