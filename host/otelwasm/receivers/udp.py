"""
Listen for udp: each datagram is a message; what finds no room is dropped, and that is said.
"""

import asyncio
import socket
from collections import deque
from typing import Any

import attrs

from otelwasm.config.structure import SHORT_FORM
from otelwasm.errors import BatchError
from otelwasm.messages import Message
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.receivers.courier import Courier
from otelwasm.receivers.listening import is_address, peer_name

__all__ = ["UdpConfig", "UdpServer"]

_LARGEST_BYTES = 64 << 10
# What the operating system keeps for us; it may allow less.
_BUFFER_BYTES = 4 << 20
_LAST_DATAGRAMS = 10_000


@attrs.frozen
class UdpConfig:
    """
    Where to listen for udp.
    """

    endpoint: str = attrs.field(validator=is_address, metadata=SHORT_FORM)
    """The address to listen at."""


class UdpServer:
    """
    Takes datagrams on bound sockets until it is stopped; *budget* bounds those that wait.

    *at_once* of them are brought on at the same time.
    """

    def __init__(
        self,
        sockets: list[socket.socket],
        *,
        courier: Courier,
        budget: ByteBudget,
        at_once: int,
    ) -> None:
        self._sockets = sockets
        self._courier = courier
        self._budget = budget
        self._at_once = at_once
        self._waiting: deque[Message] = deque()
        self._arrivals = asyncio.Semaphore(0)
        self._transports: list[asyncio.DatagramTransport] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def port(self) -> int:
        """
        The port that the server listens on.
        """
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """
        Begin to take datagrams.
        """
        loop = asyncio.get_running_loop()
        self._tasks = [
            asyncio.create_task(self._deliver(), name=f"udp {self.port}")
            for _ in range(self._at_once)
        ]
        for sock in self._sockets:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
            self._transports.append(transport)

    def take(self, datagram: bytes, peer: object) -> None:
        """
        Keep a datagram until its turn, if there is room.
        """
        message = Message(datagram, peer_name(peer))
        try:
            self._budget.take(len(datagram))
        except BatchError as error:
            self._courier.lose(str(error), peer=message.peer)
            return
        self._waiting.append(message)
        self._arrivals.release()

    async def stop(self, deadline: float) -> None:
        """
        Take no more; bring on what came until *deadline* (the loop's time), and lose the rest.
        """
        if self._transports:
            for sock in self._sockets:
                self._take_what_came(sock)
        for transport in self._transports:
            transport.close()
        for sock in self._sockets:
            sock.close()
        self._transports.clear()
        for _ in self._tasks:
            self._arrivals.release()
        if self._tasks:
            left_s = max(0.0, deadline - asyncio.get_running_loop().time())
            _, late = await asyncio.wait(self._tasks, timeout=left_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._tasks.clear()
        if self._waiting:
            reason = "not taken before the shutdown timeout"
            self._courier.lose(reason, peer="", count=len(self._waiting))
            self._waiting.clear()

    async def _deliver(self) -> None:
        """
        Bring on one datagram after the other; a turn without one ends this.
        """
        while True:
            await self._arrivals.acquire()
            if not self._waiting:
                return
            message = self._waiting.popleft()
            try:
                await self._courier.deliver(message)
            finally:
                self._budget.give_back(len(message.body))

    def _take_what_came(self, sock: socket.socket) -> None:
        """
        Take what the operating system already has for us.
        """
        for _ in range(_LAST_DATAGRAMS):
            try:
                datagram, peer = sock.recvfrom(_LARGEST_BYTES)
            except OSError:
                return
            self.take(datagram, peer)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: UdpServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """
        Take one.
        """
        self._server.take(data, addr)
