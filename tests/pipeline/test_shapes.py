"""
Every shape of the pipeline, with plugins and built-ins mixed: several pipelines, signals and ends.
"""

import asyncio
import socket
from pathlib import Path
from typing import Any

import attrs
import pytest

from otelwasm.errors import SetupError
from otelwasm.messages import Reply
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import FakePlugin, a_batch, in_a_loop, names_in, registry, registry_for_wasm
from pipeline.receiving import FakeReceiver, ask, config_for, registry_with
from plugins.guests import EMIT, exporter, processor, receiver, relaying
from plugins.wat import component

# The second character of the request's target is the number of the signal to emit.
BY_TARGET = component(
    relaying("(i32.sub (i32.load8_u offset=1 (local.get $target)) (i32.const 48))"),
    world="receiver",
)
PASS = component(processor("(call $pass)"))
SEND = component(exporter("(call $receipt)"), world="exporter")
# Replies with its configuration.
CONFIGURED = component(
    "(global $at (mut i32) (i32.const 0)) (global $length (mut i32) (i32.const 0))"
    + receiver(
        """
    (i64.store (i32.const 512) (i64.const 0))
    (i32.store16 (i32.const 516) (i32.const 200)) (i64.store (i32.const 520) (i64.const 0))
    (i32.store (i32.const 528) (global.get $at)) (i32.store (i32.const 532) (global.get $length))
    (i32.const 512)"""
    ).replace(
        "(param i32 i32) (result i32)",
        """(param i32 i32) (result i32)
        (global.set $at (local.get 0)) (global.set $length (local.get 1))""",
        1,
    ),
    world="receiver",
)
# Keeps the last message, and emits it as logs in its `stop`.
HOLDING = component(
    EMIT
    + "(global $at (mut i32) (i32.const 0)) (global $length (mut i32) (i32.const 0))"
    + receiver(
        """
    (global.set $at (local.get $body)) (global.set $length (local.get $body_length))
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
    (i64.store (i32.const 528) (i64.const 0)) (i32.store16 (i32.const 516) (i32.const 202))
    (i32.const 512)"""
    ).replace(
        '#stop") (result i32)',
        """#stop") (result i32)
        (call $emit (i32.const 2) (global.get $at) (global.get $length) (i32.const 768))""",
    ),
    world="receiver",
)


def write(folder: Path, **sources: bytes) -> None:
    """
    Write components to files of their names.
    """
    for name, source in sources.items():
        (folder / f"{name}.wasm").write_bytes(source)


@in_a_loop
async def test_plugins_and_built_ins_stand_anywhere(tmp_path: Path) -> None:
    """
    A plugin and a built-in receiver feed three pipelines of two signals; one of them goes through
    a plugin and `batch`; exporters, a plugin among them, are fed by two, and pipelines have two.
    """
    write(tmp_path, source=BY_TARGET, passing=PASS, sending=SEND)
    settings: dict[str, Any] = {
        "receivers": {
            "wasm/in": {
                "plugin": str(tmp_path / "source.wasm"),
                "listen": {"http": "127.0.0.1:0"},
                "instances": 2,
            },
            "otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:0"}}},
        },
        "processors": {
            "wasm/pass": {"plugin": str(tmp_path / "passing.wasm")},
            "batch": {"timeout": "1ms"},
        },
        "exporters": {
            "memory/a": {},
            "memory/b": {},
            "wasm/send": {"plugin": str(tmp_path / "sending.wasm")},
        },
        "service": {
            "pipelines": {
                "logs": {
                    "receivers": ["wasm/in", "otlp"],
                    "processors": ["wasm/pass", "batch"],
                    "exporters": ["memory/a", "memory/b"],
                },
                "logs/plain": {"receivers": ["wasm/in"], "exporters": ["memory/a", "wasm/send"]},
                "traces": {
                    "receivers": ["otlp", "wasm/in"],
                    "processors": ["wasm/pass"],
                    "exporters": ["wasm/send", "memory/b"],
                },
            }
        },
    }
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        port = pipeline.receiver("wasm/in").http_port
        otlp = pipeline.receiver("otlp").http_port
        log = a_batch("plugin's log", signal=Signal.LOGS).payload
        span = a_batch("plugin's span").payload
        statuses = [
            (await ask(port, log, target="/2")).status,
            (await ask(port, span, target="/0")).status,
            (await ask(port, span, target="/1")).status,
        ]
        for path, batch in (
            ("/v1/logs", a_batch("built-in's log", signal=Signal.LOGS)),
            ("/v1/traces", a_batch("built-in's span")),
        ):
            headers = {"content-type": "application/x-protobuf"}
            statuses.append((await ask(otlp, batch.payload, target=path, **headers)).status)
        first, second = pipeline.exporter("memory/a"), pipeline.exporter("memory/b")

    assert [202, 202, 400, 200, 200] == statuses
    assert ["built-in's log", "plugin's log", "plugin's log"] == sorted(first.names)
    assert sorted(second.names) == [
        "built-in's log",
        "built-in's span",
        "plugin's log",
        "plugin's span",
    ]
    value = pipeline.telemetry.registry.get_sample_value
    sent = [
        value("otelwasm_sent_items_total", {"component": "exporter/wasm/send", "signal": signal})
        for signal in ("logs", "traces")
    ]
    assert [1, 2] == sent


