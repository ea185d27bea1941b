"""
Say what OTLP calls each signal's request, service method and path.
"""

from collections.abc import Mapping

import attrs
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as profiles
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

from otelwasm.signals import Signal

__all__ = ["SERVICES", "SIGNAL_BY_PATH", "Service"]


@attrs.frozen
class Service:
    """
    The one request that OTLP has for a signal, over gRPC and over HTTP.
    """

    request: type[Message]
    response: type[Message]
    method: str
    path: str
    rejected_field: str


SERVICES: Mapping[Signal, Service] = {
    Signal.TRACES: Service(
        request=traces.ExportTraceServiceRequest,
        response=traces.ExportTraceServiceResponse,
        method="/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        path="/v1/traces",
        rejected_field="rejected_spans",
    ),
    Signal.METRICS: Service(
        request=metrics.ExportMetricsServiceRequest,
        response=metrics.ExportMetricsServiceResponse,
        method="/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        path="/v1/metrics",
        rejected_field="rejected_data_points",
    ),
    Signal.LOGS: Service(
        request=logs.ExportLogsServiceRequest,
        response=logs.ExportLogsServiceResponse,
        method="/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        path="/v1/logs",
        rejected_field="rejected_log_records",
    ),
    Signal.PROFILES: Service(
        request=profiles.ExportProfilesServiceRequest,
        response=profiles.ExportProfilesServiceResponse,
        method="/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        path="/v1development/profiles",
        rejected_field="rejected_profiles",
    ),
}

SIGNAL_BY_PATH: Mapping[str, Signal] = {s.path: signal for signal, s in SERVICES.items()}
