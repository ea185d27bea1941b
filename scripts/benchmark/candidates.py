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

from otelwasm.otlp.signals import SERVICES
from otelwasm.signals import Signal

__all__ = ["CANDIDATES"]

_METHOD = SERVICES[Signal.TRACES].method


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


# By protocol and name.
CANDIDATES: Mapping[tuple[str, str], Callable[[], None]] = {
    ("grpc", "otelwasm (ngh2, uvloop)"): _ngh2,
    ("grpc", "grpc.aio"): _grpc_aio,
    ("grpc", "grpcio, threads"): _grpc_threads,
}


if __name__ == "__main__":
    CANDIDATES[sys.argv[1], sys.argv[2]]()
