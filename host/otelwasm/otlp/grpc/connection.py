"""
Drive one HTTP/2 connection of either side: bytes in, events out, few writes.
"""

import asyncio
import re
import socket
from collections.abc import Mapping
from typing import cast

import ngh2
import structlog

__all__ = ["Http2Connection"]

_log = structlog.get_logger(__name__)

# A peer that vanished without a word is noticed after so long, by the kernel.
_UNANSWERED_S = 30
_QUIET_S = 120
_PROBES = 3
_OPTIONS = (
    ("TCP_USER_TIMEOUT", _UNANSWERED_S * 1000),  # sent, and not acknowledged
    ("TCP_KEEPIDLE", _QUIET_S),  # nothing sent at all: probed
    ("TCP_KEEPINTVL", _UNANSWERED_S // _PROBES),
    ("TCP_KEEPCNT", _PROBES),
)
# As much is written at once at most, so that a peer that does not read makes us hold no more.
_WRITE_BYTES = 1 << 20
# What a server of OTLP/HTTP answers, or a client of one asks.
_HTTP1 = re.compile(rb"HTTP/1\.|[A-Z]+ \S+ HTTP/1\.")
_OTHER_PORT = "it got HTTP/1.1, as OTLP/HTTP speaks, which has a port of its own (4318)"


class Http2Connection(asyncio.Protocol):
    """
    What client and server have in common; they say in `handle` what an event means.

    Everything that is said within one turn of the event loop goes out in one write. While the peer
    does not read, nothing is written: it waits in streams, and those have a limit.
    """

    def __init__(
        self,
        role: ngh2.Role,
        *,
        config: ngh2.Configuration,
        settings: Mapping[int, int],
        window_bytes: int,
    ) -> None:
        self.http2 = ngh2.Connection(role, config)
        self.loop = asyncio.get_running_loop()
        self.is_lost = False
        self.reads = 0
        self._settings = settings
        self._window_bytes = window_bytes
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        self._is_scheduled = False

    @property
    def is_open(self) -> bool:
        """
        Whether there is a transport yet.
        """
        return self._transport is not None

    @property
    def transport(self) -> asyncio.Transport:
        """
        The transport; there is one from the first event on.
        """
        assert self._transport is not None
        return self._transport

    def handle(self, events: list[ngh2.Event]) -> None:
        """
        Act on what happened; to be overridden.
        """
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Open the connection with our settings.
        """
        self._transport = cast(asyncio.Transport, transport)
        _watch(self._transport)
        self.http2.initiate_connection(self._settings)
        self.http2.set_local_window_size(self._window_bytes)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """
        Take in bytes, and answer what can be answered at once.
        """
        if not self.reads and _HTTP1.match(data):
            self.fail(ConnectionError(_OTHER_PORT))
            return
        self.reads += 1
        self._is_scheduled = True  # what is said meanwhile goes out below
        try:
            self.http2.receive_data(data)
            self.handle(self.http2.events())
        except ngh2.NGH2Error as error:
            self.fail(error)
            return
        self.flush()

    def flush(self) -> None:
        """
        Write all that can be written now.
        """
        self._is_scheduled = False
        http2 = self.http2
        try:
            while not (self._is_paused or self.is_lost):
                data = http2.data_to_send(_WRITE_BYTES)
                if data:
                    self.transport.write(data)
                events = http2.events()
                if events:
                    self.handle(events)
                if len(data) < _WRITE_BYTES:
                    return
        except ngh2.NGH2Error as error:
            self.fail(error)

    def flush_soon(self) -> None:
        """
        Write in this turn of the event loop, together with what else is said in it.
        """
        if not self._is_scheduled:
            self._is_scheduled = True
            self.loop.call_soon(self.flush)

    def fail(self, error: Exception) -> None:
        """
        Give the connection up: its state is lost.
        """
        peer = self.transport.get_extra_info("peername")
        _log.info("an HTTP/2 connection failed", peer=peer, error=str(error))
        self.transport.abort()

    def pause_writing(self) -> None:
        """
        Stop: the peer does not read what we wrote.
        """
        self._is_paused = True

    def resume_writing(self) -> None:
        """
        Go on.
        """
        self._is_paused = False
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        """
        Nothing comes or goes any more.
        """
        self.is_lost = True


def _watch(transport: asyncio.Transport) -> None:
    """
    Have the kernel end the connection once the peer is gone.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        if hasattr(socket, name):  # not every system has all
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
