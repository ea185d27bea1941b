"""
Wasm plugins as exporters: receipts, failures and faults, each with a queue of its own.
"""

import asyncio
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog

from otelwasm.errors import ComponentError, PluginStartError, SetupError
from otelwasm.pipeline.batch import Batch
from otelwasm.registry import Registry
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from otelwasm.telemetry import Event
from pipeline.fakes import a_batch, in_a_loop, names_in, registry_for_wasm
from plugins.guests import LIFECYCLE, LOG, exporter, posting, processor
from plugins.wat import component
from unit.outbound.serving import Reply, server

TAKES = exporter("(call $receipt)")
TRAPS = exporter("unreachable")
LOOPS = exporter("(loop (br 0)) unreachable")
# Says "not now, in 30 ms" to the first two calls of an instance.
BUSY = exporter(
    """
    (i32.store (i32.const 900) (i32.add (i32.load (i32.const 900)) (i32.const 1)))
    (drop (call $receipt))
    (if (i32.le_u (i32.load (i32.const 900)) (i32.const 2)) (then
      (i32.store8 (i32.const 512) (i32.const 1)) (i32.store8 (i32.const 520) (i32.const 1))
      (i32.store8 (i32.const 532) (i32.const 1)) (i32.store (i32.const 536) (i32.const 30))))
    (i32.const 512)"""
)
# Refuses three items of each batch.
PARTIAL = exporter(
    "(drop (call $receipt)) (i64.store (i32.const 520) (i64.const 3)) "
    "(i32.store (i32.const 528) (i32.const 0)) (i32.store (i32.const 532) (i32.const 4)) "
    "(i32.const 512)",
    imports='(data (i32.const 0) "full")',
)
ONLY_TRACES = exporter(
    "(call $receipt)",
    lifecycle=LIFECYCLE.replace("1028) (i32.const 127)", "1028) (i32.const 1)"),
)
# Writes to the log when it is stopped, and each time it ticks.
SPEAKS = exporter(
    "(call $receipt)",
    imports=LOG + '(data (i32.const 0) "flushed") (data (i32.const 16) "ticked")',
    lifecycle=LIFECYCLE.replace(
        '#stop") (result i32) ',
        '#stop") (result i32) (call $log (i32.const 1) (i32.const 0) (i32.const 7) '
        "(i32.const 0) (i32.const 0)) ",
    ).replace(
        '#tick") (result i32) ',
        '#tick") (result i32) (call $log (i32.const 1) (i32.const 16) (i32.const 6) '
        "(i32.const 0) (i32.const 0)) ",
    ),
)


def kinds() -> Registry:
    """
    Receivers in memory; exporters in memory and by plugins.
    """
    found = registry_for_wasm()
    wasm = Registry.built_in().exporters["wasm"]
    return attrs.evolve(found, exporters={**found.exporters, "wasm": wasm})


def config(folder: Path, plugins: dict[str, str], **settings: Any) -> dict[str, Any]:
    """
    Traces and logs from memory to each of *plugins* and to memory; *settings* for each plugin.
    """
    exporters: dict[str, Any] = {"memory": {}}
    for name, core in plugins.items():
        world = "processor" if "processing@" in core else "exporter"
        (folder / f"{name}.wasm").write_bytes(component(core, world))
        exporters[f"wasm/{name}"] = {
            "plugin": str(folder / f"{name}.wasm"),
            "retry_on_failure": {"initial_interval": "1ms", "max_elapsed_time": "200ms"},
            **settings,
        }
    route = {"receivers": ["memory"], "exporters": list(exporters)}
    return {
        "receivers": {"memory": {}},
        "exporters": exporters,
        "service": {
            "pipelines": {"traces": route, "logs": route},
            "quarantine": {"directory": str(folder / "quarantine")},
            "shutdown_timeout": "5s",
        },
    }


async def counted(pipeline: Pipeline, event: Event, items: int) -> None:
    """
    Wait until *event* happened to so many items.
    """
    telemetry, reached = pipeline.telemetry, asyncio.Event()
    count = telemetry.count

    def counting(*args: Any, **kwargs: Any) -> None:
        count(*args, **kwargs)
        if telemetry.total_items(event) >= items:
            reached.set()

    telemetry.count = counting  # type: ignore[method-assign] # calls go through the instance
    try:
        if telemetry.total_items(event) < items:
            await asyncio.wait_for(reached.wait(), 10)
    finally:
        telemetry.count = count  # type: ignore[method-assign]


def quarantined(folder: Path) -> list[str]:
    """
    Which spans the quarantine has, twice each: once from each of two exporters.
    """
    kept = (folder / "quarantine").glob("*.otlp")
    names = sorted(
        name for path in kept for name in names_in(Batch(Signal.TRACES, path.read_bytes()))
    )
    assert names[::2] == names[1::2]
    return names[::2]


