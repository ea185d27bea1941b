"""
Whole pipelines with real components: what a guest does wrong stays with its own batches.
"""

import asyncio
from pathlib import Path

import pytest

from otelwasm.errors import ComponentError, PermanentError, PluginFaultError, SetupError
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, in_a_loop, names_in, registry_for_wasm
from plugins.guests import emitting, exporter, processor
from plugins.wat import component

PASS = component(processor("(call $pass)"))
TRAP = component(processor("unreachable"))
LOOP = component(processor("(loop (br 0)) unreachable"))
# Says of every batch that it makes metrics (signal 1) of the same bytes.
AS_METRICS = component(emitting("(i32.const 1) (local.get $at) (local.get $length)"))
EXPORTER = component(exporter("unreachable"), world="exporter")


def config(
    folder: Path,
    plugins: dict[str, bytes],
    pipelines: dict[str, tuple[list[str], list[str], str]],
    **settings: object,
) -> dict[str, object]:
    """
    Pipelines of (receivers, names of plugins, exporter), with *settings* for each plugin.
    """
    processors = {}
    for name, source in plugins.items():
        (folder / f"{name}.wasm").write_bytes(source)
        processors[f"wasm/{name}"] = {"plugin": str(folder / f"{name}.wasm"), **settings}
    return {
        "receivers": {"memory": {}},
        "processors": processors,
        "exporters": {"memory/a": {}, "memory/b": {}},
        "service": {
            "pipelines": {
                name: {
                    "receivers": receivers,
                    "processors": [f"wasm/{plugin}" for plugin in chain],
                    "exporters": [exporter_id],
                }
                for name, (receivers, chain, exporter_id) in pipelines.items()
            }
        },
    }


@in_a_loop
async def test_a_plugin_that_traps_on_each_batch_harms_no_other_pipeline(tmp_path: Path) -> None:
    """
    Its sender gets a fault that names it; the other pipeline, with a plugin too, gets everything.
    """
    settings = config(
        tmp_path,
        {"trap": TRAP, "pass": PASS},
        {
            "traces/bad": (["memory"], ["trap"], "memory/a"),
            "traces/good": (["memory"], ["pass"], "memory/b"),
        },
    )
    names = [f"span {number}" for number in range(10)]
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        bad, good = pipeline.exporter("memory/a"), pipeline.exporter("memory/b")
        for name in names:
            with pytest.raises(PluginFaultError, match="plugin 'trap'") as caught:
                await pipeline.receiver("memory").receive(a_batch(name))
            assert caught.value.kind == "trap"
        value = pipeline.telemetry.registry.get_sample_value
        faults = value(
            "otelwasm_plugin_faults_total", {"component": "processor/wasm/trap", "kind": "trap"}
        )

    assert good.names == names
    assert bad.names == []
    assert faults == 20
    assert pipeline.telemetry.total_items("failed") == 10


@in_a_loop
async def test_a_plugin_that_never_returns_is_ended_by_its_deadline(tmp_path: Path) -> None:
    """
    The sender hears of the limit, and other requests are answered meanwhile.
    """
    settings = config(
        tmp_path,
        {"loop": LOOP, "pass": PASS},
        {
            "traces": (["memory"], ["loop"], "memory/a"),
            "logs": (["memory"], ["pass"], "memory/b"),
        },
        limits={"deadline": "50ms"},
    )
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        receive = pipeline.receiver("memory").receive
        with pytest.raises(PluginFaultError, match="plugin 'loop'") as caught:
            await receive(a_batch("a"))
        await receive(a_batch("b", signal=Signal.LOGS))
        (batch,) = await pipeline.exporter("memory/b").received(1)

    assert caught.value.kind == "deadline"
    assert names_in(batch) == ["b"]


@in_a_loop
async def test_what_a_guest_emits_finds_its_pipeline(tmp_path: Path) -> None:
    """
    A batch of another signal leaves where a pipeline of that signal lists the plugin.
    """
    settings = config(
        tmp_path,
        {"metrics": AS_METRICS},
        {
            "traces": (["memory"], ["metrics"], "memory/a"),
            "metrics": ([], ["metrics"], "memory/b"),
        },
    )
    batch = a_batch("a")
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        await pipeline.receiver("memory").receive(batch)
        (traces,) = await pipeline.exporter("memory/a").received(1)
        (metrics,) = await pipeline.exporter("memory/b").received(1)

    assert traces.payload is batch.payload
    assert (metrics.signal, metrics.payload) == (Signal.METRICS, batch.payload)


@in_a_loop
async def test_a_guest_hears_that_a_pipeline_is_missing(tmp_path: Path) -> None:
    """
    A guest that hands on emit's failure has its sender told what the configuration lacks.
    """
    settings = config(
        tmp_path, {"metrics": AS_METRICS}, {"traces": (["memory"], ["metrics"], "memory/a")}
    )
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        with pytest.raises(PermanentError, match="no metrics pipeline lists it: add wasm/metrics"):
            await pipeline.receiver("memory").receive(a_batch())


@in_a_loop
async def test_an_exporter_is_no_processor(tmp_path: Path) -> None:
    """
    A component of another world keeps the pipeline from starting, with a message that says which.
    """
    settings = config(
        tmp_path, {"wrong": EXPORTER}, {"traces": (["memory"], ["wrong"], "memory/a")}
    )

    with pytest.raises(ComponentError, match=r"wrong.wasm is made for the world 'exporter'"):
        await Pipeline(settings, registry=registry_for_wasm()).check()


def test_a_plugin_that_does_not_load_is_named_with_its_line(tmp_path: Path) -> None:
    """
    What is wrong with plugins is said for all of them, each with the file and line of its id.
    """
    (tmp_path / "not.wasm").write_bytes(b"no component")
    (tmp_path / "exporter.wasm").write_bytes(EXPORTER)
    yaml = tmp_path / "p.yaml"
    yaml.write_text(
        """\
receivers: {memory: {}}
processors:
  wasm/not:
    plugin: not.wasm
  wasm/other:
    plugin: exporter.wasm
exporters: {memory: {}}
service:
  pipelines:
    traces: {receivers: [memory], processors: [wasm/not, wasm/other], exporters: [memory]}
"""
    )

    with pytest.raises(SetupError) as caught:
        asyncio.run(Pipeline.from_yaml(yaml, registry=registry_for_wasm()).check())

    first, second = str(caught.value).splitlines()

    assert first.startswith(f"{yaml}:3: processors.wasm/not: plugin 'not': {tmp_path}/not.wasm")
    assert second == (
        f"{yaml}:5: processors.wasm/other: plugin 'other': {tmp_path}/exporter.wasm is made for "
        "the world 'exporter'; expected 'processor'"
    )
