"""
Read the addresses of a configuration: where to listen, and whom to send to.
"""

import ipaddress
from urllib.parse import urlsplit

import attrs

__all__ = ["Address", "GrpcTarget", "http_url", "is_loopback"]


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
        if "://" in text:
            raise ValueError(
                f"expected host:port, such as localhost:4317, and no URL; not {text!r}"
            )
        host, colon, port = text.rpartition(":")
        is_bracketed = host.startswith("[") and host.endswith("]")
        if not (colon and port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError(f"expected host:port, such as localhost:4317, not {text!r}")
        if (":" in host and not is_bracketed) or "/" in host:
            raise ValueError(f"expected host:port, such as [::1]:4317, not {text!r}")
        return cls(host[1:-1] if is_bracketed else host, int(port))

    @classmethod
    def of_url(cls, url: str) -> "Address":
        """
        Whom a good URL asks.
        """
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))

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


@attrs.frozen
class GrpcTarget:
    """
    What gRPC calls are sent to, and whether the endpoint itself asks for plain text.

    As in the Collector a scheme decides (`http://` is plain text, `https://` is TLS). Without one,
    an address of this very machine is plain text and every other is TLS.
    """

    name: str
    is_plain: bool
    has_scheme: bool

    @property
    def socket_path(self) -> str | None:
        """
        The path of a `unix:` target.
        """
        if not self.name.startswith("unix:"):
            return None
        return self.name.removeprefix("unix:").removeprefix("//")

    @property
    def address(self) -> Address:
        """
        Host and port of any other target.
        """
        return Address.parse(self.name.removeprefix("dns:///"))

    @property
    def authority(self) -> str:
        """
        What a request says about whom it is for.
        """
        return "localhost" if self.socket_path is not None else str(self.address)

    @classmethod
    def parse(cls, text: str) -> "GrpcTarget":
        """
        Read `collector:4317`, `http://collector:4317`, `https://…`, `dns:///…` or `unix:///path`.
        """
        if text.startswith("unix:"):
            return cls(text, is_plain=True, has_scheme=True)
        scheme, separator, rest = text.partition("://")
        if separator and scheme in ("http", "https"):
            address = Address.parse(rest.rstrip("/"))
            return cls(str(address), is_plain=scheme == "http", has_scheme=True)
        address = Address.parse(text.removeprefix("dns:///"))
        return cls(text, is_plain=is_loopback(address.host), has_scheme=False)


def http_url(text: str) -> str:
    """
    Check the URL of an OTLP/HTTP endpoint; return it without a slash at the end.
    """
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, an IPv6 address that is none
        is_good = False
    if not is_good:
        raise ValueError(f"expected a URL, such as http://localhost:4318, not {text!r}")
    return text.rstrip("/")
