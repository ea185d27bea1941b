"""
Take addresses and serve HTTP on them, in the event loop of the pipeline.
"""

import asyncio
import errno
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otelwasm.errors import SetupError
from otelwasm.otlp.endpoints import Address

__all__ = ["GRACE_S", "HttpServer", "bind"]

# How long a closing server waits for the requests in flight.
GRACE_S = 10.0
_IDLE_S = 60
_LONGEST_HEAD_BYTES = 64 << 10
_POLL_S = 0.01


def bind(address: Address, *, receiver: str) -> list[socket.socket]:
    """
    Bind a socket for each of the addresses that the host has here; the port is the same for all.

    Raises SetupError, naming *receiver*, if one of them is taken.
    """
    sockets: list[socket.socket] = []
    port = address.port
    try:
        found = socket.getaddrinfo(
            address.host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, where in found:
            sock = _bind_one(family, kind, protocol=protocol, where=(where[0], port, *where[2:]))
            if sock is not None:
                sockets.append(sock)
                port = sock.getsockname()[1]
        if not sockets:
            raise OSError(errno.EADDRNOTAVAIL, "no such address on this machine")
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise SetupError(
            f"receiver {receiver!r} cannot listen on {address}: {_reason(error)}"
        ) from error
    return sockets


def _bind_one(
    family: int, kind: int, *, protocol: int, where: tuple[Any, ...]
) -> socket.socket | None:
    """
    Bind one socket; None for an address family that this machine does not have.
    """
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            return None
        raise
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(where)
        return sock
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        raise


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the address is already in use; stop what uses it or choose another port"
    if isinstance(error, socket.gaierror):
        return f"the host is not known: {error.strerror}"
    return error.strerror or str(error)


class _Connection(HttpToolsProtocol):
    """
    Does two things that uvicorn does not.

    It ends a connection on which the head of a request takes too long or grows too large. And it
    takes the body of a request that offers an upgrade (Java's HttpClient offers h2c): httptools
    leaves that body out, so the request is read again without the offer.
    """

    def __init__(self, *arguments: Any, head_timeout_s: float, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._head_timeout_s = head_timeout_s
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """
        Read on.
        """
        self._received = data
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _LONGEST_HEAD_BYTES:
                self.transport.close()

    def _should_upgrade(self) -> bool:
        return self._get_upgrade() is not None

    def handle_websocket_upgrade(self) -> None:
        """
        Read the request that offered an upgrade again; called while HttpParserUpgrade is handled.
        """
        upgrade = sys.exception()
        assert isinstance(upgrade, httptools.HttpParserUpgrade)
        head = [self.scope["method"].encode(), b" ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"".join([*head, b"\r\n", self._received[upgrade.args[0] :]]))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """
        Wait for the first request.
        """
        super().connection_made(transport)
        self._wait_for_head()

    def on_message_begin(self) -> None:
        """
        Wait for the rest of a request's head.
        """
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        """
        The head is there.
        """
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Nothing will come any more.
        """
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self._head_timeout_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class HttpServer:
    """
    Serves an ASGI application on bound sockets until it is closed.

    Runs uvicorn in pieces, as its `serve` would take the process's signals for itself.
    """

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        sockets: list[socket.socket],
        *,
        tls: ssl.SSLContext | None = None,
        head_timeout_s: float = 60,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_IDLE_S,
        )
        config.load()
        config.ssl = tls
        config.http_protocol_class = partial(_Connection, head_timeout_s=head_timeout_s)  # type: ignore[assignment] # a class or what makes one
        self._sockets = sockets
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._ticks: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """
        The port that the server listens on.
        """
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """
        Begin to accept connections.
        """
        await self._server.startup(sockets=self._sockets)
        self._ticks = asyncio.create_task(self._server.main_loop(), name="http server's clock")

    async def close(self) -> None:
        """
        Accept no more, finish the requests in flight, close; twice is safe.
        """
        ticks, self._ticks = self._ticks, None
        if ticks is None:
            return
        ticks.cancel()
        # A connection is lost if its server closes right after accepting it (python/cpython#109564,
        # open): so first accept no more, then close.
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
        await asyncio.sleep(_POLL_S)
        for server in self._server.servers:
            server.close()
        for sock in self._sockets:
            sock.close()
        state = self._server.server_state
        try:
            async with asyncio.timeout(GRACE_S):
                while state.connections or state.tasks:
                    for connection in list(state.connections):
                        connection.shutdown()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            for task in state.tasks:
                task.cancel("the server is closing")
