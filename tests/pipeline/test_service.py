"""
A pipeline in somebody's own program: it starts whole or not at all, and stops when asked to.
"""

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import attrs
import pytest

from otelwasm.errors import ConfigError, PluginStartError, SetupError
from otelwasm.otlp.checking import PayloadCheck
from otelwasm.otlp.rejected import Rejected
from otelwasm.pipeline.batch import Batch
from otelwasm.registry import ExporterKind, ReceiverKind
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import (
    FakePlugin,
    MemoryExporter,
    MemoryExporterConfig,
    MemoryReceiver,
    a_batch,
    a_plugin_file,
    in_a_loop,
    registry,
)


def a_config(folder: Path, *plugins: str, **service: object) -> dict[str, object]:
    """
    A traces pipeline with *plugins*.
    """
    plugin = {"plugin": a_plugin_file(folder)}
    return {
        "receivers": {"memory": {}},
        "processors": {f"wasm/{name}": plugin for name in plugins},
        "exporters": {"memory": {}},
        "service": {
            "pipelines": {
                "traces": {
                    "receivers": ["memory"],
                    "processors": [f"wasm/{name}" for name in plugins],
                    "exporters": ["memory"],
                }
            },
            **service,
        },
    }


@in_a_loop
async def test_it_is_finished_when_it_is_asked_to_stop(tmp_path: Path) -> None:
    """
    `finished` waits for `request_stop`, which anything in the program may call.
    """
    async with Pipeline(a_config(tmp_path), registry=registry()) as pipeline:
        finished = asyncio.create_task(pipeline.finished())
        await asyncio.sleep(0)
        was_done = finished.done()
        pipeline.request_stop()
        await finished

    assert not was_done


@in_a_loop
async def test_a_plugin_that_refuses_keeps_all_from_starting(tmp_path: Path) -> None:
    """
    No receiver opens, and what was opened is closed: the exporter, the other plugins.
    """
    made: list[MemoryExporter | MemoryReceiver] = []

    def noted(part: MemoryExporter | MemoryReceiver) -> MemoryExporter | MemoryReceiver:
        made.append(part)
        return part

    good = FakePlugin(lambda _, __, payload: payload)
    kinds = registry(good=good, bad=FakePlugin(lambda _, __, ___: None, refuses="no such key"))
    receiver, exporter = kinds.receivers["memory"]().config, kinds.exporters["memory"]().config
    kinds = attrs.evolve(
        kinds,
        receivers={
            "memory": lambda: ReceiverKind(
                receiver, lambda _, __, consumer, ___: noted(MemoryReceiver(consumer))
            )
        },
        exporters={
            "memory": lambda: ExporterKind(exporter, lambda _, __, ___: noted(MemoryExporter()))
        },
    )

    with pytest.raises(PluginStartError, match="plugin 'bad' did not start: no such"):
        async with Pipeline(a_config(tmp_path, "good", "bad"), registry=kinds):
            pytest.fail("it started")

    assert [part.is_open for part in made] == [False, False]
    assert good.is_closed


@in_a_loop
async def test_all_plugins_that_refuse_are_told(tmp_path: Path) -> None:
    """
    Two refusals are one error with a line for each.
    """
    kinds = registry(
        one=FakePlugin(lambda _, __, ___: None, refuses="this"),
        two=FakePlugin(lambda _, __, ___: None, refuses="that"),
    )

    with pytest.raises(SetupError) as caught:
        await Pipeline(a_config(tmp_path, "one", "two"), registry=kinds).check()

    assert sorted(str(caught.value).splitlines()) == [
        "configuration: processors.wasm/one: plugin 'one' did not start: this",
        "configuration: processors.wasm/two: plugin 'two' did not start: that",
    ]


