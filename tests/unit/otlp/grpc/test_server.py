"""
The gRPC server answers every call as gRPC says, and outlives its clients.
"""

import gzip
from collections.abc import Awaitable, Callable

import ngh2
import pytest

from otelwasm.otlp.grpc.messages import prefix
from otelwasm.otlp.grpc.status import Code, RpcError
from unit.otlp.grpc.talking import a_server, connected, echo, echoed
from unit.otlp.peers import run


def answer_to(
    frame: bytes, *, handler: Callable[[bytes], Awaitable[bytes]] = echo, **fields: str | None
) -> dict[bytes, bytes]:
    """
    Run a server for one call; return the fields of its answer.
    """

    async def scenario() -> dict[bytes, bytes]:
        async with a_server(handler) as server, connected(server.port) as client:  # type: ignore[arg-type]
            return await client.answer(client.call(frame=frame, **fields))

    return run(scenario())


def test_messages_are_answered() -> None:
    """
    A call's message reaches the handler, and what it returns reaches the client.
    """
    answer = answer_to(prefix(5) + b"hello")

    assert {
        b":status": b"200",
        b"content-type": b"application/grpc",
        b"grpc-accept-encoding": b"identity,gzip,deflate",
        b"grpc-status": b"0",
        b"message": prefix(5) + b"hello",
    } == answer


def test_compressed_messages_are_unpacked() -> None:
    """
    With gzip a message is unpacked; one without the flag is left as it is.
    """
    packed = gzip.compress(b"hello")

    for frame in (prefix(len(packed), is_compressed=True) + packed, prefix(5) + b"hello"):
        assert prefix(5) + b"hello" == answer_to(frame, grpc_encoding="gzip")[b"message"]


@pytest.mark.parametrize(
    ("frame", "fields", "code", "words"),
    [
        (b"", {}, Code.UNIMPLEMENTED, b"no message"),
        (b"\0\0", {}, Code.UNIMPLEMENTED, b"no message"),
        (prefix(9) + b"short", {}, Code.INTERNAL, b"cut off: 5 bytes came of 9"),
        (prefix(1) + b"a" + prefix(1) + b"b", {}, Code.UNIMPLEMENTED, b"follow the one message"),
        (b"\x07\0\0\0\0", {}, Code.INTERNAL, b"flag 7"),
        (b"\1\0\0\0\1x", {}, Code.INTERNAL, b"no grpc-encoding"),
        (b"\1\0\0\0\2xx", {"grpc_encoding": "gzip"}, Code.INTERNAL, b"no valid gzip"),
        (prefix(0), {"grpc_encoding": "br"}, Code.UNIMPLEMENTED, b"'br' is not known"),
        (prefix(0), {"path": "/a.B/C"}, Code.UNIMPLEMENTED, b"no method /a.B/C here"),
        (prefix((1 << 20) + 1), {}, Code.RESOURCE_EXHAUSTED, b"the limit is 1048576"),
    ],
)
def test_what_is_wrong_is_said(
    frame: bytes, fields: dict[str, str], code: Code, words: bytes
) -> None:
    """
    A call that cannot be handled ends with the code that gRPC has for it, and a reason.
    """
    answer = answer_to(frame, **fields)

    assert b"%d" % code == answer[b"grpc-status"]
    assert words in answer[b"grpc-message"]
    assert b"identity,gzip,deflate" == answer[b"grpc-accept-encoding"]


def test_a_bomb_is_refused() -> None:
    """
    A message that unpacks to more than the limit is refused as one that is too large.
    """
    bomb = gzip.compress(bytes(2 << 20))

    answer = answer_to(prefix(len(bomb), is_compressed=True) + bomb, grpc_encoding="gzip")

    assert b"8" == answer[b"grpc-status"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"content_type": "application/json"}, b"415"),
        ({"content_type": None}, b"415"),
        ({"method": "GET"}, b"405"),
    ],
)
def test_other_http_is_turned_away(fields: dict[str, str | None], status: bytes) -> None:
    """
    A request that is no gRPC gets an HTTP status.
    """
    assert {b":status": status} == answer_to(b"", **fields)


