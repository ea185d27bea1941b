"""
What changes while a pipeline runs is put in place, with no batch lost.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from otelwasm.errors import RetryableError
from otelwasm.service import Pipeline
from otelwasm.watching import Watch
from pipeline.fakes import a_batch, in_a_loop, registry_for_wasm
from plugins.guests import emitting, processor, receiver
from plugins.wat import component

ONCE = component(processor("(call $pass)"))
# Emits what it gets, and passes it.
TWICE = component(emitting())
RECEIVER = component(receiver("(i32.const 512)"), world="receiver")
FILE = """
receivers: {{memory: {{}}}}
processors: {{wasm/plugin: {{plugin: plugin.wasm{more}}}, wasm/other: {{plugin: other.wasm}}}}
exporters: {{memory: {{}}, memory/b: {{}}}}
service:
  pipelines:
    traces: {{receivers: [memory], processors: [{processors}], exporters: [{exporters}]}}
"""


def text(
    *, more: str = "", processors: str = "wasm/plugin", exporters: str = "memory, memory/b"
) -> str:
    """
    A configuration.
    """
    return FILE.format(more=more, processors=processors, exporters=exporters)


class Lines:
    """
    What is logged meanwhile.
    """

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def take(self, _logger: object, _method: str, line: Any) -> Any:
        """
        Keep a line; on any thread.
        """
        self.lines.append(dict(line))
        self._loop.call_soon_threadsafe(self._came.set)
        raise structlog.DropEvent

    async def wait_for(self, event: str) -> dict[str, Any]:
        """
        Return the first line with *event*, once there is one.
        """
        async with asyncio.timeout(30):
            while not (found := self.named(event)):
                self._came.clear()
                await self._came.wait()
        return found[0]

    def named(self, event: str) -> list[dict[str, Any]]:
        """
        All lines with *event* until now.
        """
        return [line for line in self.lines if event in line["event"]]


@asynccontextmanager
async def watched(folder: Path, config: str) -> AsyncIterator[tuple[Pipeline, Lines]]:
    """
    A pipeline that runs and is watched, and its log.
    """
    (folder / "plugin.wasm").write_bytes(ONCE)
    (folder / "other.wasm").write_bytes(TWICE)
    path = folder / "pipeline.yaml"
    path.write_text(config)
    pipeline = Pipeline.from_yaml(path, registry=registry_for_wasm())
    lines = Lines()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[lines.take])
    watch = Watch(pipeline, path)
    try:
        async with pipeline:
            watching = asyncio.create_task(watch.run())
            yield pipeline, lines
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    finally:
        structlog.configure(processors=before)


async def send_until(pipeline: Pipeline, is_enough: Callable[[], bool]) -> list[str]:
    """
    Send one batch after the other, four at a time, until *is_enough*; return their names.
    """
    sent: list[str] = []
    receive = pipeline.receiver("memory").receive

    async def one_after_the_other() -> None:
        while not is_enough():
            name = f"span {len(sent)}"
            sent.append(name)
            await receive(a_batch(name))

    async with asyncio.timeout(60), asyncio.TaskGroup() as senders:
        for _ in range(4):
            senders.create_task(one_after_the_other())
    return sent


@in_a_loop
async def test_a_changed_plugin_takes_over_and_no_batch_is_lost(tmp_path: Path) -> None:
    """
    Batches keep coming while the new version starts; each is processed by the one or the other.
    """
    async with watched(tmp_path, text()) as (pipeline, lines):
        exporter = pipeline.exporter("memory")
        (tmp_path / "plugin.wasm").write_bytes(TWICE)

        def is_enough() -> bool:
            return len(exporter.names) - len(set(exporter.names)) > 8

        sent = await send_until(pipeline, is_enough)

    assert set(sent) == set(exporter.names)
    assert 1 == len(lines.named("took over"))


@in_a_loop
async def test_a_version_that_does_not_start_leaves_the_old_one(tmp_path: Path) -> None:
    """
    The log says once why; the old one goes on, and the next version gets its chance.
    """
    async with watched(tmp_path, text()) as (pipeline, lines):
        (tmp_path / "plugin.wasm").write_bytes(b"no component")
        line = await lines.wait_for("the changed plugin is not used")
        await pipeline.receiver("memory").receive(a_batch("a"))
        (tmp_path / "plugin.wasm").write_bytes(RECEIVER)
        async with asyncio.timeout(30):
            while len(lines.named("is not used")) < 2:
                await pipeline.receiver("memory").receive(a_batch("b"))
        (tmp_path / "plugin.wasm").write_bytes(TWICE)
        await lines.wait_for("took over")
        names = set(pipeline.exporter("memory").names)

    assert "plugin" == line["plugin"]
    assert "plugin.wasm: not WebAssembly: it begins with b'no compo'" in line["event"]
    refused = lines.named("is not used")
    assert 2 == len(refused)
    assert "made for the world 'receiver'; expected 'processor'" in refused[1]["event"]
    assert {"a", "b"} == names


@in_a_loop
async def test_a_touched_file_is_not_loaded_again(tmp_path: Path) -> None:
    """
    The same content is the same version, whenever it was written.
    """
    async with watched(tmp_path, text()) as (_, lines):
        (tmp_path / "plugin.wasm").write_bytes(ONCE)
        (tmp_path / "other.wasm").write_bytes(ONCE)  # no pipeline has it
        (tmp_path / "pipeline.yaml").write_text(text(more=", config: {}, limits: {deadline: 4s}"))
        await lines.wait_for("took over")

    assert 1 == len(lines.named("took over"))


@in_a_loop
async def test_changed_settings_of_a_plugin_are_its_own(tmp_path: Path) -> None:
    """
    A plugin's new configuration starts a new version of it; nothing else is started again.
    """
    async with watched(tmp_path, text()) as (pipeline, lines):
        exporter = pipeline.exporter("memory")
        [plugin] = pipeline.plugins()
        (tmp_path / "pipeline.yaml").write_text(text(more=", limits: {memory: 32MiB}"))
        await lines.wait_for("took over")

        assert [plugin] == pipeline.plugins()
        assert exporter is pipeline.exporter("memory")
        assert 32 << 20 == plugin.config.limits.memory


@in_a_loop
async def test_other_processors_and_exporters_take_over_and_no_batch_is_lost(
    tmp_path: Path,
) -> None:
    """
    Receivers go on all the time; what the old exporters had accepted they deliver.
    """
    async with watched(tmp_path, text()) as (pipeline, lines):
        receiver = pipeline.receiver("memory")
        old = [pipeline.exporter("memory"), pipeline.exporter("memory/b")]
        (tmp_path / "pipeline.yaml").write_text(
            text(processors="wasm/plugin, wasm/other", exporters="memory")
        )

        sent = await send_until(
            pipeline, lambda: bool(lines.named("running with the changed configuration"))
        )
        await receiver.receive(a_batch("last"))
        new = pipeline.exporter("memory")
        assert receiver is pipeline.receiver("memory")
    both = [name for each in (old[0], new) for name in each.names]

    assert {*sent, "last"} == set(both)
    assert set(old[0].names) == set(old[1].names)
    assert 2 == both.count("last")
    assert not old[0].is_open and not old[1].is_open


@in_a_loop
async def test_a_stop_in_the_middle_of_a_change_loses_nothing(tmp_path: Path) -> None:
    """
    What the old exporter still holds, and what the new one has taken by then, is delivered or kept.
    """
    timeout = "  shutdown_timeout: 300ms\n"
    async with watched(tmp_path, text(exporters="memory") + timeout) as (pipeline, _):
        is_draining = asyncio.Event()
        attempts = 0

        def answer(_: object) -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 2:  # which is when the old one begins to drain
                is_draining.set()
            raise RetryableError("down")

        pipeline.exporter("memory").answer = answer
        await pipeline.receiver("memory").receive(a_batch("old"))
        changed = text(processors="wasm/other", exporters="memory") + timeout
        (tmp_path / "pipeline.yaml").write_text(changed)
        await is_draining.wait()
        new = pipeline.exporter("memory")
        new.answer = lambda _: asyncio.sleep(0.02)
        await pipeline.receiver("memory").receive(a_batch("new"))

    assert {"new"} == set(new.names)
    assert 1 == pipeline.telemetry.total_items("quarantined")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("receivers: {", "pipeline.yaml:"),
        (text(more=", plugins: x"), "plugins"),
        (text(processors="wasm/none"), "wasm/none"),
        (text() + "  shutdown_timeout: 1s\n", "only pipelines can be changed while it runs"),
    ],
)
@in_a_loop
async def test_a_wrong_configuration_leaves_the_old_one(
    tmp_path: Path, config: str, reason: str
) -> None:
    """
    The log says what is wrong, or what only a restart changes.
    """
    async with watched(tmp_path, text()) as (pipeline, lines):
        (tmp_path / "pipeline.yaml").write_text(config)
        line = await lines.wait_for("the changed configuration is not used")
        await pipeline.receiver("memory").receive(a_batch("a"))
        (tmp_path / "pipeline.yaml").write_text(text(exporters="memory"))
        await lines.wait_for("running with the changed configuration")

    assert reason in line["event"]
