"""
A receiver plugin that the host listens over HTTP for: its replies, its failures, its faults.
"""

import asyncio
import ssl
import threading
from pathlib import Path

import pytest

from otelwasm.errors import RetryableError
from otelwasm.messages import Message, Reply
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, in_a_loop, names_in, refuse, registry_for_wasm
from pipeline.receiving import FakeReceiver, ask, config_for, counted, registry_with
from plugins.guests import MIRROR, relaying
from plugins.wat import component
from unit.otlp.certificates import issue_certificates

HTTP = {"http": "127.0.0.1:0"}
RELAY = component(relaying(), world="receiver")
TRAP_ON_EMPTY = component(
    relaying().replace(
        "(call $emit (i32.const 2)",
        "(if (i32.eqz (local.get $body_length)) (then unreachable)) (call $emit (i32.const 2)",
    ),
    world="receiver",
)


@in_a_loop
async def test_what_is_posted_becomes_a_batch_and_the_reply_an_answer(tmp_path: Path) -> None:
    """
    The sender hears the plugin's reply once everything downstream has accepted what it emitted.
    """
    batch = a_batch("hello", signal=Signal.LOGS)
    settings = config_for(tmp_path, RELAY, listen=HTTP)
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        answer = await ask(pipeline.receiver("wasm/in").http_port, batch.payload)
        (received,) = await pipeline.exporter("memory").received(1)

    assert (202, batch.payload) == (answer.status, answer.body)
    assert ["hello"] == names_in(received)
    assert 1 == pipeline.telemetry.total_items("accepted")
    assert 1 == counted(pipeline, "taken")


@in_a_loop
async def test_a_request_reaches_the_plugin_whole(tmp_path: Path) -> None:
    """
    Method, target, headers by their names in lower case, body and the sender's address.
    """
    heard: list[Message] = []

    def receive(_: FakeReceiver, message: Message) -> Reply:
        heard.append(message)
        return Reply()

    settings = config_for(tmp_path, listen=HTTP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        port = pipeline.receiver("wasm/in").http_port
        answer = await ask(port, b"body", method="PURGE", target="/a/b?c=d", **{"X-Event": "push"})

    (message,) = heard

    assert (200, b"") == (answer.status, answer.body)
    assert ("PURGE", "/a/b?c=d", b"body") == (message.method, message.target, message.body)
    assert "push" == dict(message.headers)["x-event"]
    assert "127.0.0.1" == message.peer.partition(":")[0]


@in_a_loop
async def test_a_permanent_failure_is_the_senders_mistake(tmp_path: Path) -> None:
    """
    What the plugin hears from `emit` and hands on reaches the sender as 400: here, the remedy.
    """
    settings = config_for(tmp_path, RELAY, listen=HTTP, signals=("traces",))
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        answer = await ask(pipeline.receiver("wasm/in").http_port, b"x")

    assert (400, "text/plain; charset=utf-8") == (answer.status, answer.headers["content-type"])
    assert (
        b"plugin 'in': it emitted logs, but no logs pipeline lists it: "
        b"add wasm/in to the receivers of one\n"
    ) == answer.body
    assert 1 == counted(pipeline, "refused")


@in_a_loop
async def test_a_retryable_failure_says_when_to_come_again(tmp_path: Path) -> None:
    """
    A pipeline that is full is 503 with Retry-After in whole seconds, never less than asked for.
    """
    settings = config_for(
        tmp_path, RELAY, listen=HTTP, exporter={"sending_queue": {"enabled": False}}
    )
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        pipeline.exporter("memory").answer = refuse(RetryableError("down", after_s=1.2))
        answer = await ask(pipeline.receiver("wasm/in").http_port, b"x")

    assert (503, "2", b"plugin 'in': down\n") == (
        answer.status,
        answer.headers["retry-after"],
        answer.body,
    )
    assert 1 == counted(pipeline, "refused")


@in_a_loop
async def test_a_trap_is_a_failure_of_ours_and_the_plugin_goes_on(tmp_path: Path) -> None:
    """
    The sender of a message that ends two instances hears 500 and nothing of the inside; the next
    message finds a fresh instance.
    """
    settings = config_for(tmp_path, TRAP_ON_EMPTY, listen=HTTP)
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        port = pipeline.receiver("wasm/in").http_port
        failed = await ask(port, b"")
        answer = await ask(port, b"x")
        value = pipeline.telemetry.registry.get_sample_value
        faults = value(
            "otelwasm_plugin_faults_total", {"component": "receiver/wasm/in", "kind": "trap"}
        )

    assert (500, b"the plugin failed on this request; the host's log says how\n") == (
        failed.status,
        failed.body,
    )
    assert 202 == answer.status
    assert 2 == faults


@in_a_loop
async def test_a_replys_headers_are_sent_less_those_of_the_connection(tmp_path: Path) -> None:
    """
    Length and connection are the server's to say; other headers are the plugin's.
    """
    settings = config_for(tmp_path, component(MIRROR, world="receiver"), listen=HTTP)
    async with Pipeline(settings, registry=registry_for_wasm()) as pipeline:
        port = pipeline.receiver("wasm/in").http_port
        answer = await ask(port, b"hello", **{"X-A": "b", "Upgrade": "h2c", "TE": "trailers"})
        head = await ask(port, method="HEAD", **{"X-A": "b"})

    assert (202, b"hello", "b") == (answer.status, answer.body, answer.headers["x-a"])
    assert "5" == answer.headers["content-length"]
    assert set() == {"upgrade", "te", "connection", "transfer-encoding"} & set(answer.headers)
    assert (202, b"") == (head.status, head.body)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(99),
        Reply(101),
        Reply(600),
        Reply(200, b"", (("x", "a\r\nset-cookie: b"),)),
        Reply(200, b"", (("x\r\ny", "a"),)),
        Reply(200, b"", (("", "a"),)),
    ],
)
@in_a_loop
async def test_a_reply_that_cannot_be_sent_is_not_sent(tmp_path: Path, reply: Reply) -> None:
    """
    A status that is none, or a header that would add others, is 500 to the sender.
    """
    settings = config_for(tmp_path, listen=HTTP)
    plugin = FakeReceiver(lambda _, __: reply)
    async with Pipeline(settings, registry=registry_with(plugin)) as pipeline:
        answer = await ask(pipeline.receiver("wasm/in").http_port)

    assert 500 == answer.status
    assert {"x", "set-cookie"}.isdisjoint(answer.headers)


