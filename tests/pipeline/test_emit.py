"""
What a plugin emits goes on behind it, in every pipeline of its signal that lists the plugin.
"""

import asyncio
import threading
from pathlib import Path

import pytest

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import (
    FakePlugin,
    MemoryExporter,
    a_batch,
    a_plugin_file,
    in_a_loop,
    names_in,
    refuse,
    registry,
)


def config(
    folder: Path,
    pipelines: dict[str, dict[str, list[str]]],
    *,
    tick: str | None = None,
    exporter: dict[str, object] | None = None,
) -> dict[str, object]:
    """
    Pipelines around the processor `wasm/plugin` and the exporters `memory` and `memory/two`.
    """
    plugin: dict[str, object] = {"plugin": a_plugin_file(folder)}
    if tick is not None:
        plugin["tick_interval"] = tick
    return {
        "receivers": {"memory": {}},
        "processors": {"wasm/plugin": plugin, "wasm/next": {"plugin": a_plugin_file(folder)}},
        "exporters": {"memory": exporter or {}, "memory/two": {}},
        "service": {
            "pipelines": pipelines,
            "quarantine": {"directory": str(folder / "quarantine")},
            "shutdown_timeout": "5s",
        },
    }


def route(
    *processors: str, receivers: tuple[str, ...] = ("memory",), exporter: str = "memory"
) -> dict[str, list[str]]:
    """
    One pipeline.
    """
    return {
        "receivers": [*receivers],
        "processors": [*processors],
        "exporters": [exporter],
    }


@in_a_loop
async def test_metrics_made_from_traces_go_on_in_the_metrics_pipeline(tmp_path: Path) -> None:
    """
    A batch of another signal continues behind the plugin where a pipeline of that signal lists it.
    """
    count = a_batch("calls", signal=Signal.METRICS)

    def spanmetrics(plugin: FakePlugin, _: Signal, payload: bytes) -> bytes:
        plugin.emit(Signal.METRICS, count.payload)
        return payload

    def suffixed(_: FakePlugin, signal: Signal, payload: bytes) -> bytes:
        assert signal is Signal.METRICS
        return a_batch("behind", signal=Signal.METRICS).payload

    plugins = {
        "plugin": FakePlugin(spanmetrics, signals=frozenset({Signal.TRACES})),
        "next": FakePlugin(suffixed),
    }
    pipelines = {
        "traces": route("wasm/plugin"),
        "metrics": route("wasm/plugin", "wasm/next", receivers=(), exporter="memory/two"),
    }
    async with Pipeline(config(tmp_path, pipelines), registry=registry(**plugins)) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("span"))
        traces = await pipeline.exporter("memory").received(1)
        metrics = await pipeline.exporter("memory/two").received(1)

    assert names_in(traces[0]) == ["span"]
    assert (metrics[0].signal, names_in(metrics[0])) == (Signal.METRICS, ["behind"])
    assert pipeline.telemetry.total_items("emitted") == 1


@in_a_loop
async def test_emitting_a_signal_without_a_pipeline_is_a_permanent_failure(tmp_path: Path) -> None:
    """
    The plugin is told what is missing in the configuration, by the processor's id.
    """
    heard: list[str] = []

    def emit_logs(plugin: FakePlugin, _: Signal, payload: bytes) -> bytes:
        with pytest.raises(PermanentError) as caught:
            plugin.emit(Signal.LOGS, payload)
        heard.append(str(caught.value))
        return payload

    kinds = registry(plugin=FakePlugin(emit_logs))
    pipelines = {"traces": route("wasm/plugin")}
    async with Pipeline(config(tmp_path, pipelines), registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch())

    assert heard == [
        "it emitted logs, but no logs pipeline lists it: add wasm/plugin to the processors of one"
    ]


@in_a_loop
async def test_a_plugin_hears_that_what_it_emits_is_not_taken(tmp_path: Path) -> None:
    """
    A full queue behind the plugin is a retryable failure of `emit`.
    """
    heard: list[Exception] = []

    def emit_twice(plugin: FakePlugin, signal: Signal, payload: bytes) -> None:
        plugin.emit(signal, payload)
        try:
            plugin.emit(signal, payload)
        except RetryableError as error:
            heard.append(error)

    kinds = registry(plugin=FakePlugin(emit_twice))
    settings = config(tmp_path, {"traces": route("wasm/plugin")}, exporter=one_batch_and_no_retry())
    async with Pipeline(settings, registry=kinds) as pipeline:
        exporter = pipeline.exporter("memory")
        exporter.answer = refuse(RetryableError("down"))
        await pipeline.receiver("memory").receive(a_batch())
        exporter.answer = None

    assert [str(error)[:35] for error in heard] == ["exporter/memory: 268 B wait already"]


@in_a_loop
async def test_a_tick_lets_a_plugin_send_by_time(tmp_path: Path) -> None:
    """
    `tick_interval` calls the plugin between batches; what it emits then is sent.
    """
    held: list[bytes] = []

    def hold(_: FakePlugin, __: Signal, payload: bytes) -> None:
        held.append(payload)

    def release(plugin: FakePlugin) -> None:
        while held:
            plugin.emit(Signal.TRACES, held.pop(0))

    kinds = registry(plugin=FakePlugin(hold, tick=release))
    settings = config(tmp_path, {"traces": route("wasm/plugin")}, tick="5ms")
    async with Pipeline(settings, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("held"))
        batches = await pipeline.exporter("memory").received(1)

    assert names_in(batches[0]) == ["held"]


