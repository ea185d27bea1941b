"""
How a tcp connection to a receiver plugin ends: whatever the reason, nothing is lost silently.
"""

import asyncio
import contextlib
import random
import socket
import struct
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import RetryableError
from otelwasm.service import Pipeline
from pipeline.fakes import in_a_loop
from pipeline.receiving import (
    FakeReceiver,
    Taker,
    config_for,
    counted,
    listening,
    registry_with,
    send_lines,
    settled,
)

TCP = {"tcp": "localhost:0"}
QUICK = {"initial_interval": "10ms", "max_interval": "10ms"}


@pytest.mark.parametrize(
    ("framing", "data"), [("newline", b"x" * 2000), ("octet_counted", b"<13>hello\n")]
)
@in_a_loop
async def test_a_stream_that_cannot_be_read_is_closed(
    tmp_path: Path, framing: str, data: bytes
) -> None:
    """
    The connection ends, with a line that says why; what came before the mistake is taken.
    """
    taker = Taker()
    settings = config_for(tmp_path, listen=listening(framing=framing, max_message_size="1KiB"))
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
            port = pipeline.receiver("wasm/in").tcp_port
            reader, writer = await asyncio.open_connection("localhost", port)
            writer.write((b"ok\n" if framing == "newline" else b"2 ok") + data)
            try:
                rest = await reader.read()
            except ConnectionError:
                rest = b""
            writer.close()
            await settled(pipeline, "taken", 1)

    (lost,) = [line for line in lines if line["event"] == "messages lost"]

    assert (b"", [b"ok"]) == (rest, taker.bodies)
    assert lost["reason"].endswith("; the connection is closed")
    assert 1 == counted(pipeline, "lost")


@in_a_loop
async def test_there_are_no_more_connections_than_allowed(tmp_path: Path) -> None:
    """
    One too many is closed at once and logged; the others go on.
    """
    taker = Taker()
    settings = config_for(tmp_path, listen=listening(max_connections=1))
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
            port = pipeline.receiver("wasm/in").tcp_port
            _, writer = await asyncio.open_connection("localhost", port)
            writer.write(b"one\n")
            await settled(pipeline, "taken", 1)
            reader, other = await asyncio.open_connection("localhost", port)
            try:
                rest = await reader.read()
            except ConnectionError:
                rest = b""
            other.close()
            writer.write(b"two\n")
            await settled(pipeline, "taken", 2)
            writer.close()

    refused = [line for line in lines if line["event"].startswith("connection refused")]

    assert (b"", [b"one", b"two"]) == (rest, taker.bodies)
    assert [1] == [line["max_connections"] for line in refused]


@in_a_loop
async def test_a_connection_counts_until_its_messages_are_taken(tmp_path: Path) -> None:
    """
    Whoever connects, sends much and is gone, again and again, cannot fill the memory.
    """
    taker = Taker()
    taker.go_on.clear()
    settings = config_for(
        tmp_path, listen=listening(framing="octet_counted", max_connections=1), timeout="20s"
    )
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        ends = []
        for _ in range(2):
            reader, writer = await asyncio.open_connection("localhost", port)
            writer.write(b"1 a1 bno count")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            ends.append(counted(pipeline, "lost"))
        taker.go_on.set()
        await settled(pipeline, "taken", 2)
        _, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"1 c")
        await settled(pipeline, "taken", 3)
        writer.close()

    assert [1, 1] == ends
    assert [b"a", b"b", b"c"] == taker.bodies


@pytest.mark.parametrize("is_reset", [False, True])
@in_a_loop
async def test_many_small_messages_at_once_are_all_taken(tmp_path: Path, is_reset: bool) -> None:
    """
    All that stands in one piece of a stream, in order, also when the connection ends meanwhile.
    """
    taker = Taker()
    taker.go_on.clear()
    settings = config_for(tmp_path, listen=TCP)
    lines = [b"%d" % number for number in range(1000)]
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        _, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"\n".join(lines) + b"\nhalf")
        await asyncio.to_thread(taker.has_begun.wait, 10)
        if is_reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        writer.close()
        taker.go_on.set()
        await settled(pipeline, "taken", 1000 if is_reset else 1001)

    assert lines == taker.bodies[:1000]
    assert [b"half"] * (not is_reset) == taker.bodies[1000:]
    assert is_reset == counted(pipeline, "lost")


