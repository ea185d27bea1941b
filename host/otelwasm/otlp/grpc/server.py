"""
Serve gRPC on bound sockets: each method is a function from bytes to bytes.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping

import structlog

from otelwasm.otlp.grpc.serving import Handler, ServerConnection, Serving

__all__ = ["GrpcServer"]

_log = structlog.get_logger(__name__)

_READ_TIMEOUT_S = 60.0
_TICK_S = 1.0
_BACKLOG = 2048
_NO_FILES_PAUSE_S = 1.0


class GrpcServer:
    """
    Answers the unary calls of *methods*, by path, until it is closed.
    """

    def __init__(
        self,
        methods: Mapping[str, Handler],
        sockets: list[socket.socket],
        *,
        max_message_bytes: int,
        tls: ssl.SSLContext | None = None,
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        self._serving = Serving(
            {path.encode(): handler for path, handler in methods.items()},
            max_message_bytes,
            read_timeout_s,
        )
        self._sockets = sockets
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._accepting: set[asyncio.Task[None]] = set()
        self._tick_s = min(_TICK_S, read_timeout_s / 4)
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = False

    @property
    def port(self) -> int:
        """
        The port that the server listens on.
        """
        port: int = self._sockets[0].getsockname()[1]
        return port

    def start(self) -> None:
        """
        Begin to accept connections.
        """
        self._is_open = True
        for sock in self._sockets:
            sock.setblocking(False)
            sock.listen(_BACKLOG)
            self._listen(sock)
        self._serving.is_empty.set()
        self._tick()

    async def close(self, grace_s: float) -> None:
        """
        Accept no more, finish the calls in flight, close; twice is safe.
        """
        if not self._is_open:
            return
        self._is_open = False
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock)
            # Whom the system has let in already is served, too.
            self._accept_all(sock)
            sock.close()
        try:
            async with asyncio.timeout(grace_s):
                self._drain()
                while self._accepting:
                    await asyncio.wait(self._accepting)
                self._drain()
                await self._serving.is_empty.wait()
        except TimeoutError:
            for task in self._accepting:
                task.cancel()
            for connection in tuple(self._serving.connections):
                connection.cut_off()
        if self._timer is not None:
            self._timer.cancel()

    def _drain(self) -> None:
        for connection in tuple(self._serving.connections):
            connection.drain()

    def _listen(self, listening: socket.socket) -> None:
        if self._is_open:
            asyncio.get_running_loop().add_reader(listening, self._accept_all, listening)

    def _accept_all(self, listening: socket.socket) -> None:
        """
        Take the connections that wait.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # too many open files, most likely
                _log.error("cannot accept connections for now", error=str(error))
                loop.remove_reader(listening)
                loop.call_later(_NO_FILES_PAUSE_S, self._listen, listening)
                return
            task = loop.create_task(self._open(sock), name="accepted connection")
            self._accepting.add(task)
            task.add_done_callback(self._accepting.discard)

    async def _open(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            sock.setblocking(False)
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(
                lambda: ServerConnection(self._serving), sock, ssl=self._tls
            )
        except OSError:  # it went away, or does not speak TLS as we do
            sock.close()
        except asyncio.CancelledError:
            sock.close()
            raise

    def _tick(self) -> None:
        """
        Look at the time for all connections; it is as exact as telemetry needs.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in tuple(self._serving.connections):
            connection.look_at_time(now)
        self._timer = loop.call_later(self._tick_s, self._tick)