@in_a_loop
async def test_a_failing_tick_is_tried_again(tmp_path: Path) -> None:
    """
    One tick that fails does not end the ticking, not even by a defect of the host.
    """
    ticked = threading.Event()
    failures = [PermanentError("not now"), ZeroDivisionError("defect")]

    def tick(_: FakePlugin) -> None:
        if failures:
            raise failures.pop()
        ticked.set()

    kinds = registry(plugin=FakePlugin(lambda _, __, payload: payload, tick=tick))
    settings = config(tmp_path, {"traces": route("wasm/plugin")}, tick="1ms")
    async with Pipeline(settings, registry=kinds):
        assert await asyncio.to_thread(ticked.wait, 5)


@in_a_loop
async def test_stopping_flushes_what_a_plugin_holds_back(tmp_path: Path) -> None:
    """
    What the plugin emits in its `stop` passes the next steps and reaches the exporter.
    """
    held: list[bytes] = []

    def hold(_: FakePlugin, __: Signal, payload: bytes) -> None:
        held.append(payload)

    def flush(plugin: FakePlugin) -> None:
        for payload in held:
            plugin.emit(Signal.TRACES, payload)

    behind = FakePlugin(lambda _, __, ___: a_batch("behind").payload)
    plugin = FakePlugin(hold, stop=flush)
    settings = config(tmp_path, {"traces": route("wasm/plugin", "wasm/next")})
    async with Pipeline(settings, registry=registry(plugin=plugin, next=behind)) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("held"))
        exporter: MemoryExporter = pipeline.exporter("memory")

    assert exporter.names == ["behind"]
    assert plugin.is_closed
    assert behind.is_closed


@in_a_loop
async def test_a_flush_that_is_refused_ends_in_the_quarantine(tmp_path: Path) -> None:
    """
    At shutdown nobody can try again later: what is refused for good is kept.
    """
    held: list[bytes] = []

    def hold(_: FakePlugin, __: Signal, payload: bytes) -> None:
        held.append(payload)

    def flush(plugin: FakePlugin) -> None:
        for payload in held:
            plugin.emit(Signal.TRACES, payload)

    def fail(*_: object) -> None:
        raise PermanentError("plugin 'next': no")

    kinds = registry(plugin=FakePlugin(hold, stop=flush), next=FakePlugin(fail))
    settings = config(tmp_path, {"traces": route("wasm/plugin", "wasm/next")})
    batch = a_batch("held")
    async with Pipeline(settings, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(batch)

    (kept,) = (tmp_path / "quarantine").glob("*-processor-wasm-plugin-traces.otlp")

    assert batch.payload == kept.read_bytes()


@in_a_loop
async def test_a_flush_into_a_full_queue_waits_for_room(tmp_path: Path) -> None:
    """
    At shutdown the host tries again for the plugin, until the exporter has room.
    """

    def flush(plugin: FakePlugin) -> None:
        for number in range(5):
            plugin.emit(Signal.TRACES, a_batch(f"span {number}").payload)

    plugin = FakePlugin(lambda _, __, payload: payload, stop=flush)
    settings = config(tmp_path, {"traces": route("wasm/plugin")}, exporter=one_batch_and_no_retry())
    async with Pipeline(settings, registry=registry(plugin=plugin)) as pipeline:
        exporter: MemoryExporter = pipeline.exporter("memory")

    assert [f"span {number}" for number in range(5)] == exporter.names


@in_a_loop
async def test_a_busy_plugin_takes_a_bounded_number_of_bytes(tmp_path: Path) -> None:
    """
    Beyond `limits.waiting` a batch is refused at once, and the message names the plugin.
    """
    go_on = threading.Event()

    def block(_: FakePlugin, __: Signal, payload: bytes) -> bytes:
        go_on.wait(10)
        return payload

    settings = config(tmp_path, {"traces": route("wasm/plugin")})
    settings["processors"]["wasm/plugin"]["limits"] = {"waiting": "700B"}  # type: ignore[index]
    async with Pipeline(settings, registry=registry(plugin=FakePlugin(block))) as pipeline:
        receive = pipeline.receiver("memory").receive
        waiting = [asyncio.create_task(receive(a_batch())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RetryableError, match="wait already"):
            await receive(a_batch())
        go_on.set()
        await asyncio.gather(*waiting)


@in_a_loop
async def test_numbers_and_lines_of_a_guest_reach_the_host(tmp_path: Path) -> None:
    """
    What a plugin measures is served among the host's metrics, with the plugin's name.
    """

    def measure(plugin: FakePlugin, _: Signal, payload: bytes) -> bytes:
        plugin.meter("add", "spans.hashed", 2.0, (("kind", "user"),))
        plugin.meter("observe", "batch size", 7.0, ())
        plugin.log("warn", "look at this", (("event", "x"),))
        return payload

    kinds = registry(plugin=FakePlugin(measure))
    settings = config(tmp_path, {"traces": route("wasm/plugin")})
    async with Pipeline(settings, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch())

    value = pipeline.telemetry.registry.get_sample_value

    assert value("otelwasm_guest_spans_hashed_total", {"plugin": "plugin", "kind": "user"}) == 2.0
    assert value("otelwasm_guest_batch_size_sum", {"plugin": "plugin"}) == 7.0


def one_batch_and_no_retry() -> dict[str, object]:
    """
    An exporter's settings with room for one tiny batch, and an attempt again only at shutdown.
    """
    return {
        "sending_queue": {"queue_size": "300B"},
        "retry_on_failure": {"initial_interval": "1h", "max_interval": "1h", "max_elapsed_time": 0},
    }
