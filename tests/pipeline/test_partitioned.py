"""
Several instances of a plugin share the traces: all of one trace go to the same instance.
"""

from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import FakePlugin, a_plugin_file, in_a_loop, registry


def traces(*last_bytes: int) -> Batch:
    """
    Make a batch with a span of each trace, by the last byte of its id, which is its name, too.
    """
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for last in last_bytes:
        spans.add(trace_id=bytes([*range(1, 16), last]), name=str(last))
    return Batch(Signal.TRACES, request.SerializeToString())


def names_in(payload: bytes) -> list[str]:
    """
    Read back the names of the spans.
    """
    request = ExportTraceServiceRequest.FromString(payload)
    scopes = [scope for group in request.resource_spans for scope in group.scope_spans]
    return [span.name for scope in scopes for span in scope.spans]


def config(folder: Path, exporters: int = 1, pipelines: int = 1) -> dict[str, object]:
    """
    Pipelines with one plugin of two instances.
    """
    names = [f"memory/{number}" for number in range(exporters)]
    pipeline = {"receivers": ["memory"], "processors": ["wasm/p"], "exporters": names}
    plugin = {"plugin": a_plugin_file(folder), "instances": 2, "partition_by": "trace_id"}
    return {
        "receivers": {"memory": {}},
        "processors": {"wasm/p": plugin},
        "exporters": {name: {} for name in names},
        "service": {"pipelines": {f"traces/{number}": pipeline for number in range(pipelines)}},
    }


@pytest.mark.parametrize("pipelines", [1, 2])
@in_a_loop
async def test_each_instance_has_its_traces(tmp_path: Path, pipelines: int) -> None:
    """
    An instance is given the spans of its own traces only, whether one pipeline asks it or several.
    """
    calls: list[tuple[int | None, list[str]]] = []

    def process(plugin: FakePlugin, signal: Signal, payload: bytes) -> bytes:
        calls.append((plugin.asked[len(calls)], names_in(payload)))
        return payload

    kinds = registry(p=FakePlugin(process))
    async with Pipeline(config(tmp_path, pipelines=pipelines), registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(traces(1, 2, 3, 4))
        batches = await pipeline.exporter("memory/0").received(pipelines)

    assert [(0, ["2", "4"]), (1, ["1", "3"])] == sorted(calls)[:: len(calls) // 2]
    sent = [name for batch in batches for name in names_in(batch.payload)]
    assert sorted(["1", "2", "3", "4"] * pipelines) == sorted(sent)


@in_a_loop
async def test_a_part_that_may_come_again_outweighs_one_that_may_not(tmp_path: Path) -> None:
    """
    The sender hears "later" if one instance says so, whatever the other says.
    """

    def process(plugin: FakePlugin, signal: Signal, payload: bytes) -> bytes:
        if "1" in names_in(payload):
            raise RetryableError("later")
        raise PermanentError("never")

    async with Pipeline(config(tmp_path), registry=registry(p=FakePlugin(process))) as pipeline:
        with pytest.raises(RetryableError, match="later"):
            await pipeline.receiver("memory").receive(traces(1, 2))
