"""
The OTLP/HTTP receiver answers as the OTLP specification says, whatever it is sent.
"""

import asyncio
import gzip
import threading
import zlib
from typing import Any

import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.compression import decompress
from otelwasm.otlp.json import from_json, to_json
from otelwasm.otlp.signals import SERVICES
from otelwasm.receivers.otlp_http import OtlpHttpConfig
from otelwasm.signals import Signal
from unit.otlp.payloads import a_payload
from unit.otlp.peers import Inbox, receiving, refused, run
from unit.receivers.asking import Reply, ask, reply_of

TRACES = "/v1/traces"
every_signal = pytest.mark.parametrize("signal", Signal)


@every_signal
def test_protobuf_arrives_as_it_was_sent(signal: Signal) -> None:
    """
    A protobuf body becomes a batch of exactly its bytes, and is answered with an empty response.
    """
    inbox = Inbox()
    payload = a_payload(signal, 3)

    reply = reply_of(inbox, SERVICES[signal].path, body=payload)

    assert (reply.status, reply.content_type, reply.body) == (200, PROTOBUF, b"")
    assert [payload] == inbox.payloads(signal)


@every_signal
def test_json_arrives_as_protobuf(signal: Signal) -> None:
    """
    A JSON body becomes the protobuf bytes that it stands for, and is answered in JSON.
    """
    inbox = Inbox()
    body = to_json(signal, a_payload(signal, 3))

    reply = reply_of(inbox, SERVICES[signal].path, body=body, content_type=f"{JSON}; charset=utf-8")

    assert (reply.status, reply.content_type, reply.body) == (200, JSON, b"{}")
    assert [from_json(signal, body)] == inbox.payloads(signal)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), ("deflate", zlib.compress)],
)
@pytest.mark.parametrize("spans", [1, 300])
def test_compressed_bodies_are_unpacked(encoding: str, pack: Any, spans: int) -> None:
    """
    Small and large bodies arrive unpacked, whichever way they were packed.
    """
    inbox = Inbox()
    payload = a_payload(Signal.TRACES, spans)

    reply = reply_of(inbox, body=pack(payload), content_encoding=encoding)

    assert reply.status == 200
    assert [payload] == inbox.payloads(Signal.TRACES)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PermanentError("tenant unknown"), 400, 3),
        (PluginFaultError("plugin 'a' trapped", kind="trap"), 500, 13),
        (RetryableError("queue full"), 503, 14),
    ],
)
def test_refusals_say_why(content_type: str, error: Exception, status: int, code: int) -> None:
    """
    A batch that is not taken is answered with a Status in the encoding of the request.
    """
    body = b"{}" if content_type == JSON else b""

    reply = reply_of(Inbox(error=error), body=body, content_type=content_type)

    assert (status, content_type) == (reply.status, reply.content_type)
    assert str(error) == reply.reason


@pytest.mark.parametrize(("after_s", "header"), [(None, "1"), (2.5, "3"), (30, "30")])
def test_full_pipeline_says_when_to_come_again(after_s: float | None, header: str) -> None:
    """
    A retryable failure carries Retry-After in whole seconds.
    """
    reply = reply_of(Inbox(error=RetryableError("full", after_s=after_s)))

    assert (503, header) == (reply.status, reply.headers["retry-after"])


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"hello", PROTOBUF, "malformed traces request of 5 bytes"),
        (a_payload(Signal.TRACES)[:-1], PROTOBUF, "malformed traces request"),
        (b"{", JSON, "no traces request: Expecting property name"),
        (b'{"resourceSpans":1}', JSON, "resourceSpans: a list was expected, not 1"),
        (b"[" * 100_000, JSON, "nested too deeply"),
    ],
)
def test_malformed_bodies_are_bad_requests(body: bytes, content_type: str, reason: str) -> None:
    """
    A body that is no request gets 400 and the reason; nothing reaches the pipeline.
    """
    inbox = Inbox()

    reply = reply_of(inbox, body=body, content_type=content_type)

    assert (400, content_type) == (reply.status, reply.content_type)
    assert reason in reply.reason
    assert inbox.batches == []


