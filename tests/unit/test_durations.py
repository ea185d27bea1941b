"""
Durations are shown to Prometheus as a histogram.
"""

from prometheus_client import CollectorRegistry, generate_latest

from otelwasm.durations import Durations


def test_durations_are_shown_by_component() -> None:
    """
    Each component has its count, its sum, and buckets that add up; a bound counts as below it.
    """
    durations = Durations()
    registry = CollectorRegistry()
    registry.register(durations)

    for seconds in (0.00005, 0.0001, 0.25, 99):
        durations.add("exporter/a", seconds)
    durations.add("exporter/b", 1)
    lines = generate_latest(registry).decode().splitlines()

    name = "otelwasm_duration_seconds"
    for line in (
        f'{name}_bucket{{component="exporter/a",le="0.0001"}} 2.0',
        f'{name}_bucket{{component="exporter/a",le="0.1"}} 2.0',
        f'{name}_bucket{{component="exporter/a",le="0.5"}} 3.0',
        f'{name}_bucket{{component="exporter/a",le="+Inf"}} 4.0',
        f'{name}_count{{component="exporter/a"}} 4.0',
        f'{name}_sum{{component="exporter/a"}} 99.25015',
        f'{name}_count{{component="exporter/b"}} 1.0',
    ):
        assert line in lines