@in_a_loop
async def test_a_silent_connection_is_closed(tmp_path: Path) -> None:
    """
    After `idle_timeout` without a byte; what stands before it without an end is said to be lost.
    """
    settings = config_for(tmp_path, listen=listening(idle_timeout="50ms"))
    async with Pipeline(settings, registry=registry_with(FakeReceiver(Taker()))) as pipeline:
        reader, writer = await asyncio.open_connection(
            "localhost", pipeline.receiver("wasm/in").tcp_port
        )
        writer.write(b"half a li")
        rest = await asyncio.wait_for(reader.read(), 10)
        writer.close()

    assert b"" == rest
    assert 1 == counted(pipeline, "lost")


@in_a_loop
async def test_stopping_brings_on_what_was_read(tmp_path: Path) -> None:
    """
    Messages that were read before the stop are taken while there is time for them.
    """
    taker = Taker()
    taker.go_on.clear()
    settings = config_for(tmp_path, listen=TCP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\ntwo\nthree\n")
        await asyncio.to_thread(taker.has_begun.wait, 10)
        asyncio.get_running_loop().call_later(0.05, taker.go_on.set)

    assert [b"one", b"two", b"three"] == taker.bodies
    assert (3, 0) == (counted(pipeline, "taken"), counted(pipeline, "lost"))


@in_a_loop
async def test_what_is_not_taken_before_the_end_is_said_to_be_lost(tmp_path: Path) -> None:
    """
    The shutdown timeout ends all attempts; every message that was read is counted.
    """
    taker = Taker(*[RetryableError("full")] * 10_000)
    settings = config_for(tmp_path, listen=TCP, retry_on_failure=QUICK, timeout="200ms")
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
            await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\ntwo\nthree\n")
            await settled(pipeline, "retried", 1)

    lost = [line for line in lines if line["event"] == "messages lost"]

    assert 3 == counted(pipeline, "lost") == sum(line["count"] for line in lost)
    assert "not taken before the shutdown timeout" == lost[-1]["reason"]


@pytest.mark.parametrize("framing", ["newline", "octet_counted", "auto"])
@in_a_loop
async def test_hostile_senders_leave_nothing_behind(tmp_path: Path, framing: str) -> None:
    """
    Whatever comes, and however connections end: the plugin goes on, and no room stays taken.
    """
    chance = random.Random(framing)
    unexpected: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unexpected.append(context))

    async def attack(port: int | None) -> None:
        _, writer = await asyncio.open_connection("localhost", port)
        for _ in range(chance.randrange(5)):
            pieces = [b"\n", b"12 ", b"999999999999", b"<13>", b"\0", chance.randbytes(300)]
            writer.write(b"".join(chance.choices(pieces, k=5)))
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            writer.transport.abort()
        writer.close()

    listen = listening(framing=framing, max_message_size="500B")
    settings = config_for(tmp_path, listen=listen, limits={"waiting": "2KiB"})
    async with Pipeline(settings, registry=registry_with(FakeReceiver(Taker()))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        await asyncio.gather(*(attack(port) for _ in range(100)))
        _, writer = await asyncio.open_connection("localhost", port)
        before = counted(pipeline, "taken")
        writer.write(b"5 hello\n")
        await settled(pipeline, "taken", int(before) + 1)
        writer.close()

    value = pipeline.telemetry.registry.get_sample_value

    assert 0 == value("otelwasm_queue_bytes", {"component": "receiver/wasm/in"})
    assert [] == unexpected
