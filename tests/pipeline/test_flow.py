"""
Whole pipelines in memory: where batches go, who shares what, who hears of a refusal.
"""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.pipeline.batch import Batch
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import (
    FakePlugin,
    a_batch,
    a_plugin_file,
    in_a_loop,
    names_in,
    refuse,
    registry,
)


def renaming(suffix: str) -> FakePlugin:
    """
    A plugin that appends *suffix* to every name.
    """
    return FakePlugin(
        lambda _, signal, payload: (
            a_batch(
                *(name + suffix for name in names_in(Batch(signal, payload))), signal=signal
            ).payload
        )
    )


@in_a_loop
async def test_processors_run_in_the_order_they_are_listed(tmp_path: Path) -> None:
    """
    A batch passes the processors of its pipeline one after the other and reaches the exporter.
    """
    plugin = {"plugin": a_plugin_file(tmp_path)}
    config = {
        "receivers": {"memory": {}},
        "processors": {"wasm/one": plugin, "wasm/two": plugin},
        "exporters": {"memory": {}},
        "service": {
            "pipelines": {
                "traces": {
                    "receivers": ["memory"],
                    "processors": ["wasm/one", "wasm/two"],
                    "exporters": ["memory"],
                }
            }
        },
    }
    kinds = registry(one=renaming("-1"), two=renaming("-2"))
    async with Pipeline(config, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("span"))
        batches = await pipeline.exporter("memory").received(1)

    assert names_in(batches[0]) == ["span-1-2"]


@in_a_loop
async def test_what_a_plugin_passes_is_never_copied(tmp_path: Path) -> None:
    """
    A payload that nobody changes is the same object at every exporter.
    """
    config = {
        "receivers": {"memory": {}},
        "processors": {"wasm/pass": {"plugin": a_plugin_file(tmp_path)}},
        "exporters": {"memory/a": {}, "memory/b": {}},
        "service": {
            "pipelines": {
                "traces": {
                    "receivers": ["memory"],
                    "processors": ["wasm/pass"],
                    "exporters": ["memory/a", "memory/b"],
                }
            }
        },
    }
    kinds = registry(**{"pass": FakePlugin(lambda _, __, payload: payload)})
    batch = a_batch()
    async with Pipeline(config, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(batch)
        (first,) = await pipeline.exporter("memory/a").received(1)
        (second,) = await pipeline.exporter("memory/b").received(1)

    assert batch.payload is first.payload
    assert batch.payload is second.payload


@in_a_loop
async def test_a_dropped_batch_is_accepted_and_counted(tmp_path: Path) -> None:
    """
    The verdict "drop" is a success for the sender, and shows in the numbers.
    """
    config = one_plugin_config(tmp_path)
    kinds = registry(plugin=FakePlugin(lambda _, __, ___: None))
    async with Pipeline(config, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("a", "b"))
        exporter = pipeline.exporter("memory")

    assert exporter.batches == []
    assert pipeline.telemetry.total_items("accepted") == 2
    assert pipeline.telemetry.total_items("dropped") == 2


@in_a_loop
async def test_an_empty_request_is_done_at_once() -> None:
    """
    A request without a byte is valid and has nothing to deliver.
    """
    async with Pipeline(plain_config(), registry=registry()) as pipeline:
        await pipeline.receiver("memory").receive(Batch(Signal.TRACES, b""))
        exporter = pipeline.exporter("memory")

    assert exporter.attempts == 0


@in_a_loop
async def test_a_plugin_that_empties_a_batch_drops_it(tmp_path: Path) -> None:
    """
    Replacing a batch by no bytes at all is dropping it: nothing is sent on.
    """
    config = one_plugin_config(tmp_path)
    kinds = registry(plugin=FakePlugin(lambda _, __, ___: b""))
    async with Pipeline(config, registry=kinds) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("a"))
        exporter = pipeline.exporter("memory")

    assert exporter.attempts == 0
    assert pipeline.telemetry.total_items("dropped") == 1