@pytest.mark.parametrize("status", [204, 304])
@in_a_loop
async def test_an_answer_that_has_no_body_gets_none(tmp_path: Path, status: int) -> None:
    """
    What the plugin adds to 204 or 304 is left out; the connection stays in step.
    """
    settings = config_for(tmp_path, listen=HTTP)
    plugin = FakeReceiver(lambda _, __: Reply(status, b"body"))
    async with Pipeline(settings, registry=registry_with(plugin)) as pipeline:
        answer = await ask(pipeline.receiver("wasm/in").http_port)

    assert (status, b"") == (answer.status, answer.body)
    assert "content-length" not in answer.headers


@in_a_loop
async def test_no_more_waits_for_the_plugin_than_is_allowed(tmp_path: Path) -> None:
    """
    Beyond `limits.waiting` a sender hears 503 at once, while the others wait.
    """
    go_on = threading.Event()

    def receive(_: FakeReceiver, __: Message) -> Reply:
        go_on.wait(10)
        return Reply()

    listen = {"http": {"endpoint": "127.0.0.1:0", "max_request_body_size": "50B"}}
    settings = config_for(tmp_path, listen=listen, limits={"waiting": "700B"})
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        port = pipeline.receiver("wasm/in").http_port
        waiting = [asyncio.create_task(ask(port, b"x" * 50)) for _ in range(3)]
        done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        go_on.set()
        answers = [task.result() for task in done] + list(await asyncio.gather(*others))

    assert [200, 200, 503] == sorted(answer.status for answer in answers)
    assert (503, "1") == (answers[0].status, answers[0].headers["retry-after"])


@in_a_loop
async def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """
    The host refuses it with 413; the plugin never sees it.
    """
    listen = {"http": {"endpoint": "127.0.0.1:0", "max_request_body_size": "1KiB"}}
    settings = config_for(tmp_path, listen=listen)
    async with Pipeline(settings, registry=registry_with(FakeReceiver())) as pipeline:
        answer = await ask(pipeline.receiver("wasm/in").http_port, b"x" * 1025)

    assert 413 == answer.status


@in_a_loop
async def test_a_plugin_is_reached_over_tls(tmp_path: Path) -> None:
    """
    The host has the certificate; the plugin knows nothing of it.
    """
    issue_certificates(tmp_path)
    tls = {"cert_file": str(tmp_path / "server.pem"), "key_file": str(tmp_path / "server.key")}
    settings = config_for(tmp_path, listen={"http": {"endpoint": "localhost:0", "tls": tls}})
    plugin = FakeReceiver(lambda _, message: Reply(200, message.body))
    async with Pipeline(settings, registry=registry_with(plugin)) as pipeline:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        answer = await ask(pipeline.receiver("wasm/in").http_port, b"secret", tls=trusting)

    assert (200, b"secret") == (answer.status, answer.body)


@in_a_loop
async def test_requests_in_flight_are_answered_while_stopping(tmp_path: Path) -> None:
    """
    A request that was taken before the stop is answered, and what it emits is delivered.
    """
    is_received, go_on = threading.Event(), threading.Event()
    batch = a_batch("late", signal=Signal.LOGS)

    def receive(plugin: FakeReceiver, _: Message) -> Reply:
        is_received.set()
        go_on.wait(10)
        plugin.emit(Signal.LOGS, batch.payload)
        return Reply(201)

    settings = config_for(tmp_path, listen=HTTP)
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        exporter = pipeline.exporter("memory")
        asking = asyncio.create_task(ask(pipeline.receiver("wasm/in").http_port))
        await asyncio.to_thread(is_received.wait, 10)
        asyncio.get_running_loop().call_later(0.05, go_on.set)

    answer = await asking

    assert 201 == answer.status
    assert ["late"] == exporter.names


@in_a_loop
async def test_a_request_that_takes_too_long_to_finish_is_told(tmp_path: Path) -> None:
    """
    At the end of the shutdown timeout its sender hears 503, and that is counted.
    """
    is_received, go_on = threading.Event(), threading.Event()

    def receive(_: FakeReceiver, __: Message) -> Reply:
        is_received.set()
        go_on.wait(10)
        return Reply()

    settings = config_for(tmp_path, listen=HTTP, timeout="100ms")
    async with Pipeline(settings, registry=registry_with(FakeReceiver(receive))) as pipeline:
        asking = asyncio.create_task(ask(pipeline.receiver("wasm/in").http_port))
        await asyncio.to_thread(is_received.wait, 10)
        asking.add_done_callback(lambda _: go_on.set())

    answer = await asking

    assert (503, "1") == (answer.status, answer.headers["retry-after"])
    assert 1 == counted(pipeline, "refused")
