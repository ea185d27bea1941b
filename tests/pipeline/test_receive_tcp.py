"""
A receiver plugin that the host listens over tcp for: each message in its turn, none lost silently.
"""

import asyncio
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.messages import Message, Reply
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, in_a_loop, registry_for_wasm
from pipeline.receiving import (
    FakeReceiver,
    config_for,
    counted,
    registry_with,
    send_lines,
    settled,
)
from plugins.guests import relaying
from plugins.wat import component
from unit.otlp.certificates import issue_certificates

TCP = {"tcp": "localhost:0"}
QUICK = {"initial_interval": "10ms", "max_interval": "10ms"}
RELAY = component(relaying(), world="receiver")
TRAP_ON_X = component(
    relaying().replace(
        "(call $emit (i32.const 2)",
        """(if (i32.eq (i32.load8_u (local.get $body)) (i32.const 120)) (then unreachable))
        (call $emit (i32.const 2)""",
    ),
    world="receiver",
)


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


@in_a_loop
async def test_lines_become_batches(tmp_path: Path) -> None:
    """
    Each line is one message, in order, and what the plugin emits for it reaches the exporter.
    """
    settings = config_for(tmp_path, RELAY, listen=TCP)
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\ntwo\r\n\nthree")
        batches = await pipeline.exporter("memory").received(3)

    assert [b"one", b"two", b"three"] == [batch.payload for batch in batches]
    assert 3 == counted(pipeline, "taken")


@pytest.mark.parametrize("framing", ["octet_counted", "auto"])
@in_a_loop
async def test_counted_messages_become_batches(tmp_path: Path, framing: str) -> None:
    """
    OTLP itself may come in frames: a frame's bytes are the message, whatever they are.
    """
    names = [f"record {number}" for number in range(100)]
    payloads = [a_batch(name, signal=Signal.LOGS).payload for name in names]
    settings = config_for(tmp_path, RELAY, listen=listening(framing=framing))
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        frames = b"".join(b"%d %s" % (len(payload), payload) for payload in payloads)
        await send_lines(pipeline.receiver("wasm/in").tcp_port, frames)
        exporter = pipeline.exporter("memory")
        await exporter.received(100)

    assert names == exporter.names


@in_a_loop
async def test_logger_is_understood_with_both_framings(tmp_path: Path) -> None:
    """
    util-linux's `logger` sends syslog over tcp; `auto` takes its lines and its counted messages.
    """
    taker = Taker()
    settings = config_for(tmp_path, listen=listening(framing="auto"))
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = str(pipeline.receiver("wasm/in").tcp_port)
        for extra in ([], ["--octet-count"]):
            command = ["logger", "--tcp", "--server", "localhost", "--port", port, *extra]
            await asyncio.to_thread(
                subprocess.run, [*command, "-t", "app", "hello there"], check=True, timeout=20
            )
        await settled(pipeline, "taken", 2)

    assert [True, True] == [body.endswith(b"hello there") for body in taker.bodies]
    assert [True, True] == [body.startswith(b"<13>") for body in taker.bodies]


@in_a_loop
async def test_a_trap_costs_one_message(tmp_path: Path) -> None:
    """
    A message that ends two instances is counted and logged; the same connection goes on.
    """
    settings = config_for(tmp_path, TRAP_ON_X, listen=TCP)
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
            await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\nx\ntwo\n")
            batches = await pipeline.exporter("memory").received(2)

    (refused,) = [line for line in lines if line["event"] == "plugin refused messages"]

    assert [b"one", b"two"] == [batch.payload for batch in batches]
    assert ("trap", 1, "in") == (refused["kind"], refused["count"], refused["plugin"])
    assert 1 == counted(pipeline, "refused")


@in_a_loop
async def test_what_cannot_be_taken_now_is_tried_again_in_order(tmp_path: Path) -> None:
    """
    Neither a retryable failure nor a reply of 503 loses a message, or lets another overtake it.
    """
    taker = Taker(RetryableError("full"), Reply(503), Reply(429, b"slow", (("Retry-After", "0"),)))
    settings = config_for(tmp_path, listen=TCP, retry_on_failure=QUICK)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\ntwo\n")
        await settled(pipeline, "taken", 2)

    assert [b"one", b"two"] == taker.bodies
    assert 3 == counted(pipeline, "retried")


