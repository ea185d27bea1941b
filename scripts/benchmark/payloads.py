"""
Make the requests that everything is measured on.
"""

from otelwasm import Signal
from otelwasm.bench.loads import made_batch

__all__ = ["SIZES", "described", "payload"]

SIZES = (1, 100, 1_000, 8_192)
# As it was when the first figures were taken.
_RESOURCE = {
    "service.name": "checkout",
    "host.name": "node-17",
    "k8s.pod.name": "checkout-7d9f-xyz",
    "deployment.environment": "prod",
}


def described(spans: int) -> str:
    """
    Name a size as people do.
    """
    size = len(payload(spans))
    shown = f"{size} B" if size < 1_000 else f"{size / 1e3:.0f} KB"
    return f"{spans:,} span{'s'[: spans > 1]}, {shown}"


def payload(spans: int) -> bytes:
    """
    Make a request of one resource and *spans* spans, as `otelwasm bench` does: 1,000 are 428 KB.
    """
    return made_batch(Signal.TRACES, spans, resource=_RESOURCE)
