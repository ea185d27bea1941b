"""
OTLP in, whole pipelines, OTLP out: what a sender at one end and a server at the other see.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.exporters.otlp_grpc import OtlpGrpcConfig, OtlpGrpcExporter
from otelwasm.exporters.otlp_http import OtlpHttpConfig, OtlpHttpExporter
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.wire import count_items
from otelwasm.pipeline.batch import Batch
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from unit.exporters.servers import HttpStub, http_stub
from unit.otlp.payloads import a_payload
from unit.otlp.peers import Inbox, receiving, run

RECEIVER = {"protocols": {"grpc": {"endpoint": "127.0.0.1:0"}, "http": {"endpoint": "127.0.0.1:0"}}}


def a_pipeline(exporters: dict[str, Any], *, processors: dict[str, Any] | None = None) -> Pipeline:
    """
    Return a pipeline from OTLP through *processors* to all *exporters*, for every signal.
    """
    way = {
        "receivers": ["otlp"],
        "processors": list(processors or {}),
        "exporters": list(exporters),
    }
    return Pipeline(
        {
            "receivers": {"otlp": RECEIVER},
            "processors": processors or {},
            "exporters": exporters,
            "service": {"pipelines": {signal.label: way for signal in Signal}},
        }
    )


async def send_to(pipeline: Pipeline, protocol: str, *batches: Batch) -> None:
    """
    Send batches to a pipeline, one after the other.
    """
    receiver = pipeline.receiver("otlp")
    exporter: OtlpGrpcExporter | OtlpHttpExporter
    if protocol == "grpc":
        exporter = OtlpGrpcExporter(OtlpGrpcConfig(f"127.0.0.1:{receiver.grpc_port}"))
    else:
        exporter = OtlpHttpExporter(OtlpHttpConfig(f"http://127.0.0.1:{receiver.http_port}"))
    await exporter.start()
    try:
        for batch in batches:
            await exporter.send(batch)
    finally:
        await exporter.close()


every_protocol = pytest.mark.parametrize("protocol", ["grpc", "http"])


def test_spans_of_the_sdk_pass_through(tmp_path: Path) -> None:
    """
    Every span of the SDK reaches the next server and the file, joined into fewer requests.
    """
    inbox = Inbox()
    lines = tmp_path / "spans.jsonl"

    def send(port: int) -> None:
        provider = TracerProvider()
        exporter = OTLPSpanExporter(endpoint=f"127.0.0.1:{port}", insecure=True)
        provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=10))
        for number in range(200):
            provider.get_tracer("shop").start_span(f"item {number}").end()
        assert provider.force_flush(10_000)
        provider.shutdown()

    async def scenario() -> None:
        async with receiving(inbox) as server:
            exporters = {
                "otlp": {"endpoint": f"127.0.0.1:{server.grpc_port}"},
                "file": {"path": str(lines)},
            }
            async with a_pipeline(exporters, processors={"batch": {}}) as pipeline:
                await asyncio.to_thread(send, pipeline.receiver("otlp").grpc_port)

    run(scenario())

    payloads = inbox.payloads(Signal.TRACES)
    names = [
        span["name"]
        for line in lines.read_text().splitlines()
        for group in json.loads(line)["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]
    assert sum(count_items(Signal.TRACES, payload) for payload in payloads) == 200
    assert len(payloads) < 20
    assert sorted(names) == sorted(f"item {number}" for number in range(200))


@every_protocol
def test_every_signal_passes_through(protocol: str) -> None:
    """
    Traces, metrics, logs and profiles all find their way; profiles are never joined.
    """
    inbox = Inbox()
    batches = [Batch(signal, a_payload(signal, 5)) for signal in Signal for _ in range(3)]

    async def scenario() -> None:
        async with receiving(inbox) as server:
            exporters = {"otlphttp": {"endpoint": f"http://127.0.0.1:{server.http_port}"}}
            async with a_pipeline(exporters, processors={"batch": {}}) as pipeline:
                await send_to(pipeline, protocol, *batches)

    run(scenario())

    for signal in Signal:
        payloads = inbox.payloads(signal)
        assert sum(count_items(signal, payload) for payload in payloads) == 15
    assert inbox.payloads(Signal.PROFILES) == [a_payload(Signal.PROFILES, 5)] * 3


@every_protocol
def test_full_queue_tells_the_sender_to_come_again(protocol: str) -> None:
    """
    While the next server is busy, the queue takes what it has room for and refuses the rest for
    now; all that it took is delivered.
    """
    batch = Batch(Signal.LOGS, a_payload(Signal.LOGS, 10))

    async def scenario() -> tuple[int, float | None, Inbox]:
        inbox = Inbox(released=asyncio.Event())
        assert inbox.released is not None
        async with receiving(inbox) as server:
            exporter = {
                "endpoint": f"127.0.0.1:{server.grpc_port}",
                "sending_queue": {"queue_size": f"{10 * batch.size}B"},
            }
            async with a_pipeline({"otlp": exporter}) as pipeline:
                accepted = 0
                with pytest.raises(RetryableError) as refused:
                    while True:
                        await send_to(pipeline, protocol, batch)
                        accepted += 1
                inbox.released.set()
        return accepted, refused.value.after_s, inbox

    accepted, after_s, inbox = run(scenario())

    assert accepted == len(inbox.batches)
    assert 0 < accepted <= 10
    assert (after_s or 0) >= 1


@every_protocol
def test_malformed_requests_get_no_further_than_the_receiver(protocol: str) -> None:
    """
    A malformed request is refused for good; the requests around it are delivered.
    """
    inbox = Inbox()
    good = Batch(Signal.TRACES, a_payload(Signal.TRACES))

    async def scenario() -> None:
        async with receiving(inbox) as server:
            exporters = {"otlp": {"endpoint": f"127.0.0.1:{server.grpc_port}"}}
            async with a_pipeline(exporters, processors={"batch": {}}) as pipeline:
                await send_to(pipeline, protocol, good)
                with pytest.raises(PermanentError, match="malformed traces request of 5 bytes"):
                    await send_to(pipeline, protocol, Batch(Signal.TRACES, b"hello"))
                await send_to(pipeline, protocol, good)

    run(scenario())

    assert sum(count_items(Signal.TRACES, p) for p in inbox.payloads(Signal.TRACES)) == 2


def test_partial_success_is_counted() -> None:
    """
    What the next server rejected of a batch it took is counted as rejected, not as sent.
    """
    response = SERVICES[Signal.TRACES].response()
    response.partial_success.rejected_spans = 2  # type: ignore[attr-defined]
    response.partial_success.error_message = "too old"  # type: ignore[attr-defined]

    async def scenario() -> dict[str, int]:
        stub = HttpStub(
            body=response.SerializeToString(), headers={"content-type": "application/x-protobuf"}
        )
        async with http_stub(stub):
            async with a_pipeline({"otlphttp": {"endpoint": stub.url}}) as pipeline:
                await send_to(pipeline, "grpc", Batch(Signal.TRACES, a_payload(Signal.TRACES, 5)))
            return pipeline.telemetry.summary()

    counts = run(scenario())

    assert (counts["accepted"], counts["rejected"], counts["sent"]) == (5, 2, 3)
