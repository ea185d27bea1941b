"""
The gRPC channel gets its calls through, or says why not, whatever becomes of its connections.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import ngh2
import pytest

from otelwasm.otlp.grpc.messages import prefix
from otelwasm.otlp.grpc.status import Code, RpcError
from unit.otlp.grpc.talking import (
    HEAD,
    METHOD,
    OK,
    Talk,
    a_channel,
    a_server,
    answer_all,
    reply,
    speaking,
)
from unit.otlp.peers import run


def outcome_of(serve: Callable[[Talk, int], Awaitable[None] | None]) -> RpcError | Code:
    """
    Make one call to a server that treats it as *serve* says; return how it ended.
    """

    async def speak(talk: Talk) -> None:
        while True:
            request = await talk.event(ngh2.RequestReceived)
            waits = serve(talk, request.stream_id)
            talk.flush()
            if waits is not None:
                await waits

    async def scenario() -> RpcError | Code:
        async with speaking(speak) as port:
            channel = a_channel(port)
            try:
                return (await channel.call(METHOD, b"hello")).outcome.code
            except RpcError as error:
                return error
            finally:
                await channel.close()

    return run(scenario())


def test_calls_share_a_connection() -> None:
    """
    A hundred calls at once go over one connection, and each gets its own answer.
    """

    async def scenario() -> tuple[list[bytes], int]:
        async with a_server() as server:
            channel = a_channel(server.port)
            messages = [b"%d" % number for number in range(100)]
            answers = await asyncio.gather(*(channel.call(METHOD, each) for each in messages))
            count = len(server._serving.connections)
            await channel.close()
            return [answer.message for answer in answers], count

    answers, connections = run(scenario())

    assert [b"%d" % number for number in range(100)] == answers
    assert 1 == connections


def test_servers_that_take_few_calls_get_more_connections() -> None:
    """
    With one call at a time for each connection, more connections are opened, and no call fails.
    """

    async def scenario() -> int:
        peers = 0

        async def speak(talk: Talk) -> None:
            nonlocal peers
            peers += 1
            await answer_all(talk)

        async with speaking(speak, {ngh2.Setting.MAX_CONCURRENT_STREAMS: 1}) as port:
            channel = a_channel(port)
            await asyncio.gather(*(channel.call(METHOD, b"") for _ in range(5)))
            await channel.call(METHOD, b"")
            await channel.close()
        return peers

    assert 1 < run(scenario()) <= 5


def test_goodbyes_cost_no_call() -> None:
    """
    A call that the server did not take before its goodbye is made again on a new connection; one
    that it took is answered on the old.
    """

    async def scenario() -> list[bytes]:
        peers = 0

        async def speak(talk: Talk) -> None:
            nonlocal peers
            peers += 1
            if peers > 1:
                await answer_all(talk, b"new")
            first = await talk.event(ngh2.RequestReceived)
            await talk.event(ngh2.RequestReceived)
            talk.http2.send_goaway(last_stream_id=first.stream_id)
            talk.flush()
            reply(talk, first.stream_id, b"old")
            await talk.end()

        async with speaking(speak) as port:
            channel = a_channel(port)
            calls = (channel.call(METHOD, b"") for _ in range(2))
            answers = await asyncio.gather(*calls)
            await channel.close()
            return [answer.message for answer in answers]

    assert [b"old", b"new"] == run(scenario())


def refuse(fields: dict[bytes, bytes]) -> Callable[[Talk, int], None]:
    """
    Return how to answer with fields only.
    """
    return lambda talk, stream_id: talk.http2.send_response(
        stream_id, tuple(fields.items()), end_stream=True
    )


def test_endings_are_told_apart() -> None:
    """
    However a call ends without an answer, its code is the one that gRPC has for it.
    """
    endings: list[tuple[Callable[[Talk, int], Any], Code, str]] = [
        (refuse({b":status": b"200", b"grpc-status": b"5"}), Code.NOT_FOUND, ""),
        (refuse({b":status": b"503"}), Code.UNAVAILABLE, ""),
        (refuse({b":status": b"200"}), Code.UNKNOWN, "no grpc-status"),
        (lambda talk, number: talk.http2.reset_stream(number, 8), Code.CANCELLED, "reset"),
        (lambda talk, number: talk.http2.reset_stream(number, 7), Code.UNAVAILABLE, "no more"),
        (lambda talk, number: talk.write(b"what?" * 100), Code.UNAVAILABLE, "HTTP/2"),
        (lambda talk, number: talk.close(), Code.UNAVAILABLE, "closed"),
        (lambda talk, number: no_message(talk, number), Code.INTERNAL, "no message"),
        (lambda talk, number: too_much(talk, number), Code.RESOURCE_EXHAUSTED, "more than"),
    ]

    for serve, code, words in endings:
        ended = outcome_of(serve)

        assert code == (ended.code if isinstance(ended, RpcError) else ended)
        assert words in str(ended)


def no_message(talk: Talk, stream_id: int) -> None:
    """
    Say OK, and nothing before it.
    """
    talk.http2.send_response(stream_id, HEAD)
    talk.http2.send_trailers(stream_id, OK)


async def too_much(talk: Talk, stream_id: int) -> None:
    """
    Answer at a length that nobody wants.
    """
    talk.http2.send_response(stream_id, HEAD)
    talk.http2.send_data(stream_id, prefix(5 << 20) + bytes(5 << 20))
    talk.flush()
    await talk.end()


def test_early_answers_count() -> None:
    """
    A server may refuse a call before it was sent to its end; the rest stays here.
    """

    async def scenario() -> Code:
        async with a_server(max_message_bytes=1000) as server:
            channel = a_channel(server.port)
            answer = await channel.call(METHOD, bytes(20 << 20))
            again = await channel.call(METHOD, b"hello")
            await channel.close()
            assert b"hello" == again.message
            return answer.outcome.code

    assert Code.RESOURCE_EXHAUSTED == run(scenario())


def test_compressed_answers_are_unpacked() -> None:
    """
    An answer may be compressed, as we say that it may.
    """
    packed = gzip.compress(b"hello")

    async def scenario() -> bytes:
        async def speak(talk: Talk) -> None:
            request = await talk.event(ngh2.RequestReceived)
            talk.http2.send_response(request.stream_id, (*HEAD, (b"grpc-encoding", b"gzip")))
            frame = prefix(len(packed), is_compressed=True) + packed
            talk.http2.send_data(request.stream_id, frame)
            talk.http2.send_trailers(request.stream_id, OK)
            talk.flush()
            await talk.end()

        async with speaking(speak) as port:
            channel = a_channel(port)
            answer = await channel.call(METHOD, b"")
            await channel.close()
            return answer.message

    assert b"hello" == run(scenario())


def test_calls_given_up_are_cancelled() -> None:
    """
    A call that is cancelled here is reset there, and the connection stays in use.
    """

    async def scenario() -> int:
        reset = asyncio.Event()

        async def speak(talk: Talk) -> None:
            await talk.event(ngh2.RequestReceived)
            talk.http2.ping()  # it is slow, not dead
            talk.flush()
            error = await talk.event(ngh2.StreamReset)
            assert ngh2.ErrorCode.CANCEL == error.error_code
            reset.set()
            await answer_all(talk)

        async with speaking(speak) as port:
            channel = a_channel(port)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await channel.call(METHOD, b"")
            await reset.wait()
            answer = await channel.call(METHOD, b"")
            await channel.close()
            return answer.outcome.code

    assert Code.OK == run(scenario())
