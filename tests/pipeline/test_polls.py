"""
A receiver plugin that is called on a schedule.
"""

import asyncio
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import ComponentError, PermanentError, RetryableError
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, in_a_loop, registry_for_wasm
from pipeline.receiving import FakeReceiver, config_for, counted, registry_with, settled
from plugins.guests import EMIT, receiver
from plugins.wat import component

# Emits an empty resource as metrics in each poll, and wants to be called again at once.
POLLING = component(
    EMIT
    + receiver(
        "unreachable",
        """
    (i32.store16 (i32.const 900) (i32.const 0x000a))
    (call $emit (i32.const 1) (i32.const 900) (i32.const 2) (i32.const 768))
    (i64.store (i32.const 512) (i64.const 0)) (i64.store (i32.const 520) (i64.const 0))
    (i32.store8 (i32.const 516) (i32.const 1)) (i32.const 512)""",
    ),
    world="receiver",
)
TRAPPING = component(receiver("unreachable", "unreachable"), world="receiver")


@in_a_loop
async def test_what_a_poll_emits_goes_on(tmp_path: Path) -> None:
    """
    The first poll comes at once, and the plugin's own pace goes before the interval.
    """
    settings = config_for(tmp_path, POLLING, poll_interval="1h", signals=("metrics",))
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        batches = await pipeline.exporter("memory").received(3)

    assert (Signal.METRICS, b"\n\0") == (batches[0].signal, batches[0].payload)
    assert counted(pipeline, "done", what="polls") >= 3


@in_a_loop
async def test_polls_follow_the_interval(tmp_path: Path) -> None:
    """
    Without a pace of the plugin's own the interval counts, from the start of one poll to the next.
    """
    times: list[float] = []

    def poll(_: FakeReceiver) -> None:
        times.append(loop.time())

    loop = asyncio.get_running_loop()
    settings = config_for(tmp_path, poll_interval="30ms")
    async with Pipeline(settings, registry=registry_with(FakeReceiver(poll=poll))) as pipeline:
        await settled(pipeline, "done", 4, what="polls")

    assert times[3] - times[0] >= 0.085


@in_a_loop
async def test_polls_do_not_overlap(tmp_path: Path) -> None:
    """
    A poll that takes longer than the interval delays the next one.
    """
    at_work = threading.Lock()
    overlaps: list[bool] = []

    def poll(_: FakeReceiver) -> None:
        overlaps.append(not at_work.acquire(blocking=False))
        threading.Event().wait(0.02)
        at_work.release()

    settings = config_for(tmp_path, poll_interval="1ms")
    async with Pipeline(settings, registry=registry_with(FakeReceiver(poll=poll))) as pipeline:
        await settled(pipeline, "done", 3, what="polls")

    assert not any(overlaps)


@in_a_loop
async def test_a_failing_poll_is_called_less_often_until_it_works(tmp_path: Path) -> None:
    """
    Each failure doubles the time to the next poll, a plugin may ask for more, and each is said.
    """
    failures = [PermanentError("no"), PermanentError("no"), RetryableError("busy", after_s=0.05)]

    def poll(_: FakeReceiver) -> None:
        if failures:
            raise failures.pop(0)

    settings = config_for(tmp_path, poll_interval="10ms")
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(poll=poll))) as pipeline:
            await settled(pipeline, "done", 1, what="polls")

    failed = [line for line in lines if line["event"] == "plugin's poll failed"]

    assert [0.01, 0.02, 0.05] == [line["next_after_s"] for line in failed]
    assert ["permanent", "permanent", "retryable"] == [line["kind"] for line in failed]
    assert 3 == counted(pipeline, "failed", what="polls")


@in_a_loop
async def test_a_poll_that_traps_is_a_failure_that_is_said(tmp_path: Path) -> None:
    """
    The instance is replaced, and polls go on.
    """
    settings = config_for(tmp_path, TRAPPING, poll_interval="5ms")
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
            await settled(pipeline, "failed", 2, what="polls")

    failed = [line for line in lines if line["event"] == "plugin's poll failed"]

    assert ("trap", 1) == (failed[0]["kind"], failed[0]["failures"])


@in_a_loop
async def test_a_stop_does_not_wait_for_the_next_poll(tmp_path: Path) -> None:
    """
    What waits for its time is over at once.
    """
    settings = config_for(tmp_path, poll_interval="1h", timeout="20s")
    plugin = FakeReceiver(poll=lambda _: None)
    loop = asyncio.get_running_loop()
    async with Pipeline(settings, registry=registry_with(plugin)) as pipeline:
        await settled(pipeline, "done", 1, what="polls")
        began = loop.time()

    assert loop.time() - began < 10
    assert plugin.is_closed


@in_a_loop
async def test_a_poll_that_has_begun_may_finish(tmp_path: Path) -> None:
    """
    What it emits while the pipeline stops is delivered.
    """
    has_begun = threading.Event()
    batch = a_batch("last", signal=Signal.LOGS)

    def poll(plugin: FakeReceiver) -> None:
        has_begun.set()
        threading.Event().wait(0.05)
        plugin.emit(Signal.LOGS, batch.payload)

    settings = config_for(tmp_path, poll_interval="1h")
    async with Pipeline(settings, registry=registry_with(FakeReceiver(poll=poll))) as pipeline:
        exporter = pipeline.exporter("memory")
        await asyncio.to_thread(has_begun.wait, 10)

    assert ["last"] == exporter.names


@pytest.mark.parametrize(
    ("keys", "calls", "text"),
    [
        ({"poll_interval": "1s"}, {"receive"}, "has no `poll`, which poll_interval asks for"),
        ({"listen": {"udp": "127.0.0.1:0"}}, {"poll"}, "has no `receive`, which listen asks for"),
        (
            {"poll_interval": "1s", "tick_interval": "1s"},
            {"poll"},
            "has no `tick`, which tick_interval asks for",
        ),
    ],
)
@in_a_loop
async def test_a_plugin_that_does_not_do_what_it_is_configured_for_is_refused(
    tmp_path: Path, keys: dict[str, object], calls: set[str], text: str
) -> None:
    """
    `check` says it before anything is called, and ends the plugin.
    """
    plugin = FakeReceiver(calls=frozenset(calls))
    settings = config_for(tmp_path, **keys)

    with pytest.raises(ComponentError, match=text):
        await Pipeline(settings, registry=registry_with(plugin)).check()
    assert plugin.is_closed