@in_a_loop
async def test_what_is_never_taken_is_lost_with_a_line(tmp_path: Path) -> None:
    """
    Attempts end with `max_elapsed_time`; the next message has its own.
    """
    taker = Taker(*[RetryableError("full")] * 1)
    retry = {"initial_interval": "1s", "max_interval": "1s", "max_elapsed_time": "10ms"}
    settings = config_for(tmp_path, listen=TCP, retry_on_failure=retry)
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
            await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\ntwo\n")
            await settled(pipeline, "taken", 1)

    (lost,) = [line for line in lines if line["event"] == "messages lost"]

    assert [b"two"] == taker.bodies
    assert ("gave up after 1 attempts: full", 1) == (lost["reason"], lost["count"])
    assert 1 == counted(pipeline, "lost")


@in_a_loop
async def test_what_is_refused_is_counted(tmp_path: Path) -> None:
    """
    A permanent failure and a reply of 400 both say that a message will never be taken.
    """
    taker = Taker(PermanentError("no"), Reply(400, b"no syslog"))
    settings = config_for(tmp_path, listen=TCP)
    with capture_logs() as lines:
        async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
            await send_lines(pipeline.receiver("wasm/in").tcp_port, b"one\ntwo\nthree\n")
            await settled(pipeline, "taken", 1)

    refused = [line for line in lines if line["event"] == "plugin refused messages"]

    assert [b"three"] == taker.bodies
    assert 2 == counted(pipeline, "refused") == sum(line["count"] for line in refused)
    assert ["no", "plugin 'in': replied 400: no syslog"] == [line["error"] for line in refused]


@in_a_loop
async def test_a_sender_is_slowed_down_while_its_message_waits(tmp_path: Path) -> None:
    """
    Nothing is read from a connection whose message waits: its sender has to wait, too.
    """
    taker = Taker()
    taker.go_on.clear()
    settings = config_for(tmp_path, listen=TCP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        _, writer = await asyncio.open_connection(
            "localhost", pipeline.receiver("wasm/in").tcp_port
        )
        writer.write(b"first\n")
        await asyncio.to_thread(taker.has_begun.wait, 10)
        line = b"x" * 1000 + b"\n"
        count = (64 << 20) // len(line)
        writer.write(line * count)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.2)
        unsent = writer.transport.get_write_buffer_size()
        writer.transport.abort()
        taker.go_on.set()

    assert unsent > 32 << 20


@in_a_loop
async def test_messages_wait_for_room_before_the_plugin(tmp_path: Path) -> None:
    """
    However many connections there are, no more than `limits.waiting` is held; nothing is lost.
    """
    taker = Taker()
    taker.go_on.clear()
    settings = config_for(tmp_path, listen=TCP, limits={"waiting": "1KiB"})
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        await asyncio.gather(*(send_lines(port, b"x" * 200 + b"\n") for _ in range(10)))
        await asyncio.to_thread(taker.has_begun.wait, 10)
        value = pipeline.telemetry.registry.get_sample_value
        held = value("otelwasm_queue_bytes", {"component": "receiver/wasm/in"})
        taker.go_on.set()
        await settled(pipeline, "taken", 10)

    assert held is not None
    assert 0 < held <= 1024


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
async def test_messages_come_over_tls(tmp_path: Path) -> None:
    """
    As syslog does by RFC 5425: with octet counting.
    """
    issue_certificates(tmp_path)
    tls = {"cert_file": str(tmp_path / "server.pem"), "key_file": str(tmp_path / "server.key")}
    taker = Taker()
    settings = config_for(tmp_path, listen=listening(framing="octet_counted", tls=tls))
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        port = pipeline.receiver("wasm/in").tcp_port
        await send_lines(port, b"3 one3 two", tls=trusting)
        await settled(pipeline, "taken", 2)

    assert [b"one", b"two"] == taker.bodies


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
