"""
From socket to socket, beside the Collector with its native attributes processor.

The same configuration in both, four clients, OTLP in and OTLP out of the same protocol, a queue
before the exporter; once with `batch` before the step that sets an attribute, once without. The
smallest requests also from more clients: what each costs depends on how many come at once.
"""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from benchmark.guests import Guests
from benchmark.load import Load, Run
from benchmark.native import go_program
from benchmark.payloads import described
from benchmark.session import Session
from benchmark.tables import Chart, Table, figure
from benchmark.under_test import UnderTest

__all__ = ["end_to_end"]

_STREAMS = 4
_LOADS = ((1_000, _STREAMS), (100, _STREAMS), (1, _STREAMS), (1, 16))  # spans a request, clients
_PROTOCOLS = ("grpc", "http")
_Key = tuple[str, int, int, bool]  # protocol, spans a request, clients, batched


def end_to_end(session: Session) -> Table:
    """
    Measure each protocol and size in turns: Collector, otelwasm, otelwasm without a plugin.
    """
    seconds = session.seconds / 2
    runs: dict[_Key, dict[str, list[Run]]] = {}
    with ExitStack() as stack:
        collector = go_program("collector", session.report)
        plugin = stack.enter_context(Guests.open(session.report)).built("set_attribute")
        load = stack.enter_context(Load.running(session.report))
        subjects: dict[bool, list[UnderTest]] = {}
        for batched in (False, True):
            subjects[batched] = [
                stack.enter_context(running)
                for running in (
                    UnderTest.collector(
                        collector, session.folder, outward=load.ports, batched=batched
                    ),
                    *(
                        UnderTest.otelwasm(
                            step, session.folder, outward=load.ports, batched=batched
                        )
                        for step in (plugin, None)
                    ),
                )
            ]
        for protocol in _PROTOCOLS:
            for spans, streams in _LOADS:
                session.report(f"end to end: {protocol}, {described(spans)}, {streams} clients")
                for turn in range(session.rounds + 1):
                    for batched, group in subjects.items():
                        for subject in group:
                            run = load.on(
                                subject,
                                protocol,
                                session.file(spans),
                                streams=streams,
                                seconds=seconds if turn else min(1, seconds),
                            )
                            if turn:  # the first only warms up
                                key = (protocol, spans, streams, batched)
                                of = runs.setdefault(key, {}).setdefault(subject.name, [])
                                of.append(run)
    return _table(runs)


def _table(runs: dict[_Key, dict[str, list[Run]]]) -> Table:
    table = Table(
        "End to end, beside the Collector",
        [
            "request",
            "",
            "spans/s",
            "CPU s per million spans",
            "CPU us a request",
            "CPU, of the Collector's",
            "MiB",
            "p50 / p99 ms",
            "refused",
        ],
        labels=2,
        notes=[
            f"{_STREAMS} clients unless said otherwise, each with one connection and one request "
            "in flight; medians of runs in turns. CPU is the time of the process under test on all "
            "cores, until the last span came out. `relay` is otelwasm without a plugin. The driver "
            "and the sink run on the same machine, so spans/s is what is left beside them. Refused "
            "requests (for now: a queue was full) were sent again.",
        ],
    )
    groups: dict[str, dict[str, float | None]] = {}
    for (protocol, spans, streams, batched), by_name in runs.items():
        clients = f", {streams} clients" * (streams != _STREAMS)
        what = f"OTLP/{protocol.upper()}, {described(spans)}{clients}{', batch' * batched}"
        collector_s = _median(by_name["Collector"], "cpu_s_per_million_spans")
        for name, of in by_name.items():
            cpu_s = _median(of, "cpu_s_per_million_spans")
            table.add(
                what,
                name,
                figure(_median(of, "spans_per_s")),
                figure(cpu_s),
                figure(_median(of, "cpu_us_per_request")),
                f"{cpu_s / collector_s:.2f}x",
                figure(_median(of, "memory_mib")),
                f"{_median(of, 'p50_us') / 1e3:.2f} / {_median(of, 'p99_us') / 1e3:.2f}",
                str(sum(run.refused for run in of)),
            )
            groups.setdefault(what, {})[name] = cpu_s / collector_s
    table.charts.append(
        Chart("end-to-end", "CPU time per span, end to end", "x the Collector's", groups)
    )
    return table


def _median(runs: Sequence[Run], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)
