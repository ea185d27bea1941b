"""
The gRPC channel finds its server, and says why if it does not.
"""

import asyncio
import socket
from pathlib import Path

import pytest

from otelwasm.otlp.endpoints import GrpcTarget
from otelwasm.otlp.grpc.channel import GrpcChannel
from otelwasm.otlp.grpc.server import GrpcServer
from otelwasm.otlp.grpc.status import Code, RpcError
from unit.otlp.grpc.talking import METHOD, Talk, a_channel, a_server, answer_all, echo, speaking
from unit.otlp.peers import run


def test_silent_connections_are_left() -> None:
    """
    After a call that was given up without a word from the server, calls go over a new connection.
    """

    async def scenario() -> int:
        peers = 0

        async def speak(talk: Talk) -> None:
            nonlocal peers
            peers += 1
            if peers > 1:
                await answer_all(talk)
            await talk.end()

        async with speaking(speak) as port:
            channel = a_channel(port)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await channel.call(METHOD, b"")
            answer = await channel.call(METHOD, b"")
            await channel.close()
        return answer.outcome.code

    assert Code.OK == run(scenario())


def test_every_address_of_a_name_is_tried() -> None:
    """
    Where `localhost` has two addresses and a server listens on one, it is found.
    """

    async def scenario() -> bytes:
        async with a_server() as server:
            channel = a_channel(server.port, "localhost")
            answer = await channel.call(METHOD, b"hello")
            await channel.close()
            return answer.message

    assert b"hello" == run(scenario())


def test_unix_sockets_are_reached(tmp_path: Path) -> None:
    """
    A `unix:` target is a path.
    """
    path = tmp_path / "s"

    async def scenario() -> bytes:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(str(path))
        server = GrpcServer({METHOD: echo}, [sock], max_message_bytes=1000)
        server.start()
        channel = GrpcChannel(GrpcTarget.parse(f"unix://{path}"))
        answer = await channel.call(METHOD, b"hello")
        await channel.close()
        await server.close(10)
        return answer.message

    assert b"hello" == run(scenario())


def test_failures_to_connect_are_not_repeated_at_once() -> None:
    """
    After a failure calls fail with its reason for a while, without a new attempt.
    """

    async def scenario() -> tuple[int, set[str]]:
        peers = 0

        async def hang_up(_: Talk) -> None:
            nonlocal peers
            peers += 1

        async with speaking(hang_up) as port:
            channel = a_channel(port)
            reasons = set()
            for _ in range(3):
                with pytest.raises(RpcError) as failure:
                    await channel.call(METHOD, b"")
                reasons.add(failure.value.message)
            await channel.close()
        return peers, reasons

    peers, reasons = run(scenario())

    assert (1, 1) == (peers, len(reasons))


def test_attempts_that_ended_are_not_waited_for() -> None:
    """
    In no turn of the event loop does a call find an attempt that is over: it would spin on it.
    """

    async def scenario() -> list[bool]:
        async with a_server() as server:
            channel = a_channel(server.port)
            call = asyncio.create_task(channel.call(METHOD, b""))
            seen = []
            while not call.done():
                seen.append(channel._connecting is not None and channel._connecting.done())
                await asyncio.sleep(0)
            await channel.close()
            return seen

    assert not any(run(scenario()))


def test_servers_that_speak_something_else_are_named() -> None:
    """
    A server that answers in HTTP/1.1, or ends the connection, is told from one that is down.
    """

    async def scenario(answer: bytes) -> str:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1 << 16)
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        channel = a_channel(server.sockets[0].getsockname()[1])
        with pytest.raises(RpcError) as failure:
            await channel.call(METHOD, b"")
        await channel.close()
        server.close()
        assert Code.UNAVAILABLE == failure.value.code
        return failure.value.message

    assert "does the server want TLS?" in run(scenario(b""))
    assert "as it should: it got HTTP/1.1, as OTLP/HTTP speaks, which has a port of its own" in (
        run(scenario(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    )
    assert "does not speak HTTP/2" in run(scenario(b"SSH-2.0-OpenSSH_9.6\r\n"))


def test_closing_while_connecting_ends_the_call() -> None:
    """
    A call that waits for a connection fails when the channel is closed.
    """

    async def scenario() -> str:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.listen()  # and never speak
            channel = a_channel(sock.getsockname()[1])
            call = asyncio.create_task(channel.call(METHOD, b""))
            while channel._connecting is None:
                await asyncio.sleep(0)
            await channel.close()
            with pytest.raises(RpcError) as failure:
                await call
            return failure.value.message

    assert "closed while connecting" == run(scenario())
