"""
The gRPC server keeps to times: deadlines, slow and silent clients, and its own end.
"""

import asyncio
import socket
from pathlib import Path

import ngh2
import pytest

from otelwasm.otlp.endpoints import Address, GrpcTarget
from otelwasm.otlp.grpc.channel import GrpcChannel
from otelwasm.otlp.grpc.messages import prefix
from otelwasm.otlp.grpc.server import GrpcServer
from otelwasm.otlp.tls import ClientTls, ServerTls
from otelwasm.receivers.listening import bind
from unit.otlp.certificates import issue_certificates
from unit.otlp.grpc.talking import METHOD, Slow, Talk, a_server, connected, echo, echoed
from unit.otlp.peers import run


def test_deadlines_are_kept() -> None:
    """
    A call whose grpc-timeout is over is answered so, and its handler cancelled.
    """

    async def scenario() -> bytes:
        slow = Slow()
        async with a_server(slow, read_timeout_s=0.2) as server, connected(server.port) as client:
            answer = await client.answer(client.call(b"", grpc_timeout="50m"))
            await slow.was_cancelled.wait()
            return answer[b"grpc-status"]

    assert b"4" == run(scenario())


@pytest.mark.parametrize("is_whole_connection", [False, True])
def test_cancelled_calls_are_given_up(is_whole_connection: bool) -> None:
    """
    The handler of a call that its client resets, or whose client is gone, is cancelled.
    """

    async def scenario() -> bytes:
        slow = Slow()
        async with a_server(slow) as server, connected(server.port) as client:
            stream_id = client.call(b"")
            await slow.began.wait()
            if is_whole_connection:
                client.close()
            else:
                client.http2.reset_stream(stream_id)
                client.flush()
            await slow.was_cancelled.wait()
            slow.may_end.set()
            async with connected(server.port) as other:
                return await echoed(other)

    assert b"hello" == run(scenario())


def test_slow_senders_are_given_up() -> None:
    """
    A call that does not get complete in time is refused as retryable by its code; others go on.
    """

    async def scenario() -> tuple[bytes, bytes]:
        async with a_server(read_timeout_s=0.2) as server, connected(server.port) as client:
            stream_id = client.call(None)
            client.http2.send_data(stream_id, prefix(100) + b"a part")
            client.flush()
            return (await client.answer(stream_id))[b"grpc-status"], await echoed(client)

    assert (b"4", b"hello") == run(scenario())


def test_silent_connections_are_closed() -> None:
    """
    A connection on which nothing is said is closed after a while.
    """

    async def scenario() -> bytes:
        async with a_server(read_timeout_s=0.2) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                while data := await reader.read(1000):
                    pass
            except ConnectionError:
                data = b""
            writer.close()
            return data

    assert b"" == run(scenario())


def test_closing_finishes_what_is_in_flight() -> None:
    """
    A closing server says goodbye, answers what it holds and what was on its way, and closes.
    """

    async def scenario() -> list[bytes]:
        slow = Slow()
        async with a_server(slow) as server, connected(server.port) as client:
            first = client.call(b"first")
            await slow.began.wait()
            closing = asyncio.create_task(server.close(10))
            second = client.call(b"second")  # sent before the client heard of it
            goodbye = await client.event(ngh2.GoAwayReceived)
            slow.may_end.set()
            answers = [(await client.answer(each))[b"message"][5:] for each in (first, second)]
            await client.end()
            await closing
            await server.close(10)
            assert 0 == goodbye.error_code
            return answers

    assert [b"first", b"second"] == run(scenario())


def test_closing_ends_in_time() -> None:
    """
    What is not answered when the grace is over is told to come again, and cancelled.
    """

    async def scenario() -> bytes:
        slow = Slow()
        async with a_server(slow, grace_s=0.1) as server, connected(server.port) as client:
            stream_id = client.call(b"")
            await slow.began.wait()
            closing = asyncio.create_task(server.close(0.1))
            answer = await client.answer(stream_id)
            await slow.was_cancelled.wait()
            await closing
            return answer[b"grpc-status"]

    assert b"14" == run(scenario())


def test_idle_connections_do_not_hold_up_the_end() -> None:
    """
    Clients that say nothing, HTTP/2 or not, are parted from at once or after a round trip.
    """

    async def scenario() -> None:
        async with a_server() as server, connected(server.port) as client:
            await echoed(client)
            closing = asyncio.create_task(server.close(10))
            await client.end()
            await closing

    run(scenario(), limit_s=5)


def test_silent_tls_connections_hold_up_nobody_at_the_end(tmp_path: Path) -> None:
    """
    Whoever connects and does not begin TLS is cut off with the end; the others hear of it at once.
    """
    issue_certificates(tmp_path)
    tls = ServerTls(tmp_path / "server.pem", tmp_path / "server.key").ssl_context()
    trusting = ClientTls(ca_file=tmp_path / "ca.pem").ssl_context()

    async def scenario() -> bytes:
        sockets = bind(Address.parse("localhost:0"), owner="test")
        server = GrpcServer({METHOD: echo}, sockets, max_message_bytes=1000, tls=tls)
        server.start()
        silent, silent_writer = await asyncio.open_connection("localhost", server.port)
        target = GrpcTarget.parse(f"localhost:{server.port}")
        channel = GrpcChannel(target, tls=trusting)
        await channel.call(METHOD, b"hello")
        (connection,) = channel._connections
        closing = asyncio.create_task(server.close(2))
        while connection.is_usable:
            await asyncio.sleep(0)
        was_waiting = not closing.done()
        await closing
        nothing = await silent.read()
        silent_writer.close()
        await channel.close()
        assert was_waiting
        return nothing

    assert b"" == run(scenario())


def test_connections_that_wait_are_served() -> None:
    """
    A connection that the system took before the end, but we did not yet, gets its answer.
    """

    async def scenario() -> bytes:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        server = GrpcServer({"/test.Service/Call": echo}, [sock], max_message_bytes=1000)
        server.start()
        port = server.port
        early = socket.create_connection(("127.0.0.1", port))  # blocks the loop: not accepted yet
        closing = asyncio.create_task(server.close(10))
        reader, writer = await asyncio.open_connection(sock=early)
        client = Talk(reader, writer, ngh2.Role.CLIENT, {})
        answer = await client.answer(client.call(b"hello"))
        await closing
        client.close()
        return answer[b"message"][5:]

    assert b"hello" == run(scenario())
