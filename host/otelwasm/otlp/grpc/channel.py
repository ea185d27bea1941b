"""
Keep connections to one server: made when they are needed, made again after they broke.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import ngh2

from otelwasm.otlp.compression import compress
from otelwasm.otlp.endpoints import GrpcTarget
from otelwasm.otlp.grpc.calling import ClientConnection, Response, UnprocessedError
from otelwasm.otlp.grpc.messages import prefix
from otelwasm.otlp.grpc.status import Code, RpcError, field

__all__ = ["GrpcChannel"]

_USER_AGENT = b"otelwasm grpc-python-ngh2"
_ATTEMPT_S = 10.0
# Packing more than this would hold up the event loop.
_INLINE_BYTES = 16 << 10
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
# A call that the server did not look at is made again, on another connection.
_TRIES = 3


class GrpcChannel:
    """
    Calls methods of one server; *tls* None is plain text.

    It connects with the first call, and opens one more connection whenever those there are carry
    as many calls as the server takes. After a failure it waits before it tries again, 0.1 s at
    first and 5 s at last; calls fail meanwhile.
    """

    def __init__(
        self,
        target: GrpcTarget,
        *,
        tls: ssl.SSLContext | None = None,
        fields: Sequence[tuple[str, str]] = (),
        encoding: str = "none",
    ) -> None:
        self._target = target
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["h2"])
        self._encoding = encoding
        self._fields = [field(name, value) for name, value in fields]
        self._heads: dict[str, list[ngh2.Header]] = {}
        self._connections: list[ClientConnection] = []
        self._connecting: asyncio.Task[None] | None = None
        self._pause_s = 0.0
        self._not_before = 0.0
        self._last_error: RpcError | None = None

    async def call(self, method: str, message: bytes) -> Response:
        """
        Call *method*; raises RpcError if no answer came.
        """
        head = self._heads.get(method) or self._head(method)
        is_packed = self._encoding != "none"
        if is_packed:
            if len(message) <= _INLINE_BYTES:
                message = compress(self._encoding, message)
            else:
                message = await asyncio.to_thread(compress, self._encoding, message)
        before = prefix(len(message), is_compressed=is_packed)
        for attempt in range(_TRIES):
            while (connection := self._connection()) is None:
                await self._connect()
            self._pause_s = 0.0
            try:
                return await connection.call(head, before, message)
            except UnprocessedError:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("not reached")

    async def close(self) -> None:
        """
        Close all connections; twice is safe.
        """
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait([connecting])
        for connection in self._connections:
            connection.abandon()
        self._connections.clear()

    def _head(self, method: str) -> list[ngh2.Header]:
        head = [
            (b":method", b"POST"),
            (b":scheme", b"http" if self._tls is None else b"https"),
            (b":path", method.encode()),
            (b":authority", self._target.authority.encode()),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"user-agent", _USER_AGENT),
            (b"grpc-accept-encoding", b"identity,gzip,deflate"),
        ]
        if self._encoding != "none":
            head.append((b"grpc-encoding", self._encoding.encode()))
        self._heads[method] = [*head, *self._fields]
        return self._heads[method]

    def _connection(self) -> ClientConnection | None:
        """
        Find a connection that takes one more call.
        """
        for connection in self._connections:
            if connection.is_usable and connection.has_room:
                return connection
        for connection in self._connections:
            if not (connection.is_usable or connection.was_used):
                self._note_failure(RpcError(Code.UNAVAILABLE, connection.failure))
        self._connections = [each for each in self._connections if each.is_usable]
        return None

    def _note_failure(self, error: RpcError) -> None:
        """
        Make no new attempt for a while.
        """
        self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
        self._not_before = asyncio.get_running_loop().time() + self._pause_s
        self._last_error = error

    async def _connect(self) -> None:
        """
        Wait for one more connection; all who wait share one attempt.
        """
        loop = asyncio.get_running_loop()
        if self._connecting is None:
            if self._last_error is not None and loop.time() < self._not_before:
                await asyncio.sleep(0)  # so that nobody who tries again at once stops the loop
                raise RpcError(self._last_error.code, self._last_error.message)
            self._connecting = loop.create_task(self._attempt(), name="grpc connect")
            self._connecting.add_done_callback(_look)
        attempt = self._connecting
        try:
            # Whoever gives up waiting leaves the attempt to the others.
            await asyncio.shield(attempt)
        except asyncio.CancelledError:
            if attempt.cancelled():
                raise RpcError(Code.UNAVAILABLE, "closed while connecting") from None
            raise

    async def _attempt(self) -> None:
        """
        Make one more connection, and note how that went.
        """
        try:
            self._connections.append(await self._reach())
        except RpcError as error:
            self._note_failure(error)
            raise
        else:
            self._last_error = None
        finally:
            # At once: who calls next must not wait for what has ended.
            self._connecting = None

    async def _reach(self) -> ClientConnection:
        """
        Try the addresses of the server in turn.
        """
        loop = asyncio.get_running_loop()
        path = self._target.socket_path
        if path is not None:
            return await self._opened(partial(loop.create_unix_connection, path=path))
        address = self._target.address
        try:
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except OSError as error:
            reason = f"{address.host} is not known: {error.strerror or error}"
            raise RpcError(Code.UNAVAILABLE, reason) from error
        hosts = list(dict.fromkeys(where[0] for *_, where in found))
        failures: list[RpcError] = []
        for host in hosts:
            connect = partial(loop.create_connection, host=host, port=address.port)
            if self._tls is not None:
                connect.keywords.update(ssl=self._tls, server_hostname=address.host)
            try:
                return await self._opened(connect)
            except RpcError as error:
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        reasons = [f"{host}: {error.message}" for host, error in zip(hosts, failures, strict=True)]
        raise RpcError(Code.UNAVAILABLE, "; ".join(reasons))

    async def _opened(self, connect: Callable[..., Awaitable[tuple[Any, Any]]]) -> ClientConnection:
        """
        Connect, and wait until the server shows that it speaks HTTP/2.
        """
        connection = ClientConnection()
        try:
            async with asyncio.timeout(_ATTEMPT_S):
                await connect(lambda: connection)
                await connection.is_ready
        except TimeoutError as error:
            reason = f"no connection within {_ATTEMPT_S:g} s"
            raise RpcError(Code.UNAVAILABLE, reason) from error
        except OSError as error:
            raise RpcError(Code.UNAVAILABLE, self._told(error)) from error
        finally:
            if not connection.is_usable or not connection.is_ready.done():
                connection.abandon()
        return connection

    def _told(self, error: OSError) -> str:
        """
        Say why there is no connection, and what to look at if it may be TLS.
        """
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {error.verify_message}"
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        if isinstance(error, ConnectionRefusedError):
            return reason
        if isinstance(error, ssl.SSLError) or (self._tls and isinstance(error, ConnectionError)):
            reason = f"no TLS connection: {error.strerror or error}"
            return f"{reason} (for a server without TLS, set `tls: {{insecure: true}}`)"
        if isinstance(error, ConnectionError):
            return f"{reason} (does the server want TLS? then set `tls: {{}}` or use https://)"
        return reason


def _look(attempt: "asyncio.Task[None]") -> None:
    """
    Take note of a failure that nobody waits for any more.
    """
    if not attempt.cancelled():
        attempt.exception()
