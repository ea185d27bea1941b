"""
The debug exporter shows batches as much as it is asked to.
"""

import io
from typing import Any, Literal

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.errors import PermanentError
from otelwasm.exporters.debug import DebugConfig, DebugExporter
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal
from pipeline.fakes import in_a_loop


async def shown(
    signal: Signal, request: Any, verbosity: Literal["basic", "normal", "detailed"]
) -> list[str]:
    """
    Send *request*; return the lines that are written.
    """
    out = io.StringIO()
    exporter = DebugExporter(DebugConfig(verbosity), out=out)
    await exporter.start()
    await exporter.send(Batch(signal, request.SerializeToString()))
    await exporter.close()
    return out.getvalue().splitlines()


def set_attribute(holder: Any, key: str, **value: object) -> None:
    """
    Add an attribute to *holder*.
    """
    attribute = holder.attributes.add(key=key)
    for kind, content in value.items():
        setattr(attribute.value, kind, content)


def some_traces() -> ExportTraceServiceRequest:
    """
    A span with attributes, an event and a time.
    """
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    set_attribute(group.resource, "service.name", string_value="shop")
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "tracer", "1.0"
    span = scope.spans.add(
        name="GET /",
        kind=2,
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        start_time_unix_nano=1_700_000_000_000_000_001,
    )
    set_attribute(span, "http.status", int_value=200)
    set_attribute(span, "cached", bool_value=True)
    span.events.add(name="miss")
    return request


@in_a_loop
async def test_basic_counts() -> None:
    """
    By default there is one line a batch.
    """
    lines = await shown(Signal.TRACES, some_traces(), "basic")
    size = len(some_traces().SerializeToString())

    assert lines == [f"traces: 1 item, {size} bytes"]


@in_a_loop
async def test_normal_has_a_line_for_each_span() -> None:
    """
    A span's line has its name, ids and attributes, below its resource and scope.
    """
    lines = await shown(Signal.TRACES, some_traces(), "normal")

    assert lines[1:] == [
        "resource #0 service.name=shop",
        "scope #0 tracer@1.0",
        "  GET / 000102030405060708090a0b0c0d0e0f 0001020304050607 http.status=200 cached=true",
    ]


@in_a_loop
async def test_detailed_has_every_field() -> None:
    """
    Ids are hexadecimal, times are dates, enums have names.
    """
    lines = await shown(Signal.TRACES, some_traces(), "detailed")

    assert lines[1:] == [
        "  resource_spans #0",
        "    resource:",
        "      attributes:",
        "        service.name: shop",
        "    scope_spans #0",
        "      scope:",
        "        name: tracer",
        "        version: 1.0",
        "      spans #0",
        "        trace_id: 000102030405060708090a0b0c0d0e0f",
        "        span_id: 0001020304050607",
        "        name: GET /",
        "        kind: SPAN_KIND_SERVER",
        "        start_time_unix_nano: 2023-11-14T22:13:20.000000001Z",
        "        attributes:",
        "          http.status: 200",
        "          cached: true",
        "        events #0",
        "          name: miss",
    ]


@in_a_loop
async def test_normal_has_a_line_for_each_data_point() -> None:
    """
    Numbers show their value, distributions their count, sum and extremes.
    """
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    point = metrics.add(name="requests").sum.data_points.add(as_int=7)
    set_attribute(point, "route", string_value="/")
    metrics.add(name="load").gauge.data_points.add(as_double=0.5)
    metrics.add(name="took").histogram.data_points.add(count=3, sum=1.5, max=1.0)
    metrics.add(name="old").summary.data_points.add(count=2, sum=4.0)
    lines = await shown(Signal.METRICS, request, "normal")

    assert lines[3:] == [
        "  requests{route=/} 7",
        "  load{} 0.5",
        "  took{} count=3 sum=1.5 max=1.0",
        "  old{} count=2 sum=4.0",
    ]


@in_a_loop
async def test_normal_shows_bodies_of_any_shape() -> None:
    """
    A log record's line has its body: text, a list, keys and values, bytes, or nothing.
    """
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add().body.string_value = "hello"
    records.add().body.array_value.values.add(int_value=1)
    records.add().body.kvlist_value.values.add(key="a").value.double_value = 2.5
    records.add().body.bytes_value = b"\x01\xff"
    set_attribute(records.add(), "only", string_value="attributes")
    lines = await shown(Signal.LOGS, request, "normal")

    assert lines[3:] == ["  hello", "  [1]", "  {a=2.5}", "  01ff", "   only=attributes"]


@in_a_loop
async def test_profiles_are_shown_too() -> None:
    """
    A profile's line has its id and its number of samples.
    """
    request = ExportProfilesServiceRequest()
    profile = request.resource_profiles.add().scope_profiles.add().profiles.add(profile_id=b"\x0a")
    profile.samples.add()
    lines = await shown(Signal.PROFILES, request, "normal")

    assert lines[0].startswith("profiles: 1 item, ")
    assert lines[3:] == ["  0a samples=1"]


@in_a_loop
async def test_what_is_no_request_is_refused_for_good() -> None:
    """
    Bytes that cannot be decoded are a permanent failure.
    """
    exporter = DebugExporter(DebugConfig("normal"), out=io.StringIO())

    with pytest.raises(PermanentError, match="no traces request"):
        await exporter.send(Batch(Signal.TRACES, b"\xff\xff"))