@in_a_loop
async def test_nothing_counts_as_held_when_all_is_sent(tmp_path: Path) -> None:
    """
    After batches passed, failed and were delivered, every limit has all of its room again.
    """

    def sometimes(_: FakePlugin, __: Signal, payload: bytes) -> bytes:
        if b"bad" in payload:
            raise PermanentError("bad")
        return payload

    kinds = registry(plugin=FakePlugin(sometimes))
    async with Pipeline(one_plugin_config(tmp_path), registry=kinds) as pipeline:
        receive = pipeline.receiver("memory").receive
        await receive(a_batch("good"))
        with pytest.raises(PermanentError):
            await receive(a_batch("bad"))
        await pipeline.exporter("memory").received(1)

    held = {
        sample.labels["component"]: sample.value
        for metric in pipeline.telemetry.registry.collect()
        for sample in metric.samples
        if sample.name == "otelwasm_queue_bytes"
    }
    assert held == {"exporter/memory": 0, "processor/wasm/plugin": 0}


@in_a_loop
async def test_signals_that_a_plugin_does_not_handle_pass_it_by(tmp_path: Path) -> None:
    """
    A plugin for traces never sees the metrics of a pipeline that lists it.
    """
    plugin = FakePlugin(lambda _, __, ___: None, signals=frozenset({Signal.TRACES}))
    config = one_plugin_config(tmp_path, signals=("traces", "metrics"))
    async with Pipeline(config, registry=registry(plugin=plugin)) as pipeline:
        await pipeline.receiver("memory").receive(a_batch("m", signal=Signal.METRICS))
        (batch,) = await pipeline.exporter("memory").received(1)

    assert names_in(batch) == ["m"]
    assert plugin.count == 0


@in_a_loop
async def test_a_plugin_shared_by_pipelines_is_loaded_once(tmp_path: Path) -> None:
    """
    Two pipelines that list one processor id share its instances.
    """
    plugin = FakePlugin(lambda _, __, payload: payload)
    config = one_plugin_config(tmp_path, signals=("traces", "logs"))
    async with Pipeline(config, registry=registry(plugin=plugin)) as pipeline:
        await pipeline.receiver("memory").receive(a_batch())
        await pipeline.receiver("memory").receive(a_batch(signal=Signal.LOGS))
        await pipeline.exporter("memory").received(2)

    assert plugin.count == 2


@in_a_loop
async def test_a_signal_without_a_pipeline_has_no_consumer() -> None:
    """
    A receiver learns which signals nobody takes, so that it can say so to a sender.
    """
    async with Pipeline(plain_config(), registry=registry()) as pipeline:
        consumer_for = pipeline.receiver("memory").consumer_for

        assert consumer_for(Signal.TRACES) is not None
        assert consumer_for(Signal.LOGS) is None


@in_a_loop
async def test_a_plugins_permanent_failure_reaches_the_sender(tmp_path: Path) -> None:
    """
    The sender hears what the plugin said, and the failure is counted at the plugin.
    """

    def fail(*_: object) -> None:
        raise PermanentError("plugin 'plugin': bad tenant")

    config = one_plugin_config(tmp_path)
    async with Pipeline(config, registry=registry(plugin=FakePlugin(fail))) as pipeline:
        with pytest.raises(PermanentError, match="bad tenant"):
            await pipeline.receiver("memory").receive(a_batch())

    assert pipeline.telemetry.total_items("failed") == 1
    assert pipeline.telemetry.total_items("refused") == 1


