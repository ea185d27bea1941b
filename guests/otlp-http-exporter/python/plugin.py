"""Send batches by OTLP over HTTP, as protobuf, as the host's own exporter does."""

import time
import zlib
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Literal

import attrs
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otelwasm_sdk import Permanent, Receipt, Retryable, Signal, exporter, http


@attrs.frozen
class Config:
    # The base, to which /v1/traces and so on are added.
    endpoint: str
    headers: dict[str, str] = attrs.field(factory=dict)
    compression: Literal["none", "gzip"] = "none"
    timeout_s: float = 10.0


Sent = Literal[Signal.TRACES, Signal.METRICS, Signal.LOGS]
PROTOBUF = "application/x-protobuf"
RESPONSES: dict[Signal, Any] = {
    Signal.TRACES: ExportTraceServiceResponse,
    Signal.METRICS: ExportMetricsServiceResponse,
    Signal.LOGS: ExportLogsServiceResponse,
}
# OTLP: the statuses after which the same request may be sent again.
RETRYABLE = {429, 502, 503, 504}


@exporter
class OtlpHttpExporter:
    def __init__(self, config: Config) -> None:
        self.config = config

    # The bytes go on as they are: no field is lost that this plugin does not know.
    def send(self, payload: bytes, signal: Sent) -> Receipt | None:
        headers = {"content-type": PROTOBUF, **self.config.headers}
        if self.config.compression == "gzip":
            headers["content-encoding"] = "gzip"
            payload = zlib.compress(payload, wbits=31)
        url = f"{self.config.endpoint.rstrip('/')}/v1/{signal.label}"
        response = http.post(url, payload, headers=headers, timeout_s=self.config.timeout_s)
        if 200 <= response.status < 300:
            return receipt(signal, response)
        reason = f"{url} answered {response.status}: {message_of(response)}"
        if response.status in RETRYABLE:
            raise Retryable(reason, after_s=retry_after_s(response))
        raise Permanent(reason)


def receipt(signal: Signal, response: http.Response) -> Receipt | None:
    if not is_protobuf(response):
        return None
    try:
        partial = RESPONSES[signal].FromString(response.body).partial_success
    except DecodeError:
        return None  # it said that it took them
    _, rejected = next(iter(partial.ListFields()), (None, 0))
    count = rejected if isinstance(rejected, int) else 0
    return Receipt(count, partial.error_message)


def message_of(response: http.Response) -> str:
    """Say why, by a google.rpc.Status, which has its text where a partial success has it, too."""
    if is_protobuf(response):
        try:
            return str(ExportTracePartialSuccess.FromString(response.body).error_message)
        except DecodeError:
            return "a body that is no protobuf"
    return response.body[:500].decode(errors="replace").strip()


def is_protobuf(response: http.Response) -> bool:
    return (response.header("content-type") or "").partition(";")[0].strip() == PROTOBUF


def retry_after_s(response: http.Response) -> float | None:
    text = (response.header("retry-after") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    date = parsedate_tz(text)
    return None if date is None else max(0.0, mktime_tz(date) - time.time())
