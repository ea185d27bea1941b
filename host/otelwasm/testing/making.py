"""
Make what a test gives to a plugin: items, batches of them, messages.
"""

from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.message import Message as ProtoMessage
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otelwasm_sdk import Batch, Logs, Message, Metrics, Traces
from otelwasm_sdk.messages import Body, Headers
from otelwasm_sdk.values import key_values, write_value

__all__ = [
    "a_log_record",
    "a_message",
    "a_metric",
    "a_span",
    "batch_of",
    "logs",
    "metrics",
    "traces",
]

_EPOCH_NS = 1_700_000_000 * 10**9


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


def a_message(
    body: Body = b"",
    *,
    method: str = "POST",
    target: str = "/",
    headers: Headers = (),
    peer: str = "127.0.0.1:50000",
) -> Message:
    """
    Make what a receiver gets over HTTP; with `method=""` and `target=""`, over tcp or udp.
    """
    return Message(body, peer=peer, method=method, target=target, headers=headers)


def batch_of(batch: Batch[Any] | ProtoMessage) -> Batch[Any]:
    """
    Return *batch*, or the batch of the one item that it is.
    """
    if isinstance(batch, Batch):
        return batch
    if isinstance(batch, Span):
        return traces(batch)
    if isinstance(batch, LogRecord):
        return logs(batch)
    if isinstance(batch, Metric):
        return metrics(batch)
    raise TypeError(f"give a batch, a span, a log record or a metric, not a {type(batch).__name__}")
