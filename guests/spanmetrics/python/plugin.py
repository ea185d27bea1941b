"""Make metrics from spans: how many calls there were, and how long they took."""

import time
from bisect import bisect_left

import attrs
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA

from otelwasm_sdk import Metrics, Span, Traces, emit, processor, text_of


@attrs.frozen
class Config:
    # Attributes of spans that tell series apart, besides service, name, kind and status.
    dimensions: tuple[str, ...] = ()
    bounds_s: tuple[float, ...] = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
    # Span names can be anything: spans beyond this many series are counted in one.
    max_series: int = 1000
    prefix: str = "traces.span.metrics."


@attrs.define
class Series:
    buckets: list[int]
    calls: int = 0
    sum_s: float = 0.0


Key = tuple[tuple[str, object], ...]
OVERFLOW: Key = (("otel.metric.overflow", True),)


@processor
class SpanMetrics:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.series: dict[Key, Series] = {}
        self.began_ns = time.time_ns()

    def process(self, batch: Traces) -> Traces:
        for span in batch.spans():
            series = self.series_of(span)
            series.calls += 1
            series.sum_s += span.duration_s
            series.buckets[bisect_left(self.config.bounds_s, span.duration_s)] += 1
        return batch

    def tick(self) -> None:
        self.flush()

    def stop(self) -> None:
        self.flush()

    def series_of(self, span: Span) -> Series:
        attributes = span.attributes
        key: Key = (
            ("service.name", span.resource.attributes.get("service.name", "")),
            ("span.name", span.name),
            ("span.kind", span.kind_name),
            ("status.code", "error" if span.is_error else "ok"),
            *(
                (name, text_of(attributes[name]))
                for name in self.config.dimensions
                if name in attributes
            ),
        )
        if key not in self.series and len(self.series) >= self.config.max_series:
            key = OVERFLOW
        if key not in self.series:
            self.series[key] = Series([0] * (len(self.config.bounds_s) + 1))
        return self.series[key]

    def flush(self) -> None:
        if not self.series:
            return
        now_ns = time.time_ns()
        calls, durations = [], []
        for key, series in self.series.items():
            point = {
                "attributes": dict(key),
                "start_time_unix_nano": self.began_ns,
                "time_unix_nano": now_ns,
            }
            calls.append(point | {"as_int": series.calls})
            durations.append(
                point
                | {
                    "count": series.calls,
                    "sum": series.sum_s,
                    "bucket_counts": series.buckets,
                    "explicit_bounds": self.config.bounds_s,
                }
            )
        # What happened since the last time: nothing is lost or counted twice by a restart.
        delta = {"aggregation_temporality": AGGREGATION_TEMPORALITY_DELTA}
        batch = Metrics.of(
            {
                "name": f"{self.config.prefix}calls",
                "unit": "{call}",
                "sum": delta | {"is_monotonic": True, "data_points": calls},
            },
            {
                "name": f"{self.config.prefix}duration",
                "unit": "s",
                "histogram": delta | {"data_points": durations},
            },
            scope={"name": "spanmetrics"},
        )
        # If the next step refuses it now, the next tick sends it with what has come by then.
        emit(batch)
        self.series.clear()
        self.began_ns = now_ns
