"""
Take the addresses that receivers, and the host itself, listen on.
"""

import errno
import socket
from typing import Any

import structlog

from otelwasm.errors import SetupError
from otelwasm.otlp.endpoints import Address

__all__ = ["GRACE_S", "bind", "is_address", "peer_name", "why_not"]

_log = structlog.get_logger(__name__)

# How long a closing server waits for the requests in flight.
GRACE_S = 10.0


def is_address(_: object, attribute: object, endpoint: str) -> None:
    """
    Refuse an endpoint that is none: a validator of attrs.
    """
    Address.parse(endpoint)


def peer_name(peer: object) -> str:
    """
    Write a peer's address, as the operating system gives it, as `host:port`.
    """
    return str(Address(*peer[:2])) if isinstance(peer, tuple) else ""


def bind(
    address: Address, *, owner: str, kind: socket.SocketKind = socket.SOCK_STREAM
) -> list[socket.socket]:
    """
    Bind a socket for each of the addresses that the host has here; the port is the same for all.

    *kind* is SOCK_STREAM for tcp, SOCK_DGRAM for udp. Raises SetupError, naming the *owner*, if one
    of them is taken.
    """
    sockets: list[socket.socket] = []
    port = address.port
    try:
        found = socket.getaddrinfo(address.host or None, port, type=kind, flags=socket.AI_PASSIVE)
        for family, _, protocol, _, where in found:
            sock = _bind_one(family, kind, protocol=protocol, where=(where[0], port, *where[2:]))
            if sock is not None:
                sockets.append(sock)
                port = sock.getsockname()[1]
        if not sockets:
            raise OSError(errno.EADDRNOTAVAIL, "no such address on this machine")
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise SetupError(f"{owner} cannot listen on {address}: {why_not(error)}") from error
    _log.info("listening", by=owner, address=str(Address(address.host, port)))
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
        if kind == socket.SOCK_STREAM:
            # After a restart; with udp it would let two programs take one port.
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


def why_not(error: OSError) -> str:
    """
    Why an address cannot be had, and what to do.
    """
    if error.errno == errno.EADDRINUSE:
        return "the address is already in use; stop what uses it or choose another port"
    if isinstance(error, socket.gaierror):
        return f"the host is not known: {error.strerror}"
    return error.strerror or str(error)
