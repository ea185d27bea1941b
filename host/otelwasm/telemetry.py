"""
Count what becomes of every batch, by component, and show it to Prometheus.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Protocol, get_args

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from otelwasm.durations import Durations
from otelwasm.errors import SetupError
from otelwasm.guest_metrics import GuestMetrics
from otelwasm.pipeline.batch import Batch
from otelwasm.receivers.listening import why_not
from otelwasm.signals import Signal

__all__ = ["Event", "Measured", "MetricsServer", "PluginNumbers", "QueueNumbers", "Telemetry"]

Event = Literal[
    "accepted",
    "refused",
    "emitted",
    "dropped",
    "failed",
    "sent",
    "retried",
    "rejected",
    "quarantined",
    "lost",
]

_EVENTS: tuple[Event, ...] = get_args(Event)

_MEANINGS: Mapping[Event, str] = {
    "accepted": "a receiver handed on, and everything downstream accepted",
    "refused": "a receiver answered with a failure",
    "emitted": "a plugin made and the next step accepted",
    "dropped": "a plugin's verdict ended",
    "failed": "a plugin refused for good or ended an instance on",
    "sent": "an exporter delivered",
    "retried": "an exporter failed to deliver and tries again",
    "rejected": "the other side of an exporter refused in part",
    "quarantined": "could be neither delivered nor refused, and is kept for replay",
    "lost": "could not even be kept in the quarantine",
}

_CALLS = {
    "messages": "What came in for a receiver plugin: taken, refused, retried or lost",
    "polls": "Polls of a receiver plugin: done or failed",
}


class QueueNumbers(Protocol):
    """
    What is shown of a component that holds batches.
    """

    used_bytes: int
    limit_bytes: int


class PluginNumbers(Protocol):
    """
    What is shown of a plugin's instances.
    """

    @property
    def calls(self) -> int:
        """
        Guest calls that returned.
        """

    @property
    def faults(self) -> Mapping[str, int]:
        """
        Calls that ended an instance, by kind.
        """

    @property
    def restarts(self) -> int:
        """
        Fresh instances that took over.
        """

    @property
    def busy_s(self) -> float:
        """
        Seconds spent in guest calls.
        """

    @property
    def memory_bytes(self) -> int:
        """
        What the instances' memories hold.
        """


class Measured(Protocol):
    """
    A plugin, as far as its numbers are concerned.
    """

    @property
    def stats(self) -> PluginNumbers:
        """
        Its numbers at this moment.
        """


class Telemetry:
    """
    The numbers of one pipeline program, in a registry of their own.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._durations = Durations()
        self.registry.register(self._durations)
        self._calls = _Calls()
        self.registry.register(self._calls)
        self._counts = _Counts()
        self.registry.register(self._counts)
        self._live = _LiveNumbers()
        self.registry.register(self._live)
        self._guests = GuestMetrics()
        self.registry.register(self._guests)

    def count(
        self, event: Event, component: str, batch: Batch, *, items: int | None = None
    ) -> None:
        """
        Note that *event* happened to *batch* (or to *items* of it) at *component*.
        """
        self._counts.add(event, component, batch, items=batch.items if items is None else items)

    def count_call(
        self, what: Literal["messages", "polls"], component: str, outcome: str, *, count: int = 1
    ) -> None:
        """
        Note how messages, or polls, for the plugin of *component* went.
        """
        self._calls.counts[what, component, outcome] += count

    def time(self, component: str, seconds: float) -> None:
        """
        Note how long *component* took for a batch.
        """
        self._durations.add(component, seconds)

    def record(
        self, plugin: str, kind: str, name: str, value: float, attributes: Iterable[tuple[str, str]]
    ) -> None:
        """
        Take a number that a plugin's guest measured; called on any thread.
        """
        self._guests.record(plugin, kind, name, value=value, attributes=tuple(attributes))

    def watch_queue(self, component: str, queue: QueueNumbers) -> None:
        """
        Show how full *component* is.
        """
        self._live.queues[component] = queue

    def watch_plugin(self, component: str, plugin: Measured) -> None:
        """
        Show the calls, faults, restarts and memory of *component*'s plugin.
        """
        self._live.plugins[component] = plugin

    def total_items(self, event: Event) -> int:
        """
        How many items *event* has happened to, over all components.
        """
        return self._counts.total_items(event)

    def summary(self) -> dict[str, int]:
        """
        The items of each event that happened at all, and the messages that were not taken.
        """
        totals: dict[str, int] = {event: self.total_items(event) for event in _EVENTS}
        for outcome in ("refused", "lost"):
            totals[f"messages_{outcome}"] = self._calls.total("messages", outcome)
        return {
            event: count
            for event, count in totals.items()
            if count or event in ("accepted", "sent")
        }

    def serve(self, address: str) -> "MetricsServer":
        """
        Answer Prometheus at *address* (`host:port`) on a thread of its own.
        """
        return MetricsServer(address, self.registry)


