"""
Parts for pipelines that begin with a receiver plugin: fakes, configurations and senders.
"""

import asyncio
import http.client
import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import attrs

from otelwasm.config.plugin import PluginConfig
from otelwasm.messages import Message, Reply
from otelwasm.receivers.plugin import PluginReceiver, ReceiverConfig
from otelwasm.registry import ReceiverKind, Registry
from otelwasm.service import Pipeline
from pipeline.fakes import FakePlugin, a_plugin_file, registry_for_wasm

__all__ = [
    "Answered",
    "FakeReceiver",
    "Taker",
    "ask",
    "config_for",
    "counted",
    "listening",
    "registry_with",
    "send_lines",
    "settled",
]


class FakeReceiver(FakePlugin):
    """
    Stands in for a loaded receiver plugin.
    """

    def __init__(
        self,
        receive: Callable[["FakeReceiver", Message], Reply] | None = None,
        poll: Callable[["FakeReceiver"], float | None] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(lambda _, __, payload: payload, world="receiver", **more)
        self._receive = receive
        self._poll = poll

    def submit_receive(self, message: Message) -> "Future[Reply]":
        """
        Receive on the thread.
        """
        assert self._receive is not None
        return self._thread.submit(self._receive, self, message)

    def submit_poll(self) -> "Future[float | None]":
        """
        Poll on the thread.
        """
        assert self._poll is not None
        return self._thread.submit(self._poll, self)


def registry_with(plugin: FakeReceiver) -> Registry:
    """
    Kinds for tests whose `wasm` receivers are *plugin*.
    """

    def load(name: str, config: PluginConfig, **hooks: Any) -> FakeReceiver:
        plugin.load(name, config, **hooks)
        return plugin

    kind = ReceiverKind(
        ReceiverConfig,
        lambda name, config, consumer_for, around: PluginReceiver(
            f"receiver/{name}",
            config,
            consumer_for,
            load=load,
            quarantine=around.quarantine,
            telemetry=around.telemetry,
        ),
    )
    kinds = registry_for_wasm()
    return attrs.evolve(kinds, receivers={**kinds.receivers, "wasm": lambda: kind})


def config_for(
    folder: Path,
    source: bytes | None = None,
    *,
    exporter: Mapping[str, object] | None = None,
    signals: tuple[str, ...] = ("logs",),
    timeout: str = "5s",
    **receiver: object,
) -> dict[str, object]:
    """
    The receiver `wasm/in`, made of *source* or a fake, before the exporter `memory`.
    """
    plugin = a_plugin_file(folder)
    if source is not None:
        Path(plugin).write_bytes(source)
    return {
        "receivers": {"wasm/in": {"plugin": plugin, **receiver}},
        "exporters": {"memory": exporter or {}},
        "service": {
            "pipelines": {
                signal: {"receivers": ["wasm/in"], "exporters": ["memory"]} for signal in signals
            },
            "quarantine": {"directory": str(folder / "quarantine")},
            "shutdown_timeout": timeout,
        },
    }


@attrs.frozen
class Answered:
    """
    What an HTTP sender heard.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]


async def ask(
    port: int | None,
    body: bytes = b"",
    *,
    method: str = "POST",
    target: str = "/",
    tls: ssl.SSLContext | None = None,
    **headers: str,
) -> Answered:
    """
    Send one HTTP request with the standard library's client.
    """

    def run() -> Answered:
        assert port is not None
        made = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        if tls is not None:
            made = http.client.HTTPSConnection("localhost", port, timeout=20, context=tls)
        try:
            made.request(method, target, body, headers)
            response = made.getresponse()
            answered = {name.lower(): value for name, value in response.getheaders()}
            return Answered(response.status, response.read(), answered)
        finally:
            made.close()

    return await asyncio.to_thread(run)


async def send_lines(port: int | None, data: bytes, *, tls: ssl.SSLContext | None = None) -> None:
    """
    Send *data* over tcp and close the connection.
    """
    _, writer = await asyncio.open_connection("localhost", port, ssl=tls)
    writer.write(data)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def counted(pipeline: Pipeline, outcome: str, *, what: str = "messages") -> float:
    """
    How many messages, or polls, of `wasm/in` had *outcome*.
    """
    labels = {"component": "receiver/wasm/in", "outcome": outcome}
    return pipeline.telemetry.registry.get_sample_value(f"otelwasm_{what}_total", labels) or 0


async def settled(pipeline: Pipeline, outcome: str, count: int, *, what: str = "messages") -> None:
    """
    Wait until *count* messages, or polls, had *outcome*.
    """
    async with asyncio.timeout(10):
        while counted(pipeline, outcome, what=what) < count:
            await asyncio.sleep(0.001)


def listening(**keys: object) -> dict[str, object]:
    """
    A `listen` for tcp with more *keys*.
    """
    return {"tcp": {"endpoint": "localhost:0", **keys}}


class Taker:
    """
    What a fake plugin does: keep the messages, and answer with failures as long as there are some.
    """

    def __init__(self, *failures: Exception | Reply) -> None:
        self.bodies: list[bytes] = []
        self.failures = list(failures)
        self.go_on = threading.Event()
        self.go_on.set()
        self.has_begun = threading.Event()

    def __call__(self, _: FakeReceiver, message: Message) -> Reply:
        self.has_begun.set()
        self.go_on.wait(10)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Reply):
                return failure
            raise failure
        self.bodies.append(message.body)
        return Reply()