def test_too_large_calls_are_refused_before_they_came() -> None:
    """
    The announced length is enough to refuse a call; its client need not send the rest.
    """

    async def scenario() -> tuple[bytes, int]:
        async with a_server() as server, connected(server.port) as client:
            stream_id = client.call(None)
            client.http2.send_data(stream_id, prefix(2 << 20) + b"the beginning")
            client.flush()
            answer = await client.answer(stream_id)
            return answer[b"grpc-status"], len(await echoed(client))

    assert (b"8", 5) == run(scenario())


def test_chunks_may_be_tiny() -> None:
    """
    A message in frames of one byte, its length's too, is put together.
    """

    async def scenario() -> bytes:
        async with a_server() as server, connected(server.port) as client:
            stream_id = client.call(None)
            for byte in prefix(6000) + bytes(6000):
                client.http2.send_data(stream_id, bytes((byte,)))
                client.flush()
            client.http2.end_stream(stream_id)
            client.flush()
            return (await client.answer(stream_id))[b"message"]

    assert prefix(6000) + bytes(6000) == run(scenario())


def test_failures_of_a_handler_are_told() -> None:
    """
    A handler's RpcError reaches the client with all it says; a defect says nothing of itself.
    """

    async def refuse(_: bytes) -> bytes:
        raise RpcError(Code.UNAVAILABLE, "voll, 100 % \n é", details=b"\1\2")

    async def break_down(_: bytes) -> bytes:
        raise KeyError("secret")

    refused = answer_to(prefix(0), handler=refuse)
    broken = answer_to(prefix(0), handler=break_down)

    assert b"14" == refused[b"grpc-status"]
    assert b"voll, 100 %25 %0A %C3%A9" == refused[b"grpc-message"]
    assert b"AQI" == refused[b"grpc-status-details-bin"]
    assert (b"13", b"internal error") == (broken[b"grpc-status"], broken[b"grpc-message"])


def test_parts_that_fill_the_window_do_not_wait_for_each_other() -> None:
    """
    Where incomplete calls hold all the room, the youngest are refused and the others get through.
    """
    size = 4 << 20

    async def scenario() -> list[bytes]:
        async with (
            a_server(max_message_bytes=size) as server,
            connected(server.port) as client,
        ):
            calls = [client.call(None) for _ in range(8)]
            await client.event(ngh2.SettingsAcknowledged)
            for stream_id in calls:
                client.http2.send_data(stream_id, prefix(size) + bytes(size - 100))
            client.flush()
            refused = [await client.answer(stream_id) for stream_id in calls[2:]]
            for stream_id in calls[:2]:
                client.http2.send_data(stream_id, bytes(100), end_stream=True)
            client.flush()
            taken = [await client.answer(stream_id) for stream_id in calls[:2]]
            return [each[b"grpc-status"] for each in (*refused, *taken)]

    assert [b"14"] * 6 + [b"0"] * 2 == run(scenario())


def test_many_large_calls_pass_one_after_the_other() -> None:
    """
    The window is given back: a connection carries far more than it may hold at once.
    """
    message = bytes(1 << 20)

    async def scenario() -> int:
        count = 0
        async with a_server() as server, connected(server.port) as client:
            await client.event(ngh2.SettingsReceived)
            for _ in range(40):
                stream_id = client.call(message)
                answer = await client.answer(stream_id)
                count += answer[b"grpc-status"] == b"0"
        return count

    assert 40 == run(scenario())


def test_pings_are_answered() -> None:
    """
    A client that asks whether the server is there hears that it is.
    """

    async def scenario() -> bytes:
        async with a_server() as server, connected(server.port) as client:
            client.http2.ping(b"are you?")
            client.flush()
            return (await client.event(ngh2.PingAcknowledged)).opaque_data

    assert b"are you?" == run(scenario())
