"""
A receiver plugin that the host listens over tcp for: each message in its turn, none lost silently.
"""

import asyncio
import contextlib
import ssl
import subprocess
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.messages import Reply
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, in_a_loop, registry_for_wasm
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


def a_certificate(folder: Path) -> tuple[dict[str, str], ssl.SSLContext]:
    """
    The keys `tls` of a server, and what its clients trust.
    """
    issue_certificates(folder)
    tls = {"cert_file": str(folder / "server.pem"), "key_file": str(folder / "server.key")}
    return tls, ssl.create_default_context(cafile=str(folder / "ca.pem"))


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


@pytest.mark.parametrize("is_secure", [False, True])
@in_a_loop
async def test_a_sender_is_slowed_down_while_its_message_waits(
    tmp_path: Path, is_secure: bool
) -> None:
    """
    Nothing is read from a connection whose message waits, with TLS or without: after what the
    system's buffers take, its sender waits, too.
    """
    taker = Taker()
    taker.go_on.clear()
    tls, trusting = a_certificate(tmp_path)
    settings = config_for(tmp_path, listen=listening(tls=tls) if is_secure else TCP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        _, writer = await asyncio.open_connection(
            "localhost", port, ssl=trusting if is_secure else None
        )
        writer.write(b"first\n")
        await asyncio.to_thread(taker.has_begun.wait, 10)
        lines = (b"x" * 1023 + b"\n") * 1024
        with pytest.raises(TimeoutError):
            for _ in range(64):
                writer.write(lines)
                await asyncio.wait_for(writer.drain(), 0.5)
        writer.transport.abort()
        taker.go_on.set()


@in_a_loop
async def test_messages_wait_for_room_before_the_plugin(tmp_path: Path) -> None:
    """
    However many connections there are, no more than `limits.waiting` is held; nothing is lost.
    """
    taker = Taker()
    taker.go_on.clear()
    listen = listening(max_message_size="200B")
    settings = config_for(tmp_path, listen=listen, limits={"waiting": "1KiB"})
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


@in_a_loop
async def test_messages_come_over_tls(tmp_path: Path) -> None:
    """
    As syslog does by RFC 5425: with octet counting.
    """
    tls, trusting = a_certificate(tmp_path)
    taker = Taker()
    settings = config_for(tmp_path, listen=listening(framing="octet_counted", tls=tls))
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        await send_lines(port, b"3 one3 two", tls=trusting)
        await settled(pipeline, "taken", 2)

    assert [b"one", b"two"] == taker.bodies


@in_a_loop
async def test_a_sender_without_tls_is_no_harm(tmp_path: Path) -> None:
    """
    Where TLS is asked for, plain text is no message; the next sender is heard.
    """
    tls, trusting = a_certificate(tmp_path)
    taker = Taker()
    settings = config_for(tmp_path, listen=listening(tls=tls))
    async with Pipeline(settings, registry=registry_with(FakeReceiver(taker))) as pipeline:
        port = pipeline.receiver("wasm/in").tcp_port
        with contextlib.suppress(ConnectionError):
            await send_lines(port, b"plain\n")
        await send_lines(port, b"secret\n", tls=trusting)
        await settled(pipeline, "taken", 1)

    assert [b"secret"] == taker.bodies
