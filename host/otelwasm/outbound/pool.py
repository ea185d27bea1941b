"""
Connect to allowed addresses, and keep connections for the next request.
"""

import select
import socket
import ssl
import threading
from collections import deque
from time import monotonic

from otelwasm.otlp.tls import ClientTls
from otelwasm.outbound.addresses import Resolve, addresses
from otelwasm.outbound.allowlist import Entry
from otelwasm.outbound.failures import FailedError

__all__ = ["Connection", "Pool", "Until"]

_MOST_IDLE = 8
# Servers close idle connections after a minute or more; ours end before.
_LONGEST_IDLE_S = 50.0


class Until:
    """
    The moment at which a request has failed.
    """

    def __init__(self, timeout_s: float) -> None:
        self._at = monotonic() + timeout_s

    def left_s(self) -> float:
        """
        Seconds that are left; raises TimeoutError if none are.
        """
        left = self._at - monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Connection:
    """
    One connection; *is_fresh* until it has served a request.
    """

    def __init__(self, peer: tuple[object, ...], socket: socket.socket) -> None:
        self.peer = peer
        self.is_fresh = True
        self.idle_since = 0.0
        self._socket = socket

    def send(self, data: bytes, until: Until) -> None:
        """
        Send all of *data*.
        """
        self._socket.settimeout(until.left_s())
        self._socket.sendall(data)

    def receive(self, until: Until) -> bytes:
        """
        Wait for some bytes; none are the end.
        """
        self._socket.settimeout(until.left_s())
        return self._socket.recv(1 << 18)

    def is_usable(self) -> bool:
        """
        Whether the other side still waits for a request.
        """
        if monotonic() - self.idle_since > _LONGEST_IDLE_S:
            return False
        # Nothing was asked: what can be read is the end, or an error.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """
        End it; twice is safe.
        """
        self._socket.close()


class Pool:
    """
    Idle connections by peer; used by all instances of a plugin, on their threads.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._lock = threading.Lock()
        self._idle: dict[tuple[object, ...], deque[Connection]] = {}
        self._tls: dict[ClientTls | None, ssl.SSLContext] = {}
        self._is_closed = False

    def take(self, entry: Entry, until: Until, *, is_fresh: bool = False) -> Connection:
        """
        Give a connection that waited, or a new one; raises RefusedError, FailedError, TimeoutError.
        """
        while not is_fresh:
            with self._lock:
                idle = self._idle.get(entry.peer)
                connection = idle.pop() if idle else None
            if connection is None:
                break
            if connection.is_usable():
                return connection
            connection.close()
        return self._open(entry, until)

    def put_back(self, connection: Connection) -> None:
        """
        Keep *connection* for the next request, if there is room.
        """
        connection.is_fresh = False
        connection.idle_since = monotonic()
        with self._lock:
            idle = self._idle.setdefault(connection.peer, deque())
            if not self._is_closed and len(idle) < _MOST_IDLE:
                idle.append(connection)
                return
        connection.close()

    def context(self, tls: ClientTls | None) -> ssl.SSLContext:
        """
        What connections with these keys are secured with; raises SetupError about their files.
        """
        with self._lock:
            if tls not in self._tls:
                context = ssl.create_default_context() if tls is None else tls.ssl_context()
                context.set_alpn_protocols(["http/1.1"])
                self._tls[tls] = context
            return self._tls[tls]

    def close(self) -> None:
        """
        Close what is idle, and what is put back from now on; twice is safe.
        """
        with self._lock:
            self._is_closed = True
            connections = [each for idle in self._idle.values() for each in idle]
            self._idle.clear()
        for connection in connections:
            connection.close()

    def _open(self, entry: Entry, until: Until) -> Connection:
        try:
            found = addresses(entry, timeout_s=until.left_s(), resolve=self._resolve)
        except TimeoutError:
            raise
        except OSError as error:
            raise FailedError(str(error)) from error
        where = f"{entry.prefix.scheme}://{entry.prefix.authority}"
        for number, address in enumerate(found):
            # A dead address may not use up the time of those after it.
            timeout_s = until.left_s() / (len(found) - number)
            try:
                raw = socket.create_connection((address, entry.prefix.port), timeout_s)
            except TimeoutError:
                if number + 1 == len(found):
                    raise
            except OSError as error:
                if number + 1 == len(found):
                    raise FailedError(f"{where}: {error.strerror or error}") from error
            else:
                return Connection(entry.peer, self._secured(entry, raw, until, where=where))
        raise FailedError(f"{where}: it has no address")

    def _secured(
        self, entry: Entry, raw: socket.socket, until: Until, *, where: str
    ) -> socket.socket:
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if entry.prefix.scheme == "http":
                return raw
            raw.settimeout(until.left_s())
            context = self.context(entry.config.tls)
            return context.wrap_socket(raw, server_hostname=entry.prefix.host)
        except TimeoutError:
            raw.close()
            raise
        except OSError as error:
            raw.close()
            reason = getattr(error, "verify_message", None) or error.strerror or str(error)
            raise FailedError(f"{where}: {reason}") from error
