"""
What more exporters cost: a batch to ten of them against one, built in and as plugins.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import attrs

from benchmark.guests import Guests
from benchmark.payloads import payload
from benchmark.rounds import Took
from benchmark.session import Session
from benchmark.tables import Table, figure
from otelwasm import Pipeline, Signal
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import ConsumerFor
from otelwasm.registry import ExporterKind, ReceiverKind, Registry

__all__ = ["fan_out"]

_MANY = 10
_SIZES = {"584 B": 1, "428 KB": 1_000}


@attrs.frozen
class _Nothing:
    """
    No settings.
    """


class _Receiver:
    def __init__(self, consumer_for: ConsumerFor) -> None:
        self.consumer = consumer_for(Signal.TRACES)

    async def load(self) -> None:
        pass

    async def start(self) -> None:
        pass

    async def stop(self, deadline: float) -> None:
        pass


class _Exporter:
    async def load(self, signals: frozenset[Signal]) -> None:
        pass

    async def start(self) -> None:
        pass

    async def send(self, batch: Batch) -> None:
        pass

    async def close(self) -> None:
        pass


def fan_out(session: Session) -> Table:
    """
    Send batches through whole pipelines, in turns; each waits until all exporters had it.
    """
    table = Table(
        "Fan-out: one batch to ten exporters",
        ["", *(f"{size}, CPU us" for size in _SIZES), "of one exporter"],
    )
    with Guests.open(session.report) as guests:
        plugin = guests.built("takes")
    took = asyncio.run(_measure(plugin, session))
    for kind, name in (("null", "built in"), ("wasm", "Python plugins")):
        for count in (1, _MANY):
            cells = [took[kind, count, size].cpu_s * 1e6 for size in _SIZES]
            ratios = [took[kind, count, size].cpu_s / took[kind, 1, size].cpu_s for size in _SIZES]
            table.add(
                f"{count} {name}",
                *map(figure, cells),
                " / ".join(f"{ratio:.2f}x" for ratio in ratios),
            )
    return table


async def _measure(plugin: Path, session: Session) -> dict[tuple[str, int, str], Took]:
    pipelines = {
        (kind, count): _pipeline(kind, count, plugin)
        for kind in ("null", "wasm")
        for count in (1, _MANY)
    }
    took: dict[tuple[str, int, str], list[Took]] = {}
    for pipeline in pipelines.values():
        await pipeline.__aenter__()
    for round_ in range(session.rounds + 1):
        for (kind, count), pipeline in pipelines.items():
            for size, spans in _SIZES.items():
                each = await _send(pipeline, payload(spans), session.seconds / 8)
                if round_:
                    took.setdefault((kind, count, size), []).append(each)
    for pipeline in pipelines.values():
        await pipeline.aclose()
    return {
        key: sorted(all_, key=lambda each: each.cpu_s)[len(all_) // 2] for key, all_ in took.items()
    }


async def _send(pipeline: Pipeline, data: bytes, seconds: float) -> Took:
    consumer = pipeline.receiver("memory").consumer
    queues = [delivery.queue.budget for delivery in pipeline._running()._deliveries.values()]
    batches = 0
    began, began_cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        await consumer.consume(Batch(Signal.TRACES, data))
        for queue in queues:
            await queue.unused()
        batches += 1
    elapsed_s = time.perf_counter() - began
    return Took(elapsed_s / batches, (time.process_time() - began_cpu) / batches)


def _pipeline(kind: str, count: int, plugin: Path) -> Pipeline:
    settings: dict[str, Any] = {"plugin": str(plugin)} if kind == "wasm" else {}
    names = [f"{kind}/{number}" for number in range(count)]
    receiver = ReceiverKind(_Nothing, lambda _, __, consumer_for, ___: _Receiver(consumer_for))
    exporter = ExporterKind(_Nothing, lambda _, __, ___: _Exporter())
    kinds = Registry.built_in()
    return Pipeline(
        {
            "receivers": {"memory": {}},
            "exporters": dict.fromkeys(names, settings),
            "service": {"pipelines": {"traces": {"receivers": ["memory"], "exporters": names}}},
        },
        registry=attrs.evolve(
            kinds,
            receivers={"memory": lambda: receiver},
            exporters={**kinds.exporters, "null": lambda: exporter},
        ),
    )
