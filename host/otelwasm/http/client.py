"""
Send requests to HTTP/1.1 servers over connections that are kept.

No redirect is followed, and no proxy is taken from the environment: data goes where the
configuration says, or nowhere.
"""

import asyncio
import base64
import socket
import ssl
from asyncio.staggered import staggered_race
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import attrs

from otelwasm.http.line import Line, LineLostError, Reply
from otelwasm.http.messages import header_line

__all__ = ["Destination", "HttpClient", "Origin"]

_PORTS = {"http": 80, "https": 443}
_IN_TARGETS = "/%:=&?~+!$,;'@()*[]"
_MOST_CONNECTIONS = 100
# Servers close idle connections, firewalls forget them; a new one is cheaper than finding out.
_IDLE_S = 15.0
_GOODBYE_S = 1.0
# An address that does not answer has so long before the next one is tried, too (RFC 8305).
_NEXT_ADDRESS_S = 0.25
_LONGEST_REPLY_BYTES = 64 << 10


class Origin(NamedTuple):
    """
    Whom a connection is to.
    """

    host: str
    port: int
    is_tls: bool


@attrs.frozen
class Destination:
    """
    Where requests of one kind go to, and the part of their head that is always the same.

    *url* is for messages: login and query, which may be secret, are not in it.
    """

    url: str
    origin: Origin
    start: bytes = attrs.field(repr=False)

    @classmethod
    def of(
        cls, url: str, headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> "Destination":
        """
        Read *url*; raises ValueError if it, or one of the headers, cannot be sent.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"expected a URL with http:// or https://, not {url!r}")
        host = parts.hostname if parts.hostname.isascii() else _to_ascii(parts.hostname)
        port = parts.port or _PORTS[parts.scheme]
        named = f"[{host}]" if ":" in host else host
        sent = {"host": named if port == _PORTS[parts.scheme] else f"{named}:{port}"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            sent["authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        target = quote(parts.path or "/", _IN_TARGETS)
        if parts.query:
            target += "?" + quote(parts.query, _IN_TARGETS)
        lines = [header_line(name, value) for name, value in sent.items()]
        start = f"{method} {target} HTTP/1.1\r\n{''.join(lines)}content-length: "
        shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        return cls(shown, Origin(host, port, parts.scheme == "https"), start.encode())


class HttpClient:
    """
    A pool of connections; raises OSError where a request gets no answer.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._lines: set[Line] = set()
        self._idle: dict[Origin, deque[Line]] = {}
        self._asking = 0
        self._in_line: deque[asyncio.Future[None]] = deque()  # for one of all the connections
        self._is_closed = False

    async def send(self, destination: Destination, body: bytes) -> Reply:
        """
        Send one request and return its answer.

        A connection that was kept may be closed by the server just then. If nothing came back, the
        request is sent once more over a new one; so it may arrive twice, as in all of OTLP.
        """
        if self._asking >= _MOST_CONNECTIONS:
            await self._turn()
        else:
            self._asking += 1
        try:
            head = b"%b%d\r\n\r\n" % (destination.start, len(body))
            line = self._kept(destination.origin)
            if line is not None:
                try:
                    return self._done(line, await line.ask(head, body), destination.origin)
                except LineLostError as lost:
                    if not lost.was_silent:
                        raise
            line = await self._connected(destination.origin)
            return self._done(line, await line.ask(head, body), destination.origin)
        finally:
            self._leave()

    async def close(self) -> None:
        """
        Close all connections; twice is safe.
        """
        self._is_closed = True
        lines = list(self._lines)
        for line in lines:
            line.close()
        if lines:
            await asyncio.wait([line.closed for line in lines], timeout=_GOODBYE_S)
        for line in list(self._lines):
            line.abort()

    async def _turn(self) -> None:
        """
        Wait until somebody hands over the use of a connection.
        """
        turn = asyncio.get_running_loop().create_future()
        self._in_line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        while self._in_line:
            turn = self._in_line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._asking -= 1

    def _done(self, line: Line, reply: Reply, origin: Origin) -> Reply:
        """
        Keep *line* for the next request, if it has one more in it.
        """
        if line.is_usable:
            line.idle_since = asyncio.get_running_loop().time()
            self._idle.setdefault(origin, deque()).append(line)
        else:
            line.close()
        return reply

    def _kept(self, origin: Origin) -> Line | None:
        """
        Take the connection that was used last, and close those that were not for long.
        """
        idle = self._idle.get(origin)
        if not idle:
            return None
        oldest = asyncio.get_running_loop().time() - _IDLE_S
        while idle and idle[0].idle_since < oldest:
            idle.popleft().close()
        while idle:
            line = idle.pop()
            if line.is_usable:
                return line
        return None

    async def _connected(self, origin: Origin) -> Line:
        if self._is_closed:
            raise ConnectionError("the client is closed")
        found = await asyncio.get_running_loop().getaddrinfo(
            origin.host, origin.port, type=socket.SOCK_STREAM
        )
        # Not create_connection's happy_eyeballs_delay: uvloop does not know it.
        addresses = dict.fromkeys(where[0] for *_, where in found)
        line: Line | None
        line, _, errors = await staggered_race(
            [partial(self._opened, origin, str(address)) for address in addresses], _NEXT_ADDRESS_S
        )
        if line is not None:
            return line
        if len(errors) == 1 and errors[0] is not None:
            raise errors[0]
        raise ConnectionError("; ".join(map(str, errors)))

    async def _opened(self, origin: Origin, address: str) -> Line:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(
            partial(Line, limit_bytes=_LONGEST_REPLY_BYTES, loop=loop),
            address,
            origin.port,
            ssl=self._tls or True if origin.is_tls else None,
            server_hostname=origin.host if origin.is_tls else None,
        )
        self._lines.add(line)
        line.closed.add_done_callback(lambda _: self._lines.discard(line))
        return line


def _to_ascii(host: str) -> str:
    try:
        return host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(f"{host!r} is no name of a host: {error}") from error
