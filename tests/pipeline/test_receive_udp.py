"""
A receiver plugin that the host listens over udp for: a datagram is a message.
"""

import asyncio
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import RetryableError, SetupError
from otelwasm.messages import Message, Reply
from otelwasm.service import Pipeline
from pipeline.fakes import in_a_loop, registry_for_wasm
from pipeline.receiving import FakeReceiver, config_for, counted, registry_with, settled
from plugins.guests import relaying
from plugins.wat import component

UDP = {"udp": "127.0.0.1:0"}


def send(port: int | None, *datagrams: bytes) -> None:
    """
    Send datagrams, all of one sender.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", port))


@in_a_loop
async def test_datagrams_become_batches(tmp_path: Path) -> None:
    """
    Each is one message, line ends and all, and they keep their order.
    """
    settings = config_for(tmp_path, component(relaying(), world="receiver"), listen=UDP)
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        send(pipeline.receiver("wasm/in").udp_port, b"one\n", b"two\nlines", b"x" * 60_000)
        batches = await pipeline.exporter("memory").received(3)

    assert [b"one\n", b"two\nlines", b"x" * 60_000] == [batch.payload for batch in batches]


@in_a_loop
async def test_logger_is_understood(tmp_path: Path) -> None:
    """
    util-linux's `logger` sends syslog over udp.
    """
    heard: list[Message] = []

    def receive(_: FakeReceiver, message: Message) -> Reply:
        heard.append(message)
        return Reply()

    settings = config_for(tmp_path, listen=UDP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        port = str(pipeline.receiver("wasm/in").udp_port)
        command = ["logger", "--udp", "--server", "127.0.0.1", "--port", port, "-t", "app", "hey"]
        await asyncio.to_thread(subprocess.run, command, check=True, timeout=20)
        await settled(pipeline, "taken", 1)

    (message,) = heard

    assert message.body.startswith(b"<13>")
    assert message.body.endswith(b"hey")
    assert "127.0.0.1" == message.peer.partition(":")[0]


@in_a_loop
async def test_what_finds_no_room_is_counted_and_said_in_few_lines(tmp_path: Path) -> None:
    """
    A flood while the plugin is busy is dropped beyond `limits.waiting`: every datagram is counted,
    and the log does not grow with them.
    """
    has_begun, go_on = threading.Event(), threading.Event()

    def receive(_: FakeReceiver, __: Message) -> Reply:
        has_begun.set()
        go_on.wait(10)
        return Reply()

    settings = config_for(tmp_path, listen=UDP, limits={"waiting": "1KiB"})
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
            port = pipeline.receiver("wasm/in").udp_port
            send(port, b"first")
            await asyncio.to_thread(has_begun.wait, 10)
            send(port, *[b"more"] * 100)
            await settled(pipeline, "lost", 98)
            go_on.set()
            await settled(pipeline, "taken", 3)

    lost = [line for line in lines if line["event"] == "messages lost"]

    assert (98, 3) == (counted(pipeline, "lost"), counted(pipeline, "taken"))
    assert 98 == sum(line["count"] for line in lost)
    assert len(lost) <= 3
    assert "wait already" in lost[0]["reason"]


@in_a_loop
async def test_a_datagram_waits_while_the_pipeline_is_full(tmp_path: Path) -> None:
    """
    What cannot be taken now is tried again.
    """
    failures = [RetryableError("full"), RetryableError("full")]
    bodies: list[bytes] = []

    def receive(_: FakeReceiver, message: Message) -> Reply:
        if failures:
            raise failures.pop()
        bodies.append(message.body)
        return Reply()

    retry = {"initial_interval": "10ms", "max_interval": "10ms"}
    settings = config_for(tmp_path, listen=UDP, retry_on_failure=retry)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        send(pipeline.receiver("wasm/in").udp_port, b"one", b"two")
        await settled(pipeline, "taken", 2)

    assert [b"one", b"two"] == sorted(bodies)
    assert 2 == counted(pipeline, "retried")


@in_a_loop
async def test_stopping_brings_on_what_came_before(tmp_path: Path) -> None:
    """
    Also what only the operating system has yet.
    """
    bodies: list[bytes] = []

    def receive(_: FakeReceiver, message: Message) -> Reply:
        bodies.append(message.body)
        return Reply()

    settings = config_for(tmp_path, listen=UDP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        send(pipeline.receiver("wasm/in").udp_port, *[b"%d" % number for number in range(50)])

    assert [b"%d" % number for number in range(50)] == bodies
    assert 50 == counted(pipeline, "taken")


@in_a_loop
async def test_what_waits_at_the_end_is_said_to_be_lost(tmp_path: Path) -> None:
    """
    The shutdown timeout ends it; each datagram is counted.
    """

    def receive(_: FakeReceiver, __: Message) -> Reply:
        raise RetryableError("full")

    settings = config_for(tmp_path, listen=UDP, timeout="200ms")
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        send(pipeline.receiver("wasm/in").udp_port, *[b"x"] * 10)
        await settled(pipeline, "retried", 1)

    assert 10 == counted(pipeline, "lost")


@in_a_loop
async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """
    Two programs never share a port unknowingly.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = config_for(tmp_path, listen={"udp": address})
        with pytest.raises(SetupError) as caught:
            async with Pipeline(settings, registry=registry_with(FakeReceiver())):
                pytest.fail("it started")

    assert (
        f"configuration: receivers.wasm/in: receiver 'wasm/in' cannot listen on {address}: "
        "the address is already in use; stop what uses it or choose another port"
    ) == str(caught.value)
