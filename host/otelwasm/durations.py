"""
Count how long components take, for Prometheus: its own histogram costs ten times as much.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

__all__ = ["Durations"]

_BOUNDS_S = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class Durations(Collector):
    """
    A histogram for each component; written on the loop's thread only.
    """

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums_s: dict[str, float] = {}

    def add(self, component: str, seconds: float) -> None:
        """
        Note how long *component* took once.
        """
        counts = self._counts.get(component)
        if counts is None:
            counts = self._counts[component] = [0] * (len(_BOUNDS_S) + 1)
            self._sums_s[component] = 0.0
        counts[bisect_left(_BOUNDS_S, seconds)] += 1
        self._sums_s[component] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """
        Give the one family.
        """
        family = HistogramMetricFamily(
            "otelwasm_duration_seconds",
            "Time that a component took for a batch, waiting for its turn included",
            labels=["component"],
        )
        bounds = [*map(str, _BOUNDS_S), "+Inf"]
        for component, counts in list(self._counts.items()):
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric([component], buckets, self._sums_s[component])
        yield family
