"""
Read the addresses of a configuration: where to listen, and whom to send to.
"""

import ipaddress

import attrs

__all__ = ["Address", "is_loopback", "signal_url"]


@attrs.frozen
class Address:
    """
    A host and a port; an empty host is every address of this machine.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """
        Read `localhost:4317`, `0.0.0.0:4317`, `[::1]:4317` or `:4317`.
        """
        host, colon, port = text.rpartition(":")
        is_bracketed = host.startswith("[") and host.endswith("]")
        if not (colon and port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError(f"expected host:port, such as localhost:4317, not {text!r}")
        if (":" in host and not is_bracketed) or "/" in host:
            raise ValueError(f"expected host:port, such as [::1]:4317, not {text!r}")
        return cls(host[1:-1] if is_bracketed else host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """
    Say whether *host* is this very machine: `localhost`, 127.0.0.0/8 or ::1.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def signal_url(endpoint: str, path: str) -> str:
    """
    Append a signal's *path* to the endpoint of all signals.
    """
    return endpoint.rstrip("/") + path