@in_a_loop
async def test_a_plugin_that_traps_leaves_the_other_pipeline_unharmed(tmp_path: Path) -> None:
    """
    Two pipelines on one receiver: one plugin ends on each batch, the other pipeline gets all.
    """

    def trap(*_: object) -> None:
        raise PluginFaultError("plugin 'trapping': unreachable", kind="trap")

    config = {
        "receivers": {"memory": {}},
        "processors": {"wasm/trapping": {"plugin": a_plugin_file(tmp_path)}},
        "exporters": {"memory/bad": {}, "memory/good": {}},
        "service": {
            "pipelines": {
                "traces/bad": {
                    "receivers": ["memory"],
                    "processors": ["wasm/trapping"],
                    "exporters": ["memory/bad"],
                },
                "traces/good": {"receivers": ["memory"], "exporters": ["memory/good"]},
            }
        },
    }
    async with Pipeline(config, registry=registry(trapping=FakePlugin(trap))) as pipeline:
        for number in range(10):
            with pytest.raises(PermanentError, match="unreachable"):
                await pipeline.receiver("memory").receive(a_batch(f"span {number}"))
        good, bad = pipeline.exporter("memory/good"), pipeline.exporter("memory/bad")
        await good.received(10)

    assert [f"span {number}" for number in range(10)] == good.names
    assert bad.names == []


@in_a_loop
async def test_what_a_plugin_does_not_take_now_is_logged_in_few_lines(tmp_path: Path) -> None:
    """
    Senders are told to come again, and whoever looks at the log finds out why: the first refusal
    at once, those behind it together.
    """

    def refuse_all(*_: object) -> bytes:
        raise RetryableError("users.example.com: Connection refused")

    config = one_plugin_config(tmp_path)
    with capture_logs() as lines:
        async with Pipeline(config, registry=registry(plugin=FakePlugin(refuse_all))) as pipeline:
            for name in ("a", "b", "c"):
                with pytest.raises(RetryableError):
                    await pipeline.receiver("memory").receive(a_batch(name))

    told = [line for line in lines if line["event"].startswith("plugin does not take batches now")]
    assert (1, 3) == (told[0]["count"], sum(line["count"] for line in told))
    assert {"users.example.com: Connection refused"} == {line["error"] for line in told}


@in_a_loop
async def test_a_full_exporter_keeps_a_batch_from_all_of_them(tmp_path: Path) -> None:
    """
    When one queue is full the sender is told to retry, and no other queue has the batch yet.
    """
    config = plain_config(exporters={"memory/slow": small_queue(tmp_path), "memory/fast": {}})
    async with Pipeline(config, registry=registry()) as pipeline:
        receiver = pipeline.receiver("memory")
        slow, fast = pipeline.exporter("memory/slow"), pipeline.exporter("memory/fast")
        slow.answer = refuse(RetryableError("down"))
        await receiver.receive(a_batch("first"))
        with pytest.raises(RetryableError, match="wait already"):
            await receiver.receive(a_batch("second"))
        await fast.received(1)
        slow.answer = None

    assert fast.names == ["first"]


def small_queue(_: Path) -> dict[str, object]:
    """
    An exporter's settings with room for one tiny batch, and no attempt but the first and the last.
    """
    return {
        "sending_queue": {"queue_size": "300B"},
        "retry_on_failure": {"initial_interval": "1h", "max_interval": "1h", "max_elapsed_time": 0},
    }


def plain_config(exporters: dict[str, object] | None = None) -> dict[str, object]:
    """
    One traces pipeline without processors.
    """
    exporters = exporters or {"memory": {}}
    return {
        "receivers": {"memory": {}},
        "exporters": exporters,
        "service": {"pipelines": {"traces": {"receivers": ["memory"], "exporters": [*exporters]}}},
    }


def one_plugin_config(folder: Path, signals: tuple[str, ...] = ("traces",)) -> dict[str, object]:
    """
    A pipeline for each of *signals*, all with the processor `wasm/plugin`.
    """
    route = {"receivers": ["memory"], "processors": ["wasm/plugin"], "exporters": ["memory"]}
    return {
        "receivers": {"memory": {}},
        "processors": {"wasm/plugin": {"plugin": a_plugin_file(folder)}},
        "exporters": {"memory": {}},
        "service": {"pipelines": dict.fromkeys(signals, route)},
    }
