"""
Listen for tcp: cut each connection's stream into messages, and bring them on one after the other.

While a message of a connection waits nothing more is read from it, so that its sender slows down.
"""

import asyncio
import socket
import ssl
import sys
from functools import partial
from typing import cast

import attrs
import structlog

from otelwasm.config.structure import SHORT_FORM
from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.errors import PermanentError
from otelwasm.messages import Message
from otelwasm.otlp.tls import ServerTls
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.receivers.courier import Courier
from otelwasm.receivers.framing import Framer, Framing, FramingError
from otelwasm.receivers.listening import is_address, peer_name

__all__ = ["TcpConfig", "TcpServer"]

_log = structlog.get_logger(__name__)

_HANDSHAKE_S = 10.0
_GOODBYE_S = 2.0
_BACKLOG = 1024
_POLL_S = 0.01
# Messages cut ahead of those brought on: tiny ones take far more memory than their stream.
_MOST_AHEAD = 100


@attrs.frozen
class TcpConfig:
    """
    Where to listen for tcp, how its messages are told apart, and how much is taken.

    A connection without a byte for *idle_timeout* is closed; 0 never does.
    """

    endpoint: str = attrs.field(validator=is_address, metadata=SHORT_FORM)
    """The address to listen at."""
    framing: Framing = "newline"
    """
    How messages are told apart: by line ends, by a length in front (RFC 6587), or as each begins.
    """
    max_message_size: ByteSize = attrs.field(default=ByteSize(256 << 10), validator=at_least(1))
    """What a message may have."""
    max_connections: int = attrs.field(default=1000, validator=at_least(1))
    """Connections at a time; more are refused."""
    idle_timeout: Duration = attrs.field(default=Duration(3600))
    """A connection without a byte for so long is closed; 0 never does."""
    tls: ServerTls | None = None
    """Listen with TLS."""