@in_a_loop
async def test_batches_are_delivered(tmp_path: Path) -> None:
    """
    A plugin takes its copy as any exporter does.
    """
    async with Pipeline(config(tmp_path, {"takes": TAKES}), registry=kinds()) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("a", "b"))
        await counted(pipeline, "sent", 4)

    assert {"accepted": 2, "sent": 4} == pipeline.telemetry.summary()


@in_a_loop
async def test_a_receipt_in_part_is_counted(tmp_path: Path) -> None:
    """
    What the other side refused is counted as rejected, the rest as sent.
    """
    async with Pipeline(config(tmp_path, {"partial": PARTIAL}), registry=kinds()) as pipeline:
        with structlog.testing.capture_logs() as lines:
            await pipeline.receiver("memory").receive(a_batch("a", "b", "c", "d"))
            await counted(pipeline, "rejected", 3)

    assert {"accepted": 4, "sent": 5, "rejected": 3} == pipeline.telemetry.summary()
    assert ["full"] == [line["message"] for line in lines if "rejected" in line]


@in_a_loop
async def test_a_plugin_says_when_to_try_again(tmp_path: Path) -> None:
    """
    Its own delay counts where it is longer than the configured one; then the batch is delivered.
    """
    async with Pipeline(config(tmp_path, {"busy": BUSY}), registry=kinds()) as pipeline:
        with structlog.testing.capture_logs() as lines:
            await pipeline.receiver("memory").receive(a_batch("a"))
            await counted(pipeline, "sent", 2)

    retries = [line for line in lines if line["event"].startswith("delivery failed")]
    assert [0.03, 0.03] == [line["after_s"] for line in retries]
    assert {"accepted": 1, "sent": 2, "retried": 2} == pipeline.telemetry.summary()


@in_a_loop
async def test_an_endpoint_that_is_down(tmp_path: Path) -> None:
    """
    The batch is tried again within the limits, then counted and quarantined; others lose nothing.
    """
    with server() as gone:
        pass
    settings = config(
        tmp_path,
        {"posts": posting(gone.url)},
        capabilities={"http": {"allow": [{"url": gone.url, "methods": ["POST"]}]}},
    )
    batch = a_batch("a")
    async with Pipeline(settings, registry=kinds()) as pipeline:
        await pipeline.receiver("memory").receive(batch)
        await counted(pipeline, "quarantined", 1)
        assert ["a"] == pipeline.exporter("memory").names
    [kept] = (tmp_path / "quarantine").glob("*.otlp")
    summary = pipeline.telemetry.summary()

    assert batch.payload == kept.read_bytes()
    assert summary["retried"] >= 2
    assert "Connection refused" in kept.with_suffix(".json").read_text()


@in_a_loop
async def test_an_endpoint_gets_the_batch(tmp_path: Path) -> None:
    """
    It arrives once, whole, with the credentials that the host adds.
    """
    with server() as running:
        settings = config(
            tmp_path,
            {"posts": posting(f"{running.url}/v1/traces")},
            capabilities={
                "http": {
                    "allow": [
                        {"url": running.url, "methods": ["POST"], "headers": {"x-key": "s3cret"}}
                    ]
                }
            },
        )
        batch = a_batch("a")
        async with Pipeline(settings, registry=kinds()) as pipeline:
            await pipeline.receiver("memory").receive(batch)
            await counted(pipeline, "sent", 2)
    [asked] = running.asked

    assert (batch.payload, "/v1/traces") == (asked.body, asked.target)
    assert "s3cret" == asked.headers["x-key"]


@in_a_loop
async def test_a_request_that_is_not_allowed(tmp_path: Path) -> None:
    """
    It is an error value in the plugin, here a permanent failure, and a warning in the log.
    """
    settings = config(
        tmp_path,
        {"posts": posting("http://127.0.0.1:9/")},
        capabilities={"http": {"allow": ["http://127.0.0.1:8/"]}},
    )
    with structlog.testing.capture_logs() as lines:
        async with Pipeline(settings, registry=kinds()) as pipeline:
            await pipeline.receiver("memory").receive(a_batch("a"))
            await counted(pipeline, "quarantined", 1)

    [warning] = [line for line in lines if line["event"].startswith("http request refused")]
    assert ("warning", "posts") == (warning["log_level"], warning["plugin"])
    assert 'add {url: "http://127.0.0.1:9/", methods: [POST]}' in warning["event"]


@in_a_loop
async def test_nothing_is_granted_by_default(tmp_path: Path) -> None:
    """
    Without the capability the plugin hears what would grant it.
    """
    settings = config(tmp_path, {"posts": posting("http://127.0.0.1:9/")})
    async with Pipeline(settings, registry=kinds()) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("a"))
        await counted(pipeline, "quarantined", 1)
    [note] = (tmp_path / "quarantine").glob("*.json")

    assert "`http` is not granted" in note.read_text()


