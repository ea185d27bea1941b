"""
Make the requests that everything is measured on.
"""

import random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["SIZES", "described", "payload"]

SIZES = (1, 100, 1_000, 8_192)
_START_NS = 1_790_000_000_000_000_000


def described(spans: int) -> str:
    """
    Name a size as people do.
    """
    size = len(payload(spans))
    shown = f"{size} B" if size < 1_000 else f"{size / 1e3:.0f} KB"
    return f"{spans:,} span{'s'[: spans > 1]}, {shown}"


def payload(spans: int) -> bytes:
    """
    Make a request of one resource and *spans* spans with ten attributes each: 1,000 are 428 KB.
    """
    dice = random.Random(1)
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in (
        ("service.name", "checkout"),
        ("host.name", "node-17"),
        ("k8s.pod.name", "checkout-7d9f-xyz"),
        ("deployment.environment", "prod"),
    ):
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "io.opentelemetry.http", "1.2.3"
    for number in range(spans):
        start = _START_NS + number * 1000
        span = scope.spans.add(
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
            parent_span_id=dice.randbytes(8),
            name="GET /api/v1/items/{id}",
            kind=2,
            start_time_unix_nano=start,
            end_time_unix_nano=start + dice.randrange(10**8),
        )
        for key, value in (
            ("http.request.method", "GET"),
            ("url.path", f"/api/v1/items/{number}"),
            ("http.route", "/api/v1/items/{id}"),
            ("server.address", "shop.example.com"),
            ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
            ("client.address", f"10.0.{number % 256}.{number % 199}"),
            ("network.protocol.version", "1.1"),
            ("enduser.id", f"user-{number}"),
        ):
            span.attributes.add(key=key).value.string_value = value
        status = 200 if number % 10 else 500
        span.attributes.add(key="http.response.status_code").value.int_value = status
        span.attributes.add(key="server.port").value.int_value = 443
    return request.SerializeToString()