class TcpServer:
    """
    Serves bound sockets until it is stopped; *budget* bounds the messages that wait.
    """

    def __init__(
        self,
        config: TcpConfig,
        sockets: list[socket.socket],
        *,
        name: str,
        courier: Courier,
        budget: ByteBudget,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.config = config
        self.name = name
        self.courier = courier
        self.budget = budget
        self.connections: set[_Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._sockets = sockets
        self._servers: list[asyncio.Server] = []
        self._tls = tls

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
        for sock in self._sockets:
            server = await loop.create_server(
                partial(_Connection, self),
                sock=sock,
                backlog=_BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else _HANDSHAKE_S,
                ssl_shutdown_timeout=None if self._tls is None else _GOODBYE_S,
            )
            self._servers.append(server)

    async def stop(self, deadline: float) -> None:
        """
        Read no more; bring on what was read until *deadline* (the loop's time), and lose the rest.
        """
        servers, self._servers = self._servers, []
        if servers:
            # A connection is lost if its server closes right after accepting it
            # (python/cpython#109564, open): so first accept no more, then close.
            for sock in self._sockets:
                asyncio.get_running_loop().remove_reader(sock)
            await asyncio.sleep(_POLL_S)
            for server in servers:
                server.close()
        for sock in self._sockets:
            sock.close()
        connections = tuple(self.connections)
        for connection in connections:
            connection.pause()
        if self.tasks:
            left_s = max(0.0, deadline - asyncio.get_running_loop().time())
            _, late = await asyncio.wait(self.tasks, timeout=left_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in connections:
            connection.close()


class _Connection(asyncio.Protocol):
    """
    One sender's connection.
    """

    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(
            server.config.framing, limit_bytes=int(server.config.max_message_size)
        )
        self._transport = cast(asyncio.Transport, None)
        self._peer = ""
        self._task: asyncio.Task[None] | None = None
        self._last_read = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._has_ended = False
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Wait for the first message, unless there are too many connections.
        """
        server = self._server
        self._transport = cast(asyncio.Transport, transport)
        self._peer = peer_name(transport.get_extra_info("peername"))
        if len(server.connections) >= server.config.max_connections:
            _log.warning(
                "connection refused: there are as many as max_connections allows",
                plugin=server.name,
                peer=self._peer,
                max_connections=server.config.max_connections,
            )
            self._has_ended = True
            self._transport.abort()
            return
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        server.connections.add(self)
        if server.config.idle_timeout:
            self._timer = self._loop.call_later(server.config.idle_timeout, self._look_at_time)

    def data_received(self, data: bytes) -> None:
        """
        Read on, and stop reading while there are messages.
        """
        if self._has_ended:
            return
        self._last_read = self._loop.time()
        self._framer.add(data)
        self._bring_on()

    def eof_received(self) -> None:
        """
        Take what has no end as the last message, if it may be one; the transport closes itself.
        """
        if self._has_ended:
            return
        self._has_ended = True
        try:
            self._framer.end()
        except FramingError as error:
            self._fail(error)
        self._bring_on()

    def connection_lost(self, error: Exception | None) -> None:
        """
        Forget the connection once its messages were brought on.
        """
        if self._timer is not None:
            self._timer.cancel()
        self._end()
        if self._task is None:
            self._server.connections.discard(self)

    def pause(self) -> None:
        """
        Read no more from now on.
        """
        if not self._transport.is_closing():
            self._is_paused = True
            self._transport.pause_reading()

    def close(self) -> None:
        """
        Close the connection.
        """
        self._end()
        self._transport.close()

    def _end(self) -> None:
        if not self._has_ended:
            self._cut(sys.maxsize)  # what is whole is a message still
        if not self._has_ended:
            self._has_ended = True
            if self._framer.is_inside_a_message:
                reason = "the connection ended inside of it"
                self._server.courier.lose(reason, peer=self._peer)

    def _cut(self, most: int) -> None:
        try:
            self._framer.cut(most)
        except FramingError as error:
            self._fail(error)

    def _has_messages(self) -> bool:
        if not (self._framer.messages or self._has_ended):
            self._cut(_MOST_AHEAD)
        return bool(self._framer.messages)

    def _bring_on(self) -> None:
        if self._task is None and self._has_messages():
            if not self._transport.is_closing():
                self._transport.pause_reading()
            task = asyncio.create_task(self._deliver(), name=f"{self._server.name} {self._peer}")
            self._task = task
            self._server.tasks.add(task)
            task.add_done_callback(self._server.tasks.discard)

    async def _deliver(self) -> None:
        server, messages = self._server, self._framer.messages
        try:
            while self._has_messages():
                message = Message(messages.popleft(), self._peer)
                size = len(message.body)
                try:
                    await server.budget.take_in_turn(size)
                except PermanentError as error:
                    server.courier.lose(str(error), peer=self._peer)
                    continue
                try:
                    await server.courier.deliver(message)
                finally:
                    server.budget.give_back(size)
        except BaseException:
            self._end()
            self._transport.close()
            if messages:
                reason = "not taken before the shutdown timeout"
                server.courier.lose(reason, peer=self._peer, count=len(messages))
            raise
        finally:
            self._task = None
            if self._transport.is_closing():
                server.connections.discard(self)
        if not (self._is_paused or self._transport.is_closing()):
            self._last_read = self._loop.time()
            self._transport.resume_reading()

    def _fail(self, error: FramingError) -> None:
        """
        End a connection of which nobody knows where its next message begins.
        """
        self._has_ended = True
        self._server.courier.lose(f"{error}; the connection is closed", peer=self._peer)
        self._transport.close()

    def _look_at_time(self) -> None:
        timeout = self._server.config.idle_timeout
        left_s = timeout - (self._loop.time() - self._last_read)
        if self._task is not None or left_s > 0:
            self._timer = self._loop.call_later(max(left_s, timeout / 10), self._look_at_time)
            return
        _log.info(
            "connection closed: nothing came for idle_timeout",
            plugin=self._server.name,
            peer=self._peer,
            idle_timeout=str(timeout),
        )
        self._transport.close()
