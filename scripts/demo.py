"""
Send real telemetry through a running host and show what its plugin changed.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
PLUGIN = HERE.parent / "guests" / "redact" / "python" / "plugin.py"
RESOURCE = Resource.create({"service.name": "shop"})
console = Console(width=None if sys.stdout.isatty() else 120)


def main() -> int:
    """
    Build, run, send, stop, show; the exit code says whether everything came out changed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = folder / "redact.wasm"
        otelwasm("build", str(PLUGIN), "-o", str(built))
        ports = free_port(), free_port()
        environment = {
            **os.environ,
            "DEMO_PLUGIN": str(built),
            "DEMO_FOLDER": str(folder),
            "DEMO_GRPC_PORT": str(ports[0]),
            "DEMO_HTTP_PORT": str(ports[1]),
        }
        config = str(HERE / "demo.yaml")
        console.print(f"[bold]$ otelwasm run {Path(config).relative_to(HERE.parent)}[/bold]")
        host = subprocess.Popen([sys.executable, "-m", "otelwasm", "run", config], env=environment)
        try:
            wait_until_open(host, ports)
            send(*ports)
        finally:
            host.terminate()
            code = host.wait(timeout=30)
        return code or show(folder)


def otelwasm(*arguments: str) -> None:
    """
    Run the command line as a user would.
    """
    console.print(f"[bold]$ otelwasm {' '.join(Path(a).name for a in arguments)}[/bold]")
    subprocess.run([sys.executable, "-m", "otelwasm", *arguments], check=True)


def free_port() -> int:
    """
    A port of 127.0.0.1 that nobody listens on now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_open(host: "subprocess.Popen[bytes]", ports: tuple[int, int]) -> None:
    """
    Wait until the host takes connections.
    """
    for port in ports:
        for _ in range(3000):  # compiling a plugin for the first time takes its time
            if host.poll() is not None:
                sys.exit(f"demo: the host ended with {host.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"demo: nobody listens on port {port}")


def send(grpc_port: int, http_port: int) -> None:
    """
    One trace over gRPC, one metric and one log record over HTTP.
    """
    console.print(
        "[bold]sending a trace, a metric and a log record by the OpenTelemetry SDK[/bold]"
    )
    user = {"enduser.id": "ada", "url.full": "https://shop.example/?mail=ada@example.com"}

    traces = TracerProvider(resource=RESOURCE)
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{grpc_port}", insecure=True)
    traces.add_span_processor(BatchSpanProcessor(exporter))
    tracer = trace.get_tracer("shop", tracer_provider=traces)
    with (
        tracer.start_as_current_span("POST /checkout", attributes=user),
        tracer.start_as_current_span("charge card", attributes={"payment.amount": 42}),
    ):
        pass
    traces.shutdown()

    http = f"http://127.0.0.1:{http_port}/v1"
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{http}/metrics"))
    metrics = MeterProvider(resource=RESOURCE, metric_readers=[reader])
    metrics.get_meter("shop").create_counter("checkouts").add(1, {"enduser.id": "ada"})
    metrics.shutdown()

    logs = LoggerProvider(resource=RESOURCE)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{http}/logs")))
    logs.get_logger("shop").emit(
        body="receipt sent to ada@example.com",
        severity_number=SeverityNumber.INFO,
        attributes=user,
    )
    logs.shutdown()  # type: ignore[no-untyped-call]


def show(folder: Path) -> int:
    """
    Print each item's values as they came in and as they went out; 0 when some changed.
    """
    came, went = (dict(items(folder / f"{name}.jsonl")) for name in ("in", "out"))
    table = Table("item", "field", "came in", "went out", title="what the plugin did")
    changed = 0
    for (item, field), before in came.items():
        after = went.pop((item, field), "(gone)")
        changed += before != after
        style = "bold green" if before != after else "dim"
        table.add_row(item, field, before, after, style=style)
    for (item, field), after in went.items():
        table.add_row(item, field, "(not there)", after, style="bold green")
    console.print(table)
    if not changed:
        console.print("demo: nothing was changed", style="bold red")
    return 0 if changed else 1


def items(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """
    Every attribute and log body in a file of OTLP JSON lines.
    """
    for line in path.read_text().splitlines():
        for resource in (r for key in json.loads(line).values() for r in key):
            for scope in resource.get("scopeSpans", []):
                for span in scope["spans"]:
                    yield from fields(f"span {span['name']}", span)
            for scope in resource.get("scopeMetrics", []):
                for metric in scope["metrics"]:
                    for point in metric["sum"]["dataPoints"]:
                        yield from fields(f"metric {metric['name']}", point)
            for scope in resource.get("scopeLogs", []):
                for record in scope["logRecords"]:
                    yield ("log record", "body"), record["body"]["stringValue"]
                    yield from fields("log record", record)


def fields(
    item: str, holder: dict[str, list[dict[str, dict[str, str]]]]
) -> Iterator[tuple[tuple[str, str], str]]:
    """
    The attributes of one item, each as text.
    """
    for attribute in holder.get("attributes", []):
        yield (item, attribute["key"]), next(iter(attribute["value"].values()), "")


if __name__ == "__main__":
    sys.exit(main())
