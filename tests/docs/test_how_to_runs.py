"""
The configurations of how-to pages do what their pages say, from one socket to another.
"""

import asyncio
import urllib.request
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from docs.pages import TOP, blocks
from otelwasm.pipeline.batch import Batch
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from otelwasm.testing import a_span, traces
from otelwasm_sdk import Traces
from pipeline.fakes import MemoryExporter, registry_for_wasm

# Whom the pages send to, each with a number for what it got.
_OTHERS = ("127.0.0.1:14317", "127.0.0.1:24317", "https://otlp.example.com:4317")
_LISTENING = "{grpc: {}, http: {}}"
_SINK = {
    "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:0"}}}},
    "exporters": {"memory": {}},
    "service": {
        "pipelines": {
            signal: {"receivers": ["otlp"], "exporters": ["memory"]}
            for signal in ("traces", "metrics", "logs")
        }
    },
}


async def sent_on(folder: Path, page: str, *batches: Traces, title: str) -> list[list[Batch]]:
    """
    What each of the other sides has got of *batches* when a page's pipeline is stopped.
    """
    (folder / "guests").symlink_to(TOP / "guests")
    files = {block.title: block.text for block in blocks(f"howto/{page}.md") if block.title}
    async with AsyncExitStack() as stack:
        exporters: list[MemoryExporter] = []
        config = files[title].replace(
            _LISTENING, '{grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}'
        )
        for other in _OTHERS:
            sink = Pipeline(_SINK, folder=folder, registry=registry_for_wasm())
            await stack.enter_async_context(sink)
            exporters.append(sink.exporter("memory"))
            config = config.replace(other, f"http://127.0.0.1:{sink.receiver('otlp').grpc_port}")
        for name, text in {**files, title: config}.items():
            (folder / name).write_text(text)
        async with Pipeline.from_yaml(folder / title) as pipeline:
            url = f"http://127.0.0.1:{pipeline.receiver('otlp').http_port}/v1/traces"
            for batch in batches:
                await asyncio.to_thread(_post, url, bytes(batch))
        # The sinks are stopped when what they got is delivered.
    return [exporter.batches for exporter in exporters]


def _post(url: str, body: bytes) -> None:
    headers = {"content-type": "application/x-protobuf"}
    request = urllib.request.Request(url, body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert 200 == answer.status


def resources(batches: list[Batch]) -> list[ResourceSpans]:
    """
    The traces among *batches*.
    """
    return [
        each
        for batch in batches
        if batch.signal is Signal.TRACES
        for each in ExportTraceServiceRequest.FromString(batch.payload).resource_spans
    ]


def texts(batches: list[Batch]) -> Mapping[str, str]:
    """
    The attributes of resources and spans that are text, all together.
    """
    found = {}
    for resource in resources(batches):
        groups = [resource.resource.attributes]
        groups += [span.attributes for scope in resource.scope_spans for span in scope.spans]
        found |= {each.key: each.value.string_value for group in groups for each in group}
    return found


def spans(batches: list[Batch]) -> list[str]:
    """
    The names of the spans, in order.
    """
    scopes = [scope for resource in resources(batches) for scope in resource.scope_spans]
    return sorted(span.name for scope in scopes for span in scope.spans)


def ran(
    folder: Path, page: str, *batches: Traces, title: str = "pipeline.yaml"
) -> list[list[Batch]]:
    """
    Run a page's pipeline; the first one on a machine makes what Python plugins run in.
    """
    return asyncio.run(asyncio.wait_for(sent_on(folder, page, *batches, title=title), 240))


def test_redact(tmp_path: Path) -> None:
    """
    User ids are hashed, cards and addresses masked, and the rest stays.
    """
    attributes = {"enduser.id": "ada", "note": "4111 1111 1111 1111", "to": "a@b.example"}
    ours, *_ = ran(tmp_path, "redact", traces(a_span("buy", attributes={**attributes, "n": "x"})))
    found = texts(ours)

    assert 64 == len(found.pop("enduser.id"))
    assert {"note": "<card>", "to": "<email>", "n": "x"} == found


def test_filter(tmp_path: Path) -> None:
    """
    What meets one of the conditions is dropped.
    """
    get = {"http.request.method": "GET"}
    of_a_test = {"deployment.environment.name": "test"}
    ours, *_ = ran(
        tmp_path,
        "filter",
        traces(a_span("GET /health", attributes=get), a_span("GET /health"), a_span("GET /")),
        traces(a_span("tested"), resource=of_a_test),
    )

    assert ["GET /", "GET /health"] == spans(ours)


def test_sample(tmp_path: Path) -> None:
    """
    Errors and slow traces are kept; an orderly stop decides what is held.
    """
    ours, *_ = ran(
        tmp_path,
        "sample",
        traces(
            a_span("bad", trace_id="0" * 31 + "1", is_error=True),
            a_span("slow", trace_id="0" * 31 + "2", duration_s=1.5),
        ),
    )

    assert ["bad", "slow"] == spans(ours)


def test_enrich(tmp_path: Path) -> None:
    """
    A constant is added to all resources.
    """
    ours, *_ = ran(tmp_path, "enrich", traces(a_span("a")), title="constant.yaml")

    assert {"cloud.region": "eu-central-1", "k8s.cluster.name": "blue"} == texts(ours)


def test_route_everywhere(tmp_path: Path) -> None:
    """
    Several exporters get the same.
    """
    ours, _, vendor = ran(tmp_path, "route", traces(a_span("a")), title="everywhere.yaml")

    assert [["a"], ["a"]] == [spans(ours), spans(vendor)]


def test_route_by_content(tmp_path: Path) -> None:
    """
    Each team's services go to its own, and the rest elsewhere.
    """
    batches = [traces(a_span(name), resource={"service.name": name}) for name in ("pay", "shop")]
    rest, payments, _ = ran(tmp_path, "route", *batches)

    assert [["pay"], ["shop"]] == [spans(payments), spans(rest)]


def test_span_metrics(tmp_path: Path) -> None:
    """
    Traces go on to be sampled, and their metrics beside them.
    """
    ours, *_ = ran(tmp_path, "span-metrics", traces(a_span("a", is_error=True)))

    assert ["a"] == spans(ours)
    assert [True] == [
        b"traces.span.metrics.calls" in batch.payload
        for batch in ours
        if batch.signal is Signal.METRICS
    ]
