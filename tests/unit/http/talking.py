"""
Talk to a server of ours byte by byte.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from otelwasm.http.connection import HttpLimits
from otelwasm.http.messages import Answer, Request
from otelwasm.http.server import HttpServer
from otelwasm.otlp.endpoints import Address
from otelwasm.receivers.listening import bind
from unit.otlp.peers import run

__all__ = ["Seen", "answers_to", "serving", "talk"]


class Seen:
    """
    A handler that keeps the requests it saw and answers each with its number.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Answer:
        """
        Answer one request.
        """
        self.requests.append(request)
        return Answer(200, str(len(self.requests)).encode())


@asynccontextmanager
async def serving(
    handle: Callable[[Request], Coroutine[Any, Any, Answer]],
    *,
    limits: HttpLimits | None = None,
    **more: Any,
) -> AsyncIterator[HttpServer]:
    """
    Run a server on a port of its own.
    """
    sockets = bind(Address.parse("127.0.0.1:0"), owner="test")
    server = HttpServer(handle, sockets, limits=limits, **more)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def talk(port: int, *pieces: bytes) -> bytes:
    """
    Send the pieces, each in a packet of its own, and the end; return all that is answered.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def answers_to(
    *pieces: bytes, handle: Any = None, limits: HttpLimits | None = None
) -> tuple[list[Request], bytes]:
    """
    Run a server for one connection; return the requests it saw and the bytes it answered.
    """
    seen = Seen()

    async def scenario() -> bytes:
        async with serving(handle or seen, limits=limits) as server:
            return await talk(server.port, *pieces)

    answered = run(scenario())
    return seen.requests, answered
