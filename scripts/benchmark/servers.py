"""
What a server costs by itself: every candidate with a handler that only takes the body.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmark.candidates import CANDIDATES
from benchmark.load import Load
from benchmark.payloads import described
from benchmark.session import Session
from benchmark.tables import Chart, Table, figure
from benchmark.under_test import Ports, UnderTest

__all__ = ["servers"]

_STREAMS = 4
_SPANS = (1, 100, 1_000)
_PATIENCE_S = 10
_WHY = (
    "gRPC: grpcio pays for a small request with hand-overs between its own threads and Python's, "
    "in both of its servers. OTLP needs unary calls of raw bytes only, so we speak them ourselves: "
    "libnghttp2 (by way of ngh2, which does no I/O) keeps frames, HPACK and flow control, and "
    "what is left is one callback a read and one write a turn of the event loop.",
    "HTTP: a general server makes a task, a scope of headers, two messages each way and timers for "
    "a request that comes in one packet. Ours looks for the head that the connection sent before "
    "(httptools judges it only where more than its content-length changed), hands the body on as "
    "one object, runs the handler without a task unless it has to wait, and writes once; its "
    "deadlines are looked at by one timer.",
)


def servers(session: Session) -> Table:
    """
    Measure all candidates in turns, each in a process of its own.
    """
    took: dict[tuple[str, str], dict[int, list[float]]] = {}
    with ExitStack() as stack:
        load = stack.enter_context(Load.running(session.report))
        subjects = {key: stack.enter_context(_running(*key)) for key in CANDIDATES}
        for spans in _SPANS:
            session.report(f"servers: {described(spans)}")
            for turn in range(session.rounds + 1):
                for (protocol, name), subject in subjects.items():
                    run = load.on(
                        subject,
                        protocol,
                        session.file(spans),
                        streams=_STREAMS,
                        seconds=session.seconds / 4 if turn else 0.2,
                        does_keep=True,
                    )
                    if turn:  # the first only warms up
                        of = took.setdefault((protocol, name), {}).setdefault(spans, [])
                        of.append(run.cpu_us_per_request)
    return _table(took)


def _table(took: dict[tuple[str, str], dict[int, list[float]]]) -> Table:
    table = Table(
        "What a server costs by itself",
        ["", "", *(f"{described(spans)}, us" for spans in _SPANS)],
        labels=2,
        notes=[
            f"CPU microseconds of the server's process a request, on all cores; {_STREAMS} clients "
            "in Go, each with one connection and one request in flight; medians of runs in turns. "
            "The handler takes the body and answers at once.",
            *_WHY,
        ],
    )
    for protocol, name in sorted(took, key=lambda key: (key[0], _median(took[key], 1))):
        each = took[protocol, name]
        cells = (figure(_median(each, spans)) for spans in _SPANS)
        table.add(f"OTLP/{protocol.upper()}", name, *cells)
    for protocol in sorted({protocol for protocol, _ in took}):
        groups: dict[str, dict[str, float | None]] = {
            described(1): {
                name: _median(each, 1) for (of, name), each in took.items() if of == protocol
            }
        }
        title = f"A server by itself, OTLP/{protocol.upper()}"
        table.charts.append(Chart(f"servers-{protocol}", title, "CPU us a request", groups))
    return table


def _median(each: dict[int, list[float]], spans: int) -> float:
    return statistics.median(each[spans])


@contextmanager
def _running(protocol: str, name: str) -> Iterator[UnderTest]:
    with subprocess.Popen(
        [sys.executable, "-m", "benchmark.candidates", protocol, name],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield UnderTest(name, process, Ports(port, port))
        finally:
            process.kill()
            process.wait(_PATIENCE_S)
