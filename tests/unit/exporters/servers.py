"""
Stand in for OTLP servers that answer as a test wants.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import grpc
from aiohttp import web

__all__ = ["GrpcStub", "HttpStub", "grpc_stub", "http_stub"]


@attrs.define
class GrpcStub(grpc.GenericRpcHandler):
    """
    Answers each call with *reply*, or with *code*; keeps what it was sent.
    """

    reply: bytes = b""
    code: grpc.StatusCode | None = None
    reason: str = ""
    details: bytes | None = None
    port: int = 0
    requests: list[tuple[str, bytes, dict[str, Any]]] = attrs.field(factory=list)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """
        Take any method.
        """
        method = handler_call_details.method

        async def answer(payload: bytes, context: Any) -> bytes:
            self.requests.append((method, payload, dict(context.invocation_metadata())))
            if self.code is not None:
                trailers = () if self.details is None else self.details
                await context.abort(
                    self.code,
                    self.reason,
                    trailing_metadata=(("grpc-status-details-bin", trailers),) if trailers else (),
                )
            return self.reply

        return grpc.unary_unary_rpc_method_handler(answer)


@asynccontextmanager
async def grpc_stub(
    stub: GrpcStub, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[GrpcStub]:
    """
    Serve *stub* over gRPC on a port of its own.
    """
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((stub,))
    if credentials is None:
        stub.port = server.add_insecure_port("127.0.0.1:0")
    else:
        stub.port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield stub
    finally:
        await server.stop(1)


@attrs.define
class HttpStub:
    """
    Answers each request with *status*, *body* and *headers*; keeps what it was sent.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    port: int = 0
    requests: list[tuple[str, bytes, dict[str, str]]] = attrs.field(factory=list)
    connections: set[Any] = attrs.field(factory=set)

    @property
    def url(self) -> str:
        """
        Where it listens.
        """
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.Response:
        """
        Answer one request.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.connections.add(request.get_extra_info("peername"))
        self.requests.append((request.path, await request.read(), headers))
        return web.Response(status=self.status, body=self.body, headers=self.headers)


@asynccontextmanager
async def http_stub(stub: HttpStub, tls: Any = None) -> AsyncIterator[HttpStub]:
    """
    Serve *stub* over HTTP on a port of its own.
    """
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    stub.port = runner.addresses[0][1]
    try:
        yield stub
    finally:
        await runner.cleanup()
