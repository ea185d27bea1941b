"""
Serve OTLP by one of several servers, with a handler that only takes the body.

    python -m benchmark.candidates grpc grpc.aio      # prints its port, serves until it is ended

Each is as its own documentation sets it up for speed: raw bytes, no reflection of messages.
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from otelwasm.otlp.signals import SERVICES
from otelwasm.signals import Signal

__all__ = ["CANDIDATES"]

_METHOD = SERVICES[Signal.TRACES].method
_NO_BODY = [(b"content-length", b"0")]


def _say(port: int) -> None:
    print(port, flush=True)


def _listening() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def _ngh2() -> None:
    """
    Serve by our own layer.
    """
    import uvloop

    from otelwasm.otlp.grpc.server import GrpcServer

    async def export(_: bytes) -> bytes:
        return b""

    async def serve() -> None:
        server = GrpcServer({_METHOD: export}, [_listening()], max_message_bytes=4 << 20)
        server.start()
        _say(server.port)
        await asyncio.Event().wait()

    uvloop.run(serve())


def _grpc_aio() -> None:
    """
    Serve by grpcio's asyncio server.
    """
    import grpc

    async def export(_: bytes, __: object) -> bytes:
        return b""

    async def serve() -> None:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((_handlers(export),))
        _say(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        await server.wait_for_termination()

    asyncio.run(serve())


def _grpc_threads() -> None:
    """
    Serve by grpcio's server with threads.
    """
    import grpc

    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((_handlers(lambda _, __: b""),))
    _say(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


def _handlers(export: Callable[..., object]) -> object:
    import grpc

    service, _, name = _METHOD[1:].partition("/")
    return grpc.method_handlers_generic_handler(
        service, {name: grpc.unary_unary_rpc_method_handler(export)}
    )


def _own_http() -> None:
    """
    Serve by our own server.
    """
    import uvloop

    from otelwasm.http.messages import Answer, Request
    from otelwasm.http.server import HttpServer

    taken = Answer(200)

    async def take(_: Request) -> Answer:
        return taken

    async def serve() -> None:
        server = HttpServer(take, [_listening()])
        await server.start()
        _say(server.port)
        await asyncio.Event().wait()

    uvloop.run(serve())


def _uvicorn() -> None:
    """
    Serve by uvicorn with httptools and uvloop.
    """
    import uvicorn

    async def take(_: object, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        has_more = True
        while has_more:
            has_more = (await receive()).get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": _NO_BODY})
        await send({"type": "http.response.body"})

    sock = _listening()
    _say(sock.getsockname()[1])
    config = uvicorn.Config(
        take, loop="uvloop", http="httptools", ws="none", lifespan="off", access_log=False
    )
    uvicorn.Server(config).run([sock])


def _aiohttp() -> None:
    """
    Serve by aiohttp's server, without its router.
    """
    import uvloop
    from aiohttp import web

    async def take(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response()

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(take))  # type: ignore[arg-type]
        await runner.setup()
        sock = _listening()
        await web.SockSite(runner, sock).start()
        _say(sock.getsockname()[1])
        await asyncio.Event().wait()

    uvloop.run(serve())


# By protocol and name.
CANDIDATES: Mapping[tuple[str, str], Callable[[], None]] = {
    ("grpc", "otelwasm (ngh2, uvloop)"): _ngh2,
    ("grpc", "grpc.aio"): _grpc_aio,
    ("grpc", "grpcio, threads"): _grpc_threads,
    ("http", "otelwasm (httptools, uvloop)"): _own_http,
    ("http", "uvicorn (httptools, uvloop)"): _uvicorn,
    ("http", "aiohttp (uvloop)"): _aiohttp,
}


if __name__ == "__main__":
    CANDIDATES[sys.argv[1], sys.argv[2]]()