def test_damaged_compression_is_a_bad_request() -> None:
    """
    A body that does not unpack gets 400 and the reason.
    """
    reply = reply_of(Inbox(), body=gzip.compress(b"a" * 999)[:-5], content_encoding="gzip")

    assert (reply.status, reply.reason) == (400, "the body's compressed data is cut off")


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ({"path": "/v1/trace"}, 404, "unknown path; known are /v1/traces, /v1/metrics"),
        ({"path": "/"}, 404, "unknown path"),
        ({"method": "GET"}, 405, "only POST is taken here"),
        ({"method": "OPTIONS"}, 405, "only POST is taken here"),
        ({"content_type": "text/plain"}, 415, "expected content-type application/x-protobuf or"),
        ({"content_type": None}, 415, "expected content-type"),
        ({"content_encoding": "snappy"}, 415, "expected content-encoding gzip, zstd, deflate"),
    ],
)
def test_unfit_requests_are_told_what_was_expected(
    request_: dict[str, Any], status: int, reason: str
) -> None:
    """
    A wrong path, method, type or encoding is answered with its status and what to send instead.
    """
    inbox = Inbox()

    reply = reply_of(inbox, **request_)

    assert status == reply.status
    assert reason in reply.reason
    assert inbox.batches == []


def test_wrong_method_and_encoding_name_the_right_ones() -> None:
    """
    405 carries Allow, an unknown content-encoding Accept-Encoding.
    """
    assert reply_of(Inbox(), method="PUT").headers["allow"] == "POST"
    reply = reply_of(Inbox(), content_encoding="br")
    assert reply.headers["accept-encoding"] == "gzip, zstd, deflate"


def test_signal_without_a_pipeline_is_not_found() -> None:
    """
    A signal that no pipeline takes gets 404 with a body that says so; the others are taken.
    """

    async def scenario() -> tuple[Reply, Reply]:
        async with receiving(Inbox(), takes=lambda signal: signal is not Signal.LOGS) as receiver:
            return (
                await ask(receiver.http_port, "/v1/logs"),
                await ask(receiver.http_port, "/v1/metrics"),
            )

    logs, metrics = run(scenario())

    assert (logs.status, logs.reason) == (404, "no pipeline here takes logs\n")
    assert metrics.status == 200


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_offer_to_upgrade_is_ignored(pieces: int) -> None:
    """
    A request that offers h2c, as Java's HttpClient does, is taken whole; so is the next one.
    """
    inbox = Inbox()
    payload = a_payload(Signal.TRACES, 3)
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    head = f"POST {TRACES} HTTP/1.1\r\nHost: a\r\nContent-Type: {PROTOBUF}\r\n"
    sent = f"{head}{offer}Content-Length: {len(payload)}\r\n\r\n".encode() + payload
    cuts = {1: [len(sent)], 2: [len(sent) - len(payload)], 3: [40, len(sent) - 10]}[pieces]

    async def scenario() -> None:
        async with receiving(inbox) as receiver:
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.http_port)
            for _ in range(2):
                for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
                    writer.write(sent[begin:end])
                    await writer.drain()
                answer = await reader.readuntil(b"\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 200 ")
            writer.close()
            await writer.wait_closed()

    run(scenario())

    assert inbox.payloads(Signal.TRACES) == [payload, payload]


SMALL = OtlpHttpConfig(endpoint="127.0.0.1:0", max_request_body_size=ByteSize(100_000))


async def chunks(count: int) -> Any:
    """
    Give a body in chunks, without saying how many.
    """
    for _ in range(count):
        yield bytes(10_000)


