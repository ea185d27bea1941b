"""
Count what a plugin's instances do with the batches they are given.
"""

from collections.abc import Iterable

import attrs

__all__ = ["PluginStats", "WorkerStats", "total"]


@attrs.define
class WorkerStats:
    """
    One worker's counts; only its own thread writes them.
    """

    calls: int = 0
    failures: int = 0
    faults: dict[str, int] = attrs.field(factory=dict)
    restarts: int = 0
    busy_s: float = 0.0
    memory_bytes: int = 0


@attrs.frozen
class PluginStats:
    """
    A plugin's counts over all its instances, at one moment.

    *calls* are calls into guests, *failures* those that answered with a failure, *faults* those
    that ended an instance, by kind.
    """

    calls: int
    failures: int
    faults: dict[str, int]
    restarts: int
    busy_s: float
    memory_bytes: int


def total(workers: Iterable[WorkerStats]) -> PluginStats:
    """
    Add up the counts of *workers*.
    """
    each = list(workers)
    faults: dict[str, int] = {}
    for one in each:
        for kind, count in list(one.faults.items()):
            faults[kind] = faults.get(kind, 0) + count
    return PluginStats(
        calls=sum(one.calls for one in each),
        failures=sum(one.failures for one in each),
        faults=faults,
        restarts=sum(one.restarts for one in each),
        busy_s=sum(one.busy_s for one in each),
        memory_bytes=sum(one.memory_bytes for one in each),
    )