class MetricsServer:
    """
    Serves a registry over HTTP until closed; closing twice is safe.
    """

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server, self._thread = start_http_server(
                int(port), host.strip("[]") or "0.0.0.0", registry
            )
        except (OSError, ValueError, OverflowError) as error:
            reason = why_not(error) if isinstance(error, OSError) else error
            raise SetupError(
                f"service.telemetry.metrics: cannot listen on {address}: {reason}"
            ) from error
        self.port: int = self._server.server_port
        self._is_closed = False

    def close(self) -> None:
        """
        Stop answering; waits for the server's thread.
        """
        if not self._is_closed:
            self._is_closed = True
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class _Counts(Collector):
    """
    Batches and items by event, component and signal; counted on the loop's thread only.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[Event, str, Signal], list[int]] = {}  # batches, items

    def add(self, event: Event, component: str, batch: Batch, *, items: int) -> None:
        """
        Count one batch and its items.
        """
        counts = self._counts.get((event, component, batch.signal))
        if counts is None:
            counts = self._counts[event, component, batch.signal] = [0, 0]
        counts[0] += 1
        counts[1] += items

    def total_items(self, event: Event) -> int:
        """
        The items of one event, over all components.
        """
        return sum(items for (of, _, __), (_, items) in self._counts.items() if of == event)

    def collect(self) -> Iterator[Metric]:
        """
        Give two families for each event.
        """
        items = "Spans, data points, log records or profiles"
        for event, meaning in _MEANINGS.items():
            for place, (unit, what) in enumerate((("batches", "Batches"), ("items", items))):
                family = CounterMetricFamily(
                    f"otelwasm_{event}_{unit}",
                    f"{what} that {meaning}",
                    labels=["component", "signal"],
                )
                for (of, component, signal), counts in list(self._counts.items()):
                    if of == event:
                        family.add_metric([component, signal.label], counts[place])
                yield family


class _Calls(Collector):
    """
    Messages and polls by component and outcome; counted on the loop's thread only.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def total(self, what: str, outcome: str) -> int:
        """
        How many of them went so, over all components.
        """
        return sum(
            count for (each, _, how), count in self.counts.items() if (each, how) == (what, outcome)
        )

    def collect(self) -> Iterator[Metric]:
        """
        Give a family for messages and one for polls.
        """
        for what, text in _CALLS.items():
            family = CounterMetricFamily(f"otelwasm_{what}", text, labels=["component", "outcome"])
            for (each, component, outcome), count in list(self.counts.items()):
                if each == what:
                    family.add_metric([component, outcome], count)
            yield family


class _LiveNumbers(Collector):
    """
    Reads queues and plugins when Prometheus asks.
    """

    def __init__(self) -> None:
        self.queues: dict[str, QueueNumbers] = {}
        self.plugins: dict[str, Measured] = {}

    def collect(self) -> Iterator[Metric]:
        """
        Give one family for each number, one sample for each component.
        """
        used = GaugeMetricFamily("otelwasm_queue_bytes", "Bytes that wait", labels=["component"])
        limit = GaugeMetricFamily(
            "otelwasm_queue_limit_bytes", "Bytes that may wait", labels=["component"]
        )
        for component, queue in list(self.queues.items()):
            used.add_metric([component], queue.used_bytes)
            limit.add_metric([component], queue.limit_bytes)
        yield used
        yield limit
        yield from self._plugins()

    def _plugins(self) -> Iterator[Metric]:
        labels = ["component"]
        calls = CounterMetricFamily(
            "otelwasm_plugin_calls", "Guest calls that returned", labels=labels
        )
        busy = CounterMetricFamily(
            "otelwasm_plugin_busy_seconds", "Seconds spent in guest calls", labels=labels
        )
        restarts = CounterMetricFamily(
            "otelwasm_plugin_restarts", "Fresh instances that took over", labels=labels
        )
        faults = CounterMetricFamily(
            "otelwasm_plugin_faults", "Calls that ended an instance", labels=[*labels, "kind"]
        )
        memory = GaugeMetricFamily(
            "otelwasm_plugin_memory_bytes", "What the instances hold", labels=labels
        )
        for component, plugin in list(self.plugins.items()):
            stats = plugin.stats
            calls.add_metric([component], stats.calls)
            busy.add_metric([component], stats.busy_s)
            restarts.add_metric([component], stats.restarts)
            memory.add_metric([component], stats.memory_bytes)
            for kind, count in stats.faults.items():
                faults.add_metric([component, kind], count)
        yield from (calls, busy, restarts, faults, memory)