def test_little_that_unpacks_to_much_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What becomes large only when it is unpacked is not unpacked on the event loop's thread.
    """
    inbox, sizes = Inbox(), []

    def watched(encoding: str, data: bytes, *, limit_bytes: int) -> bytes:
        unpacked = decompress(encoding, data, limit_bytes=limit_bytes)
        if threading.current_thread() is threading.main_thread():
            sizes.append(len(unpacked))
        return unpacked

    monkeypatch.setattr("otelwasm.receivers.otlp_http.decompress", watched)
    large = ExportTraceServiceRequest(resource_spans=[ResourceSpans(schema_url="a" * (10 << 20))])
    payload = large.SerializeToString()

    reply = reply_of(inbox, body=gzip.compress(payload), content_encoding="gzip")

    assert 200 == reply.status
    assert [payload] == inbox.payloads(Signal.TRACES)
    assert [] == sizes


@pytest.mark.parametrize("way", ["declared", "chunked", "gzip", "zstd", "json"])
def test_oversize_bodies_are_refused(way: str) -> None:
    """
    A body over the limit gets 413, be it declared, chunked or only large once unpacked.
    """
    inbox = Inbox()
    request: dict[str, Any] = {
        "declared": {"body": bytes(100_001)},
        "chunked": {"body": chunks(11)},
        "gzip": {"body": gzip.compress(bytes(50 << 20)), "content_encoding": "gzip"},
        "zstd": {"body": zstandard.compress(bytes(50 << 20)), "content_encoding": "zstd"},
        "json": {"body": b" " * 100_001, "content_type": JSON},
    }[way]

    reply = reply_of(inbox, http=SMALL, **request)

    assert reply.status == 413
    assert reply.reason == "the body is larger than the limit of 100000 bytes"
    assert inbox.batches == []


def test_body_at_the_limit_is_taken() -> None:
    """
    The limit itself is allowed.
    """
    request = b"\x0a\x00" * 50_000

    assert reply_of(Inbox(), http=SMALL, body=request).status == 200


def test_slow_sender_is_let_go_and_holds_up_nobody() -> None:
    """
    A body that does not come in time gets 408; others are answered meanwhile.
    """
    config = OtlpHttpConfig(endpoint="127.0.0.1:0", read_timeout=Duration(0.3))

    async def scenario() -> tuple[bytes, Reply]:
        async with receiving(Inbox(), http=config) as receiver:
            reader, writer = await asyncio.open_connection("127.0.0.1", receiver.http_port)
            head = f"POST {TRACES} HTTP/1.1\r\nHost: a\r\nContent-Type: {PROTOBUF}\r\n"
            writer.write(f"{head}Content-Length: 10\r\n\r\nabc".encode())
            meanwhile = await ask(receiver.http_port)
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer, meanwhile

    answer, meanwhile = run(scenario())

    assert meanwhile.status == 200
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body did not come within 300ms" in answer


@pytest.mark.parametrize("head", [b"", b"POST /v1/tra", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n"])
def test_connection_without_a_request_is_closed(head: bytes) -> None:
    """
    A connection on which no whole head comes in time is closed, also after a good request.
    """
    config = OtlpHttpConfig(endpoint="127.0.0.1:0", read_header_timeout=Duration(0.3))
    whole = f"POST {TRACES} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode()

    async def scenario() -> list[bytes]:
        answers = []
        async with receiving(Inbox(), http=config) as receiver:
            for sent in (head, whole + head) if head else (head,):
                reader, writer = await asyncio.open_connection("127.0.0.1", receiver.http_port)
                writer.write(sent)
                answers.append(await reader.read())
                writer.close()
                await writer.wait_closed()
        return answers

    first, *others = run(scenario())

    assert b"" == first
    assert all(answer.startswith(b"HTTP/1.1 415") for answer in others)


def test_endless_head_is_cut_off() -> None:
    """
    A connection whose headers never end is closed, long before its time is up.
    """

    async def scenario() -> None:
        async with receiving(Inbox()) as receiver:
            _, writer = await asyncio.open_connection("127.0.0.1", receiver.http_port)
            writer.write(f"POST {TRACES} HTTP/1.1\r\n".encode())
            with pytest.raises(ConnectionError):
                while True:
                    writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
                    await writer.drain()
            writer.close()

    run(scenario())


def test_sender_that_goes_away_leaves_nothing_behind() -> None:
    """
    A connection that breaks in the middle of a body gives no batch and no error.
    """

    async def scenario() -> list[Any]:
        inbox = Inbox()
        async with receiving(inbox) as receiver:
            _, writer = await asyncio.open_connection("127.0.0.1", receiver.http_port)
            head = f"POST {TRACES} HTTP/1.1\r\nHost: a\r\nContent-Type: {PROTOBUF}\r\n"
            writer.write(f"{head}Content-Length: 10\r\n\r\nabc".encode())
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            assert (await ask(receiver.http_port)).status == 200
        return inbox.batches

    (batch,) = run(scenario())

    assert batch.payload == b""


def test_closing_finishes_what_is_in_flight() -> None:
    """
    A closing receiver answers the request that it holds and takes no new connection.
    """

    async def scenario() -> Reply:
        inbox = Inbox(released=asyncio.Event())
        assert inbox.released is not None
        async with receiving(inbox) as receiver:
            asking = asyncio.create_task(ask(receiver.http_port))
            await inbox.arrived.wait()
            closing = asyncio.create_task(receiver.close())
            await refused(receiver.http_port)
            inbox.released.set()
            reply = await asking
            await closing
            await receiver.close()
            return reply

    assert run(scenario()).status == 200
