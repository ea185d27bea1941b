"""
Measure the boundary, a plugin beside native Python, start-up and scaling, all in one run.

Everything that is compared is measured in turns, A B A B …, and reported as the median of rounds,
so that a machine that speeds up or slows down moves both sides. Times are single-threaded unless
said; nothing here is a test, because a machine's mood must not fail one.
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from rich.console import Console
from rich.table import Table

from otelwasm import Plugin, Signal
from otelwasm.build.python import build
from otelwasm.plugins.capabilities import Capabilities
from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance

GUESTS = Path(__file__).resolve().parent.parent / "guests"
ECHO = """
import attrs
from otelwasm_sdk import Signal, processor


@attrs.frozen
class Config:
    replace: bool = False


@processor
def echo(payload: bytes, signal: Signal, config: Config) -> bytes:
    return payload[:-1] + b"x" if config.replace else payload
"""
Run = Callable[[], object]


def payload(spans: int) -> bytes:
    """
    One resource, *spans* spans with ten attributes each: 1,000 are 428 KB.
    """
    dice = random.Random(1)
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in (
        ("service.name", "checkout"),
        ("host.name", "node-17"),
        ("k8s.pod.name", "checkout-7d9f-xyz"),
        ("deployment.environment", "prod"),
    ):
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "io.opentelemetry.http", "1.2.3"
    now = 1_790_000_000_000_000_000
    for number in range(spans):
        span = scope.spans.add(
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
            parent_span_id=dice.randbytes(8),
            name="GET /api/v1/items/{id}",
            kind=2,
            start_time_unix_nano=now + number * 1000,
            end_time_unix_nano=now + number * 1000 + dice.randrange(10**8),
        )
        for key, value in (
            ("http.request.method", "GET"),
            ("url.path", f"/api/v1/items/{number}"),
            ("http.route", "/api/v1/items/{id}"),
            ("server.address", "shop.example.com"),
            ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
            ("client.address", f"10.0.{number % 256}.{number % 199}"),
            ("network.protocol.version", "1.1"),
            ("enduser.id", f"user-{number}"),
        ):
            span.attributes.add(key=key).value.string_value = value
        span.attributes.add(key="http.response.status_code").value.int_value = (
            200 if number % 10 else 500
        )
        span.attributes.add(key="server.port").value.int_value = 443
    return request.SerializeToString()


def in_turns(runs: dict[str, Run], *, seconds: float, rounds: int = 15) -> dict[str, float]:
    """
    The median seconds of one call of each of *runs*, measured in turns.
    """
    calls = {}
    for name, run in runs.items():
        run()
        began = time.perf_counter()
        run()
        once = time.perf_counter() - began
        calls[name] = max(1, round(seconds / rounds / len(runs) / max(once, 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            for _ in range(calls[name]):
                run()
            samples[name].append((time.perf_counter() - began) / calls[name])
    return {name: statistics.median(values) for name, values in samples.items()}


class Guest:
    """
    One instance without a thread, so that nothing but the boundary is measured.
    """

    def __init__(self, wasm: Path, config: str, lane: str) -> None:
        component = Component.load(wasm, name=wasm.stem, lane=lane)  # type: ignore[arg-type]
        capabilities = Capabilities(wasm.stem, emit=lambda signal, data: None, log=None, meter=None)
        self.instance = Instance(
            component, capabilities, memory_bytes=512 << 20, deadline_s=60, output=None
        )
        self.instance.lifecycle.start(config)

    def run(self, data: bytes) -> Run:
        """
        Process *data* once a call.
        """
        return lambda: self.instance.run(Signal.TRACES, data)


def add_natively(data: bytes) -> Run:
    """
    Parse, set the attribute on each span, serialize: CPython and protobuf's C core.
    """

    def run() -> bytes:
        request = ExportTraceServiceRequest.FromString(data)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    span.attributes.add(key="env").value.string_value = "prod"
        return request.SerializeToString()

    return run


def boundary(echo: Path, seconds: float) -> Table:
    """
    What a verdict costs from the host's Python, through a Python guest.
    """
    table = Table("through a Python guest", "584 B, us", "428 KB, us", title="boundary")
    sizes = {"584 B": payload(1), "428 KB": payload(1000)}
    for lane in ("direct", "bridge"):
        rows = {
            f"{lane}: pass": Guest(echo, '{"replace": false}', lane),
            f"{lane}: replace": Guest(echo, '{"replace": true}', lane),
        }
        for name, guest in rows.items():
            took = in_turns(
                {size: guest.run(data) for size, data in sizes.items()}, seconds=seconds
            )
            table.add_row(name, *(f"{took[size] * 1e6:.1f}" for size in sizes))
    copied = in_turns({size: lambda d=d: bytearray(d) for size, d in sizes.items()}, seconds=0.5)
    table.add_row("one copy of the bytes", *(f"{copied[size] * 1e6:.1f}" for size in sizes))
    return table


def attribute(plugin: Path, seconds: float) -> Table:
    """
    Set one attribute on each span: the plugin beside native CPython with upb.
    """
    table = Table("add an attribute to each span", "us", "of native", title="work")
    for spans in (1, 100, 1000, 8192):
        data = payload(spans)
        guest = Guest(plugin, '{"key": "env", "value": "prod"}', "direct")
        took = in_turns(
            {"native CPython, upb": add_natively(data), "plugin": guest.run(data)}, seconds=seconds
        )
        native = took["native CPython, upb"]
        for name, value in took.items():
            table.add_row(f"{spans} spans, {name}", f"{value * 1e6:.0f}", f"{value / native:.2f}x")
    return table


def starting(plugin: Path) -> Table:
    """
    From a built and compiled component to a plugin that takes batches.
    """
    table = Table("start of a built and compiled plugin", "ms", title="start")
    samples = []
    for _ in range(9):
        began = time.perf_counter()
        Plugin(plugin).close()
        samples.append(time.perf_counter() - began)
    table.add_row("first in this process", f"{samples[0] * 1e3:.0f}")
    table.add_row("median of the next 8", f"{statistics.median(samples[1:]) * 1e3:.0f}")
    return table


def scaling(plugin: Path, seconds: float) -> Table:
    """
    Batches a second with one instance and with two, each on a thread of its own.
    """
    table = Table("428 KB batches", "batches/s", "of one", title=f"{os.cpu_count()} cores")
    data = payload(1000)
    rates: dict[int, list[float]] = {1: [], 2: []}
    plugins = {count: Plugin(plugin, instances=count) for count in rates}
    for _ in range(7):
        for count, running in plugins.items():
            began = time.perf_counter()
            batches = 0
            while time.perf_counter() - began < seconds / 14:
                wait([running.submit(Signal.TRACES, data) for _ in range(8)])
                batches += 8
            rates[count].append(batches / (time.perf_counter() - began))
    one = statistics.median(rates[1])
    for count, values in rates.items():
        rate = statistics.median(values)
        table.add_row(f"{count} instance(s)", f"{rate:.0f}", f"{rate / one:.2f}x")
        plugins[count].close()
    return table


def main() -> None:
    """
    Build what is measured, measure, print.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each measurement")
    seconds = parser.parse_args().seconds
    console = Console()
    console.print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "echo.py"
        source.write_text(ECHO)
        echo = build(source, report=console.print)
    plugin = build(GUESTS / "add-attribute" / "python" / "plugin.py", report=console.print)
    console.print(boundary(echo, seconds))
    console.print(attribute(plugin, seconds))
    console.print(starting(plugin))
    console.print(scaling(plugin, seconds))


if __name__ == "__main__":
    main()
