"""
Add up what plugins measure, and show it to Prometheus under names that it takes.
"""

import re
import threading
from collections.abc import Iterator

import attrs
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

__all__ = ["GuestMetrics"]

Attributes = tuple[tuple[str, str], ...]

# A guest may name its numbers freely; this many series of one plugin are kept apart.
_MAX_SERIES_PER_PLUGIN = 1000
_MAX_SPELLINGS = 20_000
_RESERVED_LABELS = frozenset(("le", "plugin", "quantile"))


@attrs.define
class _Series:
    """
    One family's numbers with equal labels.
    """

    family: str
    kind: str
    labels: dict[str, str]
    total: float = 0.0
    count: int = 0


class GuestMetrics(Collector):
    """
    Counters and distributions of all plugins. Names that become the same are the same.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._series: dict[tuple[object, ...], _Series] = {}
        self._series_of: dict[str, int] = {}
        # What guests say to the series that it means: each is spelled out once.
        self._spelled: dict[tuple[str, str, str, Attributes], _Series] = {}

    def record(
        self, plugin: str, kind: str, name: str, *, value: float, attributes: Attributes
    ) -> None:
        """
        Add *value* to its series; series beyond the limit share the one without attributes.
        """
        spelling = (plugin, kind, name, attributes)
        with self._lock:
            series = self._spelled.get(spelling)
            if series is None:
                series = self._find(plugin, kind, name, _labels(plugin, attributes))
                if len(self._spelled) >= _MAX_SPELLINGS:
                    self._spelled.clear()
                self._spelled[spelling] = series
            series.total += value
            series.count += 1

    def collect(self) -> Iterator[Metric]:
        """
        Give one family for each name and kind.
        """
        with self._lock:
            every = [attrs.evolve(series) for series in self._series.values()]
        families: dict[str, Metric] = {}
        for series in every:
            full = f"otelwasm_guest_{series.family}"
            name = self._names[series.family]
            if series.kind == "add":
                family = families.setdefault(
                    full, Metric(full, f"{name}, as its plugin counts it", "counter")
                )
                family.add_sample(f"{full}_total", series.labels, series.total)
            else:
                family = families.setdefault(
                    full, Metric(full, f"{name}, as its plugin measures it", "summary")
                )
                family.add_sample(f"{full}_sum", series.labels, series.total)
                family.add_sample(f"{full}_count", series.labels, series.count)
        yield from families.values()

    def _find(self, plugin: str, kind: str, name: str, labels: dict[str, str]) -> _Series:
        family = _identifier(name)
        if kind == "add":
            family = family.removesuffix("_total") or "_total"
        # Prometheus knows one kind for a name; who comes second gets a name of its own.
        while self._kinds.get(family, kind) != kind:
            family = f"{family}_{kind}"
        key = (family, *sorted(labels.items()))
        if key not in self._series:
            if self._series_of.get(plugin, 0) >= _MAX_SERIES_PER_PLUGIN and name != "other":
                return self._find(plugin, kind, "other", {"plugin": plugin})
            self._series_of[plugin] = self._series_of.get(plugin, 0) + 1
            self._kinds[family] = kind
            self._names.setdefault(family, name)
            self._series[key] = _Series(family, kind, labels)
        return self._series[key]


def _labels(plugin: str, attributes: Attributes) -> dict[str, str]:
    labels = {}
    for key, value in attributes:
        # Prometheus keeps names that begin with two for itself.
        name = re.sub("^__+", "_", _identifier(key))
        if name in _RESERVED_LABELS:
            name = f"guest_{name}"
        labels[name] = value
    return labels | {"plugin": plugin}


def _identifier(name: str) -> str:
    """
    Make a name that Prometheus takes out of any.
    """
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", name) or "_"
    return f"_{plain}" if plain[0].isdigit() else plain
