"""
Serve HTTP/1.1 on bound sockets: any method and path, one function that answers.

It is small on purpose: whole requests in, whole answers out, as telemetry is sent. `docs/bench` has
its cost beside that of general servers.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from math import inf
from typing import Any

from otelwasm.http.connection import Connection, HttpLimits, Serving
from otelwasm.http.messages import Answer, Request, told

__all__ = ["HttpServer"]

# How long a closing server waits for the requests in flight.
_GRACE_S = 10.0
_BACKLOG = 2048
# Of the event loop, until what it has accepted is a connection.
_TURNS = 5
_LONGEST_TICK_S = 1.0
_LONGEST_S = 60.0  # for what the limits let take as long as it likes


class HttpServer:
    """
    Answers each request with what *handle* makes of it, until it is closed.

    The requests of a connection are handled one after the other. What *handle* raises is logged
    and answered with 500. *refuse* may word the answers to bodies that are too large or too late.
    """

    def __init__(
        self,
        handle: Callable[[Request], Coroutine[Any, Any, Answer]],
        sockets: list[socket.socket],
        *,
        tls: ssl.SSLContext | None = None,
        limits: HttpLimits | None = None,
        refuse: Callable[[Request, int, str], Answer] | None = None,
    ) -> None:
        self._limits = limits or HttpLimits()
        self._serving = Serving(handle, refuse or _refused, self._limits, self._on_change)
        self._sockets = sockets
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_empty = asyncio.Event()
        times = (
            self._limits.head_timeout,
            self._limits.body_timeout,
            self._limits.idle_timeout,
        )
        self._tick_s = min(_LONGEST_TICK_S, *(time / 4 for time in times if time))

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
        loop = asyncio.get_running_loop()
        self._tick()
        for sock in self._sockets:
            server = await loop.create_server(
                partial(Connection, self._serving, loop),
                sock=sock,
                backlog=_BACKLOG,
                **self._tls_settings(),
            )
            self._servers.append(server)

    async def close(self, *, grace_s: float = _GRACE_S) -> None:
        """
        Accept no more, finish the requests in flight for *grace_s*, close; twice is safe.
        """
        servers, self._servers = self._servers, []
        if servers:
            loop = asyncio.get_running_loop()
            # A connection is lost if its server closes right after accepting it
            # (python/cpython#109564, open): so first accept no more, then close.
            for sock in self._sockets:
                loop.remove_reader(sock)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            last = [loop.create_task(self._take(sock)) for sock in self._waiting()]
            for server in servers:
                server.close()
        for sock in self._sockets:
            sock.close()
        if servers:
            await self._finish(last, grace_s)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waiting(self) -> Iterator[socket.socket]:
        """
        Accept what the system has accepted and would reset when the sockets are closed.
        """
        for listening in self._sockets:
            with suppress(OSError):
                while True:
                    sock, _ = listening.accept()
                    sock.setblocking(False)
                    yield sock

    async def _take(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            await loop.connect_accepted_socket(
                partial(Connection, self._serving, loop), sock, **self._tls_settings()
            )

    async def _finish(self, last: list["asyncio.Task[None]"], grace_s: float) -> None:
        self._serving.is_closing = True
        for connection in tuple(self._serving.connections):
            connection.finish()
        self._on_change()
        try:
            async with asyncio.timeout(grace_s):
                await asyncio.gather(*last)
                await self._is_empty.wait()
        except TimeoutError:
            for connection in tuple(self._serving.connections):
                connection.cut_off()

    def _on_change(self) -> None:
        """
        Note that a connection came or went.
        """
        if self._serving.connections:
            self._is_empty.clear()
        else:
            self._is_empty.set()

    def _tick(self) -> None:
        """
        Look at the time for all connections; it is as exact as telemetry needs.
        """
        loop = asyncio.get_running_loop()
        serving, limits = self._serving, self._limits
        serving.now = now = loop.time()
        serving.head_deadline = now + self._tick_s + (limits.head_timeout or inf)
        serving.body_deadline = now + self._tick_s + (limits.body_timeout or inf)
        serving.idle_deadline = now + self._tick_s + (limits.idle_timeout or inf)
        serving.date = f"date: {formatdate(usegmt=True)}\r\n\r\n".encode()
        for connection in tuple(serving.connections):
            connection.look_at_time(now)
        self._timer = loop.call_later(self._tick_s, self._tick)

    def _tls_settings(self) -> dict[str, Any]:
        if self._tls is None:
            return {}
        return {
            "ssl": self._tls,
            "ssl_handshake_timeout": float(self._limits.head_timeout) or _LONGEST_S,
            # The last answer may be on its way still; a connection that is done is cut off sooner.
            "ssl_shutdown_timeout": float(self._limits.idle_timeout) or _LONGEST_S,
        }


def _refused(request: Request, status: int, reason: str) -> Answer:
    return told(status, reason)
