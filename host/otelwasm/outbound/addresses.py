"""
Resolve a host and keep only addresses that may be reached, so that no name leads inside.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future

from otelwasm.outbound.allowlist import Entry
from otelwasm.outbound.failures import RefusedError
from otelwasm.outbound.urls import is_address

__all__ = ["Resolve", "addresses", "is_public", "resolve"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, float], list[str]]

# A look-up cannot be cut short; those that hang may not pile up.
_LOOKUPS = threading.BoundedSemaphore(16)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
# Not global in each version of Python's tables.
_NOT_PUBLIC = tuple(
    map(ipaddress.ip_network, ("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "64:ff9b:1::/48"))
)


def addresses(entry: Entry, *, timeout_s: float, resolve: Resolve) -> list[str]:
    """
    The addresses of the entry's host that may be connected to; raise RefusedError if none may be.

    Raises OSError when the name has no address, TimeoutError when nobody answers in time.
    """
    host = entry.prefix.host
    if is_address(host):
        return [host]
    found = list(dict.fromkeys(resolve(host, timeout_s)))
    allowed = [address for address in found if _may_reach(entry, ipaddress.ip_address(address))]
    if not allowed:
        raise RefusedError(
            f"{host} is {', '.join(found[:3])}, which is no public address; if that is meant, "
            f"add private: true to {entry} in capabilities.http.allow"
        )
    return allowed


def is_public(address: Address) -> bool:
    """
    Whether *address* is one of the open Internet.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def resolve(host: str, timeout_s: float) -> list[str]:
    """
    Ask the system for the addresses of *host*.
    """
    if not _LOOKUPS.acquire(timeout=timeout_s):
        raise TimeoutError(f"too many look-ups of names hang; {host} has to wait")
    answer: Future[list[str]] = Future()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            answer.set_exception(OSError(f"{host} cannot be resolved: {error.strerror}"))
        except BaseException as error:
            answer.set_exception(error)
        else:
            # A zone (`fe80::1%eth0`) does not come from DNS.
            answer.set_result([str(address[0]).partition("%")[0] for *_, address in found])
        finally:
            _LOOKUPS.release()

    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    return answer.result(timeout_s)


def _may_reach(entry: Entry, address: Address) -> bool:
    if is_public(address):
        return True
    if entry.prefix.host == "localhost":
        return entry.config.private or address.is_loopback
    return entry.config.private and not (address.is_multicast or address.is_unspecified)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """
    The IPv4 address that an IPv6 address stands for, if it does.
    """
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return ipaddress.IPv4Address("0.0.0.0")
    if address in _NAT64 or address in _V4_COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