@in_a_loop
async def test_one_plugin_is_used_twice_with_different_configurations(tmp_path: Path) -> None:
    """
    Each id has instances, configuration and sockets of its own.
    """
    write(tmp_path, plugin=CONFIGURED)
    plugin = {"plugin": str(tmp_path / "plugin.wasm"), "listen": {"http": "127.0.0.1:0"}}
    settings: dict[str, Any] = {
        "receivers": {
            "wasm/one": {**plugin, "config": {"tenant": "one"}},
            "wasm/two": {**plugin, "config": {"tenant": "two"}},
        },
        "exporters": {"memory": {}},
        "service": {
            "pipelines": {"logs": {"receivers": ["wasm/one", "wasm/two"], "exporters": ["memory"]}}
        },
    }
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        bodies = [
            (await ask(pipeline.receiver(f"wasm/{name}").http_port)).body for name in ("one", "two")
        ]

    assert [b'{"tenant": "one"}', b'{"tenant": "two"}'] == bodies


@in_a_loop
async def test_what_a_receiver_holds_back_is_delivered_when_it_stops(tmp_path: Path) -> None:
    """
    Its `stop` is called while everything downstream, plugins too, still takes batches.
    """
    write(tmp_path, holding=HOLDING, passing=PASS)
    settings: dict[str, Any] = {
        "receivers": {
            "wasm/in": {
                "plugin": str(tmp_path / "holding.wasm"),
                "listen": {"http": "127.0.0.1:0"},
            }
        },
        "processors": {"wasm/pass": {"plugin": str(tmp_path / "passing.wasm")}, "batch": {}},
        "exporters": {"memory": {}},
        "service": {
            "pipelines": {
                "logs": {
                    "receivers": ["wasm/in"],
                    "processors": ["wasm/pass", "batch"],
                    "exporters": ["memory"],
                }
            }
        },
    }
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        exporter = pipeline.exporter("memory")
        batch = a_batch("held", signal=Signal.LOGS)
        await ask(pipeline.receiver("wasm/in").http_port, batch.payload)
        before = list(exporter.batches)

    assert [] == before
    assert ["held"] == exporter.names


@in_a_loop
async def test_what_a_receiver_emits_too_late_is_quarantined(tmp_path: Path) -> None:
    """
    At the end nobody can try again: what downstream refuses then is kept.
    """
    batch = a_batch("held", signal=Signal.LOGS)

    def stop(plugin: FakePlugin) -> None:
        plugin.emit(Signal.LOGS, batch.payload)

    settings = config_for(
        tmp_path,
        listen={"http": "127.0.0.1:0"},
        exporter={"sending_queue": {"queue_size": "1B"}},
    )
    async with Pipeline(settings, registry=registry_with(FakeReceiver(stop=stop))):
        pass

    (kept,) = (tmp_path / "quarantine").glob("*-receiver-wasm-in-logs.otlp")

    assert batch.payload == kept.read_bytes()


@in_a_loop
async def test_nobody_is_heard_before_everything_is_ready(tmp_path: Path) -> None:
    """
    A receiver listens once all plugins are started; if one does not start, it never does.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    heard: list[int] = []

    class Slow(FakePlugin):
        def load(self, *arguments: Any, **hooks: Any) -> "FakePlugin":
            with socket.socket() as trying:
                heard.append(trying.connect_ex(("127.0.0.1", port)))
            return super().load(*arguments, **hooks)

    slow = Slow(lambda _, __, payload: payload, refuses="not today")
    settings = config_for(tmp_path, listen={"http": f"127.0.0.1:{port}"})
    settings["processors"] = {"wasm/slow": {"plugin": str(tmp_path / "fake.wasm")}}
    settings["service"]["pipelines"]["logs"]["processors"] = ["wasm/slow"]  # type: ignore[index]
    receiver_plugin = FakeReceiver(lambda _, __: Reply())
    kinds = attrs.evolve(registry_with(receiver_plugin), processors=registry(slow=slow).processors)
    with pytest.raises(SetupError, match="not today"):
        async with Pipeline(settings, registry=kinds):
            pytest.fail("it started")

    assert heard
    assert 0 not in heard
    assert receiver_plugin.is_closed


@in_a_loop
async def test_many_senders_at_once_lose_nothing(tmp_path: Path) -> None:
    """
    With several instances, all waiting in `emit` at times, each message is one batch.
    """
    write(tmp_path, source=BY_TARGET)
    settings = config_for(tmp_path, BY_TARGET, listen={"http": "127.0.0.1:0"}, instances=4)
    names = [f"log {number}" for number in range(60)]
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        port = pipeline.receiver("wasm/in").http_port
        answers = await asyncio.gather(
            *(ask(port, a_batch(n, signal=Signal.LOGS).payload, target="/2") for n in names)
        )
        exporter = pipeline.exporter("memory")

    assert {202} == {answer.status for answer in answers}
    assert sorted(names) == sorted(exporter.names)
    assert [[name] for name in sorted(names)] == sorted(map(names_in, exporter.batches))