@in_a_loop
async def test_a_check_compiles_what_a_start_would(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After `check`, as of a container's image, nothing is left to compile for OTLP receivers.
    """
    loaded: list[PayloadCheck] = []
    monkeypatch.setattr(PayloadCheck, "load", lambda check: loaded.append(check))
    pipelines = {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}
    otlp = {"protocols": {"http": {"endpoint": "localhost:0"}}}
    parts = {"receivers": {"otlp": otlp}, "exporters": {"debug": {}}}
    await Pipeline({**parts, "service": {"pipelines": pipelines}}).check()

    assert 1 == len(loaded)


@in_a_loop
async def test_a_check_opens_nothing(tmp_path: Path) -> None:
    """
    `check` loads and ends the plugins; receivers and exporters stay closed.
    """
    plugin = FakePlugin(lambda _, __, payload: payload)
    pipeline = Pipeline(a_config(tmp_path, "plugin"), registry=registry(plugin=plugin))
    await pipeline.check()

    assert plugin.is_closed
    with pytest.raises(ValueError, match="not running"):
        pipeline.receiver("memory")


@pytest.mark.parametrize("queue", [{}, {"enabled": False}], ids=["queue", "no queue"])
@in_a_loop
async def test_what_plugins_emit_during_a_check_goes_nowhere(
    tmp_path: Path, queue: dict[str, object]
) -> None:
    """
    A plugin that emits in its `stop` ends at once: nothing is sent, kept or waited for.
    """
    plugin = FakePlugin(
        lambda _, __, payload: payload,
        stop=lambda plugin: plugin.emit(Signal.TRACES, a_batch().payload),
    )
    settings: Any = a_config(tmp_path, "plugin")
    settings["exporters"]["memory"] = {"sending_queue": queue}
    settings["service"] |= {
        "shutdown_timeout": "1h",
        "quarantine": {"directory": str(tmp_path / "quarantine")},
    }
    pipeline = Pipeline(settings, registry=registry(plugin=plugin))
    await pipeline.check()

    assert not (tmp_path / "quarantine").exists()
    assert pipeline.telemetry.total_items("emitted") == 1
    assert pipeline.telemetry.total_items("sent") == 0


@in_a_loop
async def test_a_receiver_that_cannot_listen_is_named(tmp_path: Path) -> None:
    """
    An error of the operating system becomes one message with the receiver's id.
    """

    class Unlucky(MemoryReceiver):
        async def start(self) -> None:
            raise OSError("address in use")

    kinds = registry()
    config = kinds.receivers["memory"]().config
    kinds = attrs.evolve(
        kinds,
        receivers={
            "memory": lambda: ReceiverKind(config, lambda _, __, consumer, ___: Unlucky(consumer))
        },
    )

    with pytest.raises(SetupError, match=r"receivers\.memory: address in use"):
        async with Pipeline(a_config(tmp_path), registry=kinds):
            pytest.fail("it started")


@in_a_loop
async def test_a_partial_success_is_counted(tmp_path: Path) -> None:
    """
    What the other side did not take is counted as rejected, the rest as sent.
    """

    class Picky(MemoryExporter):
        async def send(self, batch: Batch) -> Rejected | None:  # type: ignore[override]
            await super().send(batch)
            return Rejected(2, "too old")

    kinds = registry()
    config = kinds.exporters["memory"]().config
    kinds = attrs.evolve(
        kinds, exporters={"memory": lambda: ExporterKind(config, lambda _, __, ___: Picky())}
    )
    async with Pipeline(a_config(tmp_path), registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("a", "b", "c"))

    assert pipeline.telemetry.summary() == {"accepted": 3, "sent": 1, "rejected": 2}


@in_a_loop
async def test_metrics_are_served_while_it_runs(tmp_path: Path) -> None:
    """
    With an address Prometheus finds the numbers there, until the pipeline is stopped.
    """
    config = a_config(tmp_path, telemetry={"metrics": {"address": "127.0.0.1:0"}})
    async with Pipeline(config, registry=registry()) as pipeline:
        await pipeline.receiver("memory").receive(a_batch())
        url = f"http://127.0.0.1:{pipeline.metrics_port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read())

    assert b'otelwasm_accepted_items_total{component="receiver/memory",signal="traces"} 1' in text
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(urllib.request.urlopen, url, timeout=5)


@in_a_loop
async def test_health_tells_what_the_pipeline_does(tmp_path: Path) -> None:
    """
    It is unavailable until everything has started and as soon as it stops, and gone then.
    """
    heard: list[tuple[int, object]] = []

    def ask(port: int) -> None:
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/any", timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            heard.append((answer.status, json.loads(answer.read())["status"]))

    class Asking(MemoryExporter):
        async def start(self) -> None:
            await asyncio.to_thread(ask, pipeline.health_port)

        async def close(self) -> None:
            await asyncio.to_thread(ask, pipeline.health_port)

    kinds = registry()
    kind = ExporterKind(MemoryExporterConfig, lambda _, __, ___: Asking())
    kinds = attrs.evolve(kinds, exporters={"memory": lambda: kind})
    config = a_config(tmp_path, health={"address": "127.0.0.1:0"})
    pipeline = Pipeline(config, registry=kinds)
    async with pipeline:
        port = pipeline.health_port
        assert port is not None
        await asyncio.to_thread(ask, port)

    assert [(503, "starting"), (200, "running"), (503, "stopping")] == heard
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(ask, port)


@in_a_loop
async def test_a_health_address_that_is_taken_is_named(tmp_path: Path) -> None:
    """
    The program does not start where nobody could ask for it.
    """
    config = a_config(tmp_path, health={"address": "127.0.0.1:0"})
    async with Pipeline(config, registry=registry()) as first:
        config = a_config(tmp_path, health={"address": f"127.0.0.1:{first.health_port}"})
        with pytest.raises(SetupError, match=r"service\.health cannot listen on 127\.0\.0\.1:\d+"):
            await Pipeline(config, registry=registry()).__aenter__()


@in_a_loop
async def test_a_configuration_in_code_is_checked_too() -> None:
    """
    Mistakes in a mapping have their path, if no line.
    """
    with pytest.raises(ConfigError) as caught:
        Pipeline({"receivers": {}, "exporters": {}, "service": {"pipeline": {}}})

    assert str(caught.value).splitlines() == [
        "configuration: service.pipeline: unknown key; did you mean pipelines? "
        "known keys: health, pipelines, quarantine, shutdown_timeout, state, telemetry",
        "configuration: service.pipelines: missing; this key has no default",
    ]


@in_a_loop
async def test_a_new_configuration_takes_up_what_the_old_one_could_not_deliver(
    tmp_path: Path,
) -> None:
    """
    What is in a queue on disk when an exporter is replaced goes out by the new one.
    """
    old, new = MemoryExporter(), MemoryExporter()
    old.answer = lambda _: asyncio.Event().wait()
    made = iter((old, new))
    kind = ExporterKind(MemoryExporterConfig, lambda _, __, ___: next(made))
    kinds = registry()
    kinds = attrs.evolve(kinds, exporters={**kinds.exporters, "memory": lambda: kind})
    config = a_config(tmp_path, shutdown_timeout="100ms")
    config["exporters"] = {"memory": {"sending_queue": {"storage": "queue"}}}
    async with Pipeline(config, folder=tmp_path, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("stuck"))
        await pipeline.replace(pipeline.config)
        await pipeline.receiver("memory").receive(a_batch("next"))
        await new.received(2)

    assert ["next", "stuck"] == sorted(new.names)
    assert [] == list(tmp_path.rglob("*.otlp"))


def test_a_file_is_read_by_its_own_function() -> None:
    """
    A path in place of a configuration is told what reads one.
    """
    with pytest.raises(ConfigError, match=r"^p.yaml: a file is read by Pipeline.from_yaml"):
        Pipeline("p.yaml")  # type: ignore[arg-type] # that is the mistake
