"""
The OpenTelemetry Python SDK and its exporters send to our receivers.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.receivers.otlp import OtlpReceiver
from otelwasm.signals import Signal
from unit.otlp.peers import Inbox, receiving, run

RESOURCE = Resource({"service.name": "checkout"})
TIMEOUT_S = 10

Exporter = Callable[[OtlpReceiver], dict[str, Any]]


def over_grpc(receiver: OtlpReceiver) -> dict[str, Any]:
    """
    Tell the SDK's gRPC exporters where to send.
    """
    endpoint = f"127.0.0.1:{receiver.grpc_port}"
    return {"endpoint": endpoint, "insecure": True, "timeout": TIMEOUT_S}


def over_grpc_with_gzip(receiver: OtlpReceiver) -> dict[str, Any]:
    """
    The same, packed.
    """
    return over_grpc(receiver) | {"compression": grpc.Compression.Gzip}


def over_http(receiver: OtlpReceiver) -> dict[str, Any]:
    """
    Tell the SDK's HTTP exporters where to send; the path is added for each signal.
    """
    return {"endpoint": f"http://127.0.0.1:{receiver.http_port}", "timeout": TIMEOUT_S}


def over_http_with_gzip(receiver: OtlpReceiver) -> dict[str, Any]:
    """
    The same, packed.
    """
    return over_http(receiver) | {"compression": Compression.Gzip}


every_way = pytest.mark.parametrize(
    "way", [over_grpc, over_grpc_with_gzip, over_http, over_http_with_gzip]
)


def exporter_of(
    way: Exporter, receiver: OtlpReceiver, grpc_class: Any, *, http_class: Any, path: str
) -> Any:
    """
    Make the SDK's exporter for a receiver.
    """
    settings = way(receiver)
    if way in (over_grpc, over_grpc_with_gzip):
        return grpc_class(**settings)
    return http_class(**settings | {"endpoint": settings["endpoint"] + path})


def received_by(inbox: Inbox, send: Callable[[OtlpReceiver], None]) -> Inbox:
    """
    Run a receiver while *send*, which blocks, sends to it.
    """

    async def scenario() -> None:
        async with receiving(inbox) as receiver:
            await asyncio.to_thread(send, receiver)

    run(scenario())
    return inbox


@every_way
def test_spans_of_the_sdk_arrive(way: Exporter) -> None:
    """
    Every span that the SDK ended is received once, with its resource, attributes and parent.
    """

    def send(receiver: OtlpReceiver) -> None:
        exporter = exporter_of(way, receiver, GrpcSpans, http_class=HttpSpans, path="/v1/traces")
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=100))
        tracer = provider.get_tracer("shop", "1.2.3")
        with tracer.start_as_current_span("order", attributes={"items": 3}) as order:
            for number in range(250):
                tracer.start_span(f"item {number}").end()
            order.add_event("paid", {"currency": "EUR"})
        assert provider.force_flush(TIMEOUT_S * 1000)
        provider.shutdown()

    inbox = received_by(Inbox(), send)

    requests = [ExportTraceServiceRequest.FromString(p) for p in inbox.payloads(Signal.TRACES)]
    groups = [group for request in requests for group in request.resource_spans]
    spans = [span for group in groups for scope in group.scope_spans for span in scope.spans]
    (order,) = (span for span in spans if span.name == "order")
    names = sorted(span.name for span in spans if span.parent_span_id == order.span_id)
    assert sorted(f"item {number}" for number in range(250)) == names
    assert 3 == order.attributes[0].value.int_value
    assert "paid" == order.events[0].name
    for group in groups:
        resource = {item.key: item.value.string_value for item in group.resource.attributes}
        assert "checkout" == resource["service.name"]


@every_way
def test_metrics_of_the_sdk_arrive(way: Exporter) -> None:
    """
    Counters and histograms of the SDK are received with their values.
    """

    def send(receiver: OtlpReceiver) -> None:
        exporter = exporter_of(
            way, receiver, GrpcMetrics, http_class=HttpMetrics, path="/v1/metrics"
        )
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        provider = MeterProvider(metric_readers=[reader], resource=RESOURCE)
        meter = provider.get_meter("shop")
        requests = meter.create_counter("requests", unit="{request}")
        latency = meter.create_histogram("latency", unit="s")
        for number in range(10):
            requests.add(2, {"route": f"/{number % 2}"})
            latency.record(number / 10)
        provider.shutdown()

    inbox = received_by(Inbox(), send)

    requests = [ExportMetricsServiceRequest.FromString(p) for p in inbox.payloads(Signal.METRICS)]
    metrics = {
        metric.name: metric
        for request in requests
        for group in request.resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    }
    assert [10, 10] == [point.as_int for point in metrics["requests"].sum.data_points]
    assert 10 == metrics["latency"].histogram.data_points[0].count


@every_way
def test_log_records_of_the_sdk_arrive(way: Exporter) -> None:
    """
    Log records of the SDK are received with severity, body and attributes.
    """

    def send(receiver: OtlpReceiver) -> None:
        exporter = exporter_of(way, receiver, GrpcLogs, http_class=HttpLogs, path="/v1/logs")
        provider = LoggerProvider(resource=RESOURCE)
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
        logger = provider.get_logger("shop")
        for number in range(20):
            logger.emit(
                severity_number=SeverityNumber.WARN,
                severity_text="WARN",
                body={"text": "low on stock", "left": number},
                attributes={"sku": "é-1"},
                event_name="stock.low",
            )
        assert provider.force_flush(TIMEOUT_S * 1000)
        provider.shutdown()

    inbox = received_by(Inbox(), send)

    records = [
        record
        for payload in inbox.payloads(Signal.LOGS)
        for group in ExportLogsServiceRequest.FromString(payload).resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]
    assert 20 == len(records)
    for number, record in enumerate(records):
        body = {item.key: item.value for item in record.body.kvlist_value.values}
        assert ("low on stock", number) == (body["text"].string_value, body["left"].int_value)
        assert (13, "stock.low") == (record.severity_number, record.event_name)
        assert "é-1" == record.attributes[0].value.string_value


@every_way
def test_sdk_tries_again_when_told_to(way: Exporter) -> None:
    """
    The SDK understands our "not now": it waits as told and delivers.
    """
    refusals = [RetryableError("full", after_s=0.2)]

    class FullAtFirst(Inbox):
        async def consume(self, batch: Any) -> None:
            if refusals:
                raise refusals.pop()
            await super().consume(batch)

    def send(receiver: OtlpReceiver) -> None:
        exporter = exporter_of(way, receiver, GrpcSpans, http_class=HttpSpans, path="/v1/traces")
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        provider.get_tracer("shop").start_span("order").end()
        assert provider.force_flush(TIMEOUT_S * 1000)
        provider.shutdown()

    inbox = received_by(FullAtFirst(), send)

    assert [] == refusals
    assert 1 == len(inbox.payloads(Signal.TRACES))


@every_way
def test_sdk_gives_up_when_told_to(way: Exporter) -> None:
    """
    The SDK understands our "never": it asks once.
    """
    asked = []

    class Refusing(Inbox):
        async def consume(self, batch: Any) -> None:
            asked.append(batch)
            raise PermanentError("tenant unknown")

    def send(receiver: OtlpReceiver) -> None:
        exporter = exporter_of(way, receiver, GrpcSpans, http_class=HttpSpans, path="/v1/traces")
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        provider.get_tracer("shop").start_span("order").end()
        provider.force_flush(TIMEOUT_S * 1000)
        provider.shutdown()

    received_by(Refusing(), send)

    assert 1 == len(asked)
