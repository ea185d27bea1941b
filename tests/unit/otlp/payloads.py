"""
Make one small request of each signal that uses every kind of field OTLP has.
"""

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from otelwasm.signals import Signal

__all__ = ["NOW_NS", "SPAN_ID", "TRACE_ID", "a_payload", "a_request", "spans"]

TRACE_ID = bytes(range(0x10, 0x20))
SPAN_ID = bytes(range(0xA0, 0xA8))
NOW_NS = 1_790_000_000_000_000_000


def a_payload(signal: Signal, items: int = 1) -> bytes:
    """
    Return the bytes of a request with *items* spans, data points, records or profiles.
    """
    return a_request(signal, items).SerializeToString()


def a_request(signal: Signal, items: int = 1) -> Message:
    """
    Return a request with *items* spans, data points, records or profiles.
    """
    make = {
        Signal.TRACES: spans,
        Signal.METRICS: points,
        Signal.LOGS: records,
        Signal.PROFILES: profiles,
    }
    return make[signal](items)


def spans(count: int) -> ExportTraceServiceRequest:
    """
    Return spans with an event, a link, a status and a value of each type.
    """
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(resource=_resource(), schema_url="https://example.com/1")
    scope = group.scope_spans.add(scope=_scope())
    for number in range(count):
        span = scope.spans.add(
            trace_id=TRACE_ID,
            span_id=SPAN_ID,
            parent_span_id=SPAN_ID,
            trace_state="a=b",
            flags=257,
            name=f"span {number}",
            kind=3,
            start_time_unix_nano=NOW_NS,
            end_time_unix_nano=NOW_NS + number,
        )
        span.attributes.extend(_attributes())
        span.events.add(name="tried again", time_unix_nano=NOW_NS)
        span.links.add(trace_id=TRACE_ID, span_id=SPAN_ID)
        span.status.code = 2
        span.status.message = "no"
    return request


def points(count: int) -> ExportMetricsServiceRequest:
    """
    Return *count* data points: sums, and one of each other kind if there is room for them.
    """
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add(resource=_resource()).scope_metrics.add(scope=_scope())
    if count > 4:
        gauge = scope.metrics.add(name="temperature", unit="Cel").gauge.data_points.add()
        gauge.as_double = 21.5
        histogram = scope.metrics.add(name="latency").histogram
        histogram.aggregation_temporality = 2
        histogram.data_points.add(count=3, sum=4.5, bucket_counts=[1, 2], explicit_bounds=[1.0])
        exponential = scope.metrics.add(name="size").exponential_histogram.data_points.add()
        exponential.scale = -2
        exponential.positive.bucket_counts.extend([1, 2])
        summary = scope.metrics.add(name="old").summary.data_points.add(count=1)
        summary.quantile_values.add(quantile=0.5, value=float("inf"))
        count -= 4
    counter = scope.metrics.add(name="requests", description="How many", unit="{request}")
    counter.sum.is_monotonic = True
    counter.sum.aggregation_temporality = 1
    for number in range(count):
        point = counter.sum.data_points.add(as_int=number, time_unix_nano=NOW_NS)
        point.attributes.extend(_attributes())
        point.exemplars.add(as_int=-1, trace_id=TRACE_ID, span_id=SPAN_ID)
    return request


def records(count: int) -> ExportLogsServiceRequest:
    """
    Return log records with a body that nests.
    """
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add(resource=_resource()).scope_logs.add(scope=_scope())
    for number in range(count):
        record = scope.log_records.add(
            time_unix_nano=NOW_NS,
            severity_number=9,
            severity_text="INFO",
            trace_id=TRACE_ID,
            span_id=SPAN_ID,
            event_name=f"event {number}",
        )
        record.body.kvlist_value.values.extend(_attributes())
    return request


def profiles(count: int) -> ExportProfilesServiceRequest:
    """
    Return profiles that point into their request's tables.
    """
    request = ExportProfilesServiceRequest()
    request.dictionary.string_table.extend(["", "cpu", "nanoseconds"])
    request.dictionary.link_table.add(trace_id=TRACE_ID, span_id=SPAN_ID)
    group = request.resource_profiles.add(resource=_resource())
    scope = group.scope_profiles.add(scope=_scope())
    for number in range(count):
        profile = scope.profiles.add(profile_id=TRACE_ID, time_unix_nano=NOW_NS, period=number)
        profile.sample_type.type_strindex = 1
        profile.sample_type.unit_strindex = 2
        profile.samples.add(stack_index=0, values=[1, 2**40], timestamps_unix_nano=[NOW_NS])
        profile.original_payload = b"\xff\xfe"
    return request


def _resource() -> Resource:
    service = KeyValue(key="service.name", value=AnyValue(string_value="checkout"))
    return Resource(attributes=[service])


def _scope() -> InstrumentationScope:
    return InstrumentationScope(name="shop", version="1.2.3")


def _attributes() -> list[KeyValue]:
    nested = AnyValue()
    nested.array_value.values.add(string_value='é"\n')
    nested.array_value.values.add()
    values = {
        "text": AnyValue(string_value="GET"),
        "empty": AnyValue(string_value=""),
        "whole": AnyValue(int_value=-(2**63)),
        "zero": AnyValue(int_value=0),
        "real": AnyValue(double_value=1.5),
        "nan": AnyValue(double_value=float("nan")),
        "truth": AnyValue(bool_value=False),
        "bytes": AnyValue(bytes_value=b"\x00\xff"),
        "list": nested,
        "nothing": AnyValue(),
    }
    return [KeyValue(key=key, value=value) for key, value in values.items()]