@in_a_loop
async def test_broken_and_slow_exporters_hold_nobody_up(tmp_path: Path) -> None:
    """
    One traps, one never returns: the third and the one in memory get every batch.
    """
    plugins = {"traps": TRAPS, "loops": LOOPS, "takes": TAKES}
    settings = config(tmp_path, plugins, limits={"deadline": "50ms"})
    async with Pipeline(settings, registry=kinds()) as pipeline:
        for number in range(5):
            await pipeline.receiver("memory").receive(a_batch(f"span {number}"))
        await counted(pipeline, "sent", 10)
        await counted(pipeline, "quarantined", 10)
        value = pipeline.telemetry.registry.get_sample_value
        faults = {
            name: value(
                "otelwasm_plugin_faults_total", {"component": f"exporter/wasm/{name}", "kind": kind}
            )
            for name, kind in (("traps", "trap"), ("loops", "deadline"))
        }

    assert [f"span {number}" for number in range(5)] == quarantined(tmp_path)
    assert {"traps": 10, "loops": 10} == faults
    assert 10 == pipeline.telemetry.total_items("failed")


@in_a_loop
async def test_instances_deliver_at_the_same_time(tmp_path: Path) -> None:
    """
    A second instance takes the next batch while the first one waits for its server.
    """
    both = asyncio.Event()
    loop = asyncio.get_running_loop()
    asked: list[bytes] = []

    def answer(request: Any) -> Reply:
        asked.append(request.body)
        if len(asked) == 2:
            loop.call_soon_threadsafe(both.set)
        asyncio.run_coroutine_threadsafe(both.wait(), loop).result(10)
        return Reply()

    with server(answer) as running:
        settings = config(
            tmp_path,
            {"posts": posting(running.url)},
            instances=2,
            capabilities={"http": {"allow": [{"url": running.url, "methods": ["POST"]}]}},
        )
        async with Pipeline(settings, registry=kinds()) as pipeline:
            await pipeline.receiver("memory").receive(a_batch("a"))
            await pipeline.receiver("memory").receive(a_batch("b"))
            await counted(pipeline, "sent", 4)

    assert 2 == len(asked)


@in_a_loop
async def test_stopping_flushes(tmp_path: Path) -> None:
    """
    The plugin is ticked, and stopped after its queue is empty.
    """
    settings = config(tmp_path, {"speaks": SPEAKS}, tick_interval="10ms")
    ticked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def notice(_: object, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if line["event"] == "ticked":
            loop.call_soon_threadsafe(ticked.set)
        return line

    with structlog.testing.capture_logs(processors=[notice]) as lines:
        async with Pipeline(settings, registry=kinds()):
            await asyncio.wait_for(ticked.wait(), 10)

    assert 1 == [line["event"] for line in lines].count("flushed")


@in_a_loop
async def test_the_log_has_a_limit(tmp_path: Path) -> None:
    """
    Lines beyond `log_lines` are left out; how many is said at the end.
    """
    settings = config(tmp_path, {"speaks": SPEAKS}, limits={"log_lines": 0})
    with structlog.testing.capture_logs() as lines:
        async with Pipeline(settings, registry=kinds()):
            pass

    assert ["1"] == [line["guest.left_out"] for line in lines if "guest.left_out" in line]
    assert "flushed" not in [line["event"] for line in lines]


@in_a_loop
async def test_a_plugin_of_another_kind_is_refused(tmp_path: Path) -> None:
    """
    The message says what it is and what it should be, where the configuration names it.
    """
    settings = config(tmp_path, {"wrong": processor("(call $pass)")})

    with pytest.raises(ComponentError, match="'processor'; expected 'exporter'") as caught:
        await Pipeline(settings, registry=kinds()).check()
    assert "exporters.wasm/wrong" in str(caught.value)


@in_a_loop
async def test_a_signal_that_is_not_handled_is_refused(tmp_path: Path) -> None:
    """
    A pipeline of logs cannot end in a plugin for traces: `check` says so.
    """
    settings = config(tmp_path, {"narrow": ONLY_TRACES})

    with pytest.raises(PluginStartError, match="plugin 'narrow' does not handle logs") as caught:
        await Pipeline(settings, registry=kinds()).check()
    assert "exporters.wasm/narrow" in str(caught.value)


@in_a_loop
async def test_state_has_a_file(tmp_path: Path) -> None:
    """
    A granted state has a file named after the component. A second pipeline cannot share it, but
    be checked.
    """
    settings = config(tmp_path, {"takes": TAKES}, capabilities={"state": {}})
    settings["service"]["state"] = {"directory": str(tmp_path / "state")}
    async with Pipeline(settings, registry=kinds()) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("a", signal=Signal.LOGS))

        await Pipeline(settings, registry=kinds()).check()
        with pytest.raises(SetupError, match="another program uses it"):
            await Pipeline(settings, registry=kinds()).__aenter__()

    assert ["exporter.wasm.takes.sqlite"] == [path.name for path in (tmp_path / "state").iterdir()]
