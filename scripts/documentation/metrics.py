"""
Make the reference of the host's own metrics out of what it would show to Prometheus.
"""

from collections.abc import Iterator

from otelwasm.telemetry import Telemetry

__all__ = ["page"]

_OPENING = """# Metrics

This page is for whoever watches otelwasm itself: the metrics that it shows to Prometheus, once
[`service.telemetry.metrics.address`](configuration.md#service) says where. What to alert on is in
[Run it in production](../howto/production.md#watch-it).

A `component` is `receiver/otlp`, `processor/wasm/redact`, `exporter/otlp/backup` and so on: the
kind of component, then its id in the configuration. A `signal` is `traces`, `metrics`, `logs` or
`profiles`. Items are spans, data points, log records or profiles.

| metric | type | labels | meaning |
| --- | --- | --- | --- |"""

_CLOSING = """
## Metrics of plugins

What a plugin measures with [`meter`](contract.md#meter) stands beside these, with the label
`plugin` and the attributes that it gave: `add("filter.dropped", …)` is
`otelwasm_guest_filter_dropped_total`, `observe("size", …)` is `otelwasm_guest_size_sum` and
`otelwasm_guest_size_count`.
"""


def page() -> str:
    """
    The page: one table of all metrics, which are there from the start.
    """
    return "\n".join([_OPENING, *_rows(), _CLOSING])


def _rows() -> Iterator[str]:
    for family in Telemetry().registry.collect():
        suffix = "_total" if family.type == "counter" else ""
        labels = ", ".join(f"`{label}`" for label in getattr(family, "_labelnames", ()))
        yield f"| `{family.name}{suffix}` | {family.type} | {labels} | {family.documentation} |"
