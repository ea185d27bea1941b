"""
Whatever bytes come to the gRPC server, it ends that connection at most, and serves the others.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator

import ngh2
import pytest
from structlog.testing import capture_logs

from otelwasm.otlp.grpc.messages import prefix
from unit.otlp.grpc.talking import a_server, connected, head
from unit.otlp.peers import run

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


def frame(kind: int, payload: bytes, *, flags: int = 0, stream_id: int = 0) -> bytes:
    """
    Return one HTTP/2 frame.
    """
    start = len(payload).to_bytes(3, "big") + bytes((kind, flags))
    return start + stream_id.to_bytes(4, "big") + payload


def a_conversation() -> bytes:
    """
    Return what a client says that makes three calls, pings and cancels.
    """
    client = ngh2.Connection(ngh2.Role.CLIENT)
    client.initiate_connection()
    for size in (0, 100, 20_000):
        stream_id = client.send_request(head(grpc_timeout="5S"))
        client.send_data(stream_id, prefix(size) + bytes(size), end_stream=True)
    client.ping()
    client.reset_stream(client.send_request(head()))
    return client.data_to_send()


def mutants(count: int) -> Iterator[bytes]:
    """
    Return conversations with bytes changed, left out, repeated, and cut off.
    """
    dice = random.Random(4)
    whole = a_conversation()
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(PREFACE), len(data))
            span = dice.choice((1, 1, 4, 9, 300))
            match dice.randrange(4):
                case 0:
                    data[at : at + span] = dice.randbytes(span)
                case 1:
                    del data[at : at + span]
                case 2:
                    data[at:at] = data[at : at + span]
                case 3:
                    data[at] ^= 1 << dice.randrange(8)
        yield bytes(data[: dice.randrange(len(PREFACE), len(data) + 1)])


def garbage(count: int) -> Iterator[bytes]:
    """
    Return noise: alone, after a preface, and in frames whose heads are right.
    """
    dice = random.Random(5)
    for _ in range(count):
        yield dice.randbytes(dice.randrange(300))
        yield PREFACE + SETTINGS + dice.randbytes(dice.randrange(300))
        frames = (
            frame(
                dice.randrange(12),
                dice.randbytes(dice.choice((0, 4, 5, 6, 8, 40))),
                flags=dice.randrange(256),
                stream_id=dice.choice((0, 1, 1, 2, 3, 1 << 31)),
            )
            for _ in range(20)
        )
        yield PREFACE + SETTINGS + b"".join(frames)


@pytest.mark.parametrize("inputs", [mutants(300), garbage(100)], ids=["mutants", "garbage"])
def test_no_bytes_harm_the_server(inputs: Iterator[bytes]) -> None:
    """
    Each of hundreds of malformed conversations comes to an end, and good calls pass after all.
    """

    async def send(port: int, data: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for start in range(0, len(data), 5000):
                writer.write(data[start : start + 5000])
                await writer.drain()
            writer.write_eof()
            while await reader.read(1 << 16):
                pass
        except ConnectionError:
            pass  # it was ended while we spoke
        finally:
            writer.close()

    async def scenario() -> bytes:
        async with a_server() as server:
            for data in inputs:
                await send(server.port, data)
            async with connected(server.port) as client:
                return (await client.answer(client.call(b"hello")))[b"message"][5:]

    assert b"hello" == run(scenario(), limit_s=60)


def flood(name: str) -> bytes:
    """
    Return a great many frames that cost a server something each.
    """
    client = ngh2.Connection(ngh2.Role.CLIENT)
    client.initiate_connection()
    start = client.data_to_send()
    match name:
        case "pings":
            return start + frame(6, bytes(8)) * 100_000
        case "settings":
            return start + SETTINGS * 100_000
        case "resets":
            for _ in range(5000):
                stream_id = client.send_request(head())
                start += client.data_to_send()
                client.reset_stream(stream_id)
                start += client.data_to_send()
            return start
        case "continuations":
            begin = frame(1, b"", stream_id=1)
            return start + begin + frame(9, bytes(100), stream_id=1) * 1000
        case "huge head":
            big = [(b"x-%d" % number, b"v" * 8000) for number in range(30)]
            client = ngh2.Connection(
                ngh2.Role.CLIENT, ngh2.Configuration(max_send_header_block_length=1 << 20)
            )
            client.initiate_connection()
            client.send_request([*head(), *big], end_stream=True)
            return client.data_to_send()
    raise AssertionError(name)


@pytest.mark.parametrize("name", ["pings", "settings", "resets", "continuations", "huge head"])
def test_floods_end_their_connection(name: str) -> None:
    """
    A client that floods, and reads nothing, is parted from before it costs much.
    """

    async def scenario() -> bool:
        async with a_server() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                writer.write(flood(name))
                await writer.drain()
                while await reader.read(1 << 16):
                    pass
            except ConnectionError:
                pass
            writer.close()
            async with connected(server.port) as client:
                answer = await client.answer(client.call(b"hello"))
                return answer[b"message"][5:] == b"hello"

    assert run(scenario())


def test_a_client_of_another_protocol_is_named() -> None:
    """
    OTLP/HTTP that is sent to the port of OTLP/gRPC, the commonest slip, is said in the log.
    """

    async def scenario() -> list[str]:
        async with a_server() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
            with contextlib.suppress(ConnectionError):
                while await reader.read(1 << 16):
                    pass
            writer.close()
        return [line["error"] for line in lines]

    with capture_logs() as lines:
        (error,) = run(scenario())

    assert error.startswith("it got HTTP/1.1, as OTLP/HTTP speaks, which has a port of its own")
