"""
Read a URL into one form, so that what is compared with the allowlist is what is sent.

Servers, proxies and libraries disagree about odd URLs: backslashes, user names, dots behind
percent signs, numbers for addresses. Whatever could be read in two ways is refused.
"""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import attrs

__all__ = ["Url", "is_address"]

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8 << 10
_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*")
# Brackets are not legal in a query, but everybody sends them.
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]]*")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ESCAPE = re.compile("%(..)?", re.DOTALL)
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@attrs.frozen
class Url:
    """
    An `http` or `https` URL: *host* in lower case, *path* with no dot segments, *query* or None.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str | None = None

    @staticmethod
    @lru_cache(maxsize=256)
    def parse(text: str) -> "Url":
        """
        Read an absolute URL; raise ValueError about what is wrong or odd. A fragment is cut.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"longer than {_LONGEST} characters")
        scheme, separator, rest = text.partition("://")
        scheme = scheme.lower()
        if not separator or scheme not in _PORTS:
            raise ValueError("expected a URL that begins with https:// or http://")
        rest = rest.partition("#")[0]
        rest, question, query = rest.partition("?")
        authority, slash, path = rest.partition("/")
        host, port = _authority(authority, _PORTS[scheme])
        if question and not _QUERY.fullmatch(query):
            raise ValueError(_odd_character("query", _QUERY, query))
        return Url(scheme, host, port, _path(slash + path), _escapes(query) if question else None)

    @property
    def origin(self) -> tuple[str, str, int]:
        """
        Whom it asks.
        """
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """
        What the `host` header says.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """
        What the request line says.
        """
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def place(self) -> str:
        """
        The URL without its query, which may hold what no message should show.
        """
        return f"{self.scheme}://{self.authority}{self.path}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def is_address(host: str) -> bool:
    """
    Whether the host of a Url is an address, not a name.
    """
    return ":" in host or host.replace(".", "").isdecimal()


def _authority(text: str, default_port: int) -> tuple[str, int]:
    if "@" in text:
        raise ValueError("a user name in the URL; credentials belong into headers")
    bracket = re.fullmatch(r"(\[[^\]]*\])(?::(.*))?", text)
    host, port = bracket.groups() if bracket else _split_port(text)
    return _host(host), default_port if port is None else _port(port)


def _split_port(text: str) -> tuple[str, str | None]:
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 16):
        raise ValueError(f"expected a port between 1 and 65535, not {text!r}")
    return int(text)


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            if "%" in text:
                raise ValueError
            return ipaddress.IPv6Address(text[1:-1]).compressed
        except ValueError:
            raise ValueError(f"{text!r} is no IPv6 address") from None
    if not text.isascii():
        raise ValueError(f"the host {text!r} is not ASCII; write its form that begins with xn--")
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(f"{text!r} is no IPv4 address of four decimal numbers") from None
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is no host name")
    return name


def _path(text: str) -> str:
    """
    Put *text* into its one form: escapes only where needed, no dot segments.
    """
    if not _PATH.fullmatch(text):
        raise ValueError(_odd_character("path", _PATH, text))
    kept: list[str] = []
    segments = _escapes(text).split("/")[1:] or [""]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            _check_segment(segment)
            kept.append(segment)
    # "/a/." and "/a/.." name a folder: their slash stays.
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _check_segment(segment: str) -> None:
    """
    Refuse what some server could read as a step out of the path, or as the end of the text.
    """
    text = segment.encode()
    for _ in range(4):
        decoded = unquote_to_bytes(text)
        if any(byte < 0x20 or byte == 0x7F for byte in decoded):
            raise ValueError(f"a control character in the path, in {segment!r}")
        for part in re.split(rb"[/\\]", decoded):
            if part.partition(b";")[0] in (b".", b".."):
                raise ValueError(f"a hidden dot segment in the path, in {segment!r}")
        if decoded == text:
            return
        text = decoded
    raise ValueError(f"escapes of escapes in the path, in {segment!r}")


def _escapes(text: str) -> str:
    def better(match: re.Match[str]) -> str:
        digits = match[1] or ""
        if not _HEX.fullmatch(digits):
            raise ValueError(f"{match[0]!r} is no percent escape")
        byte = int(digits, 16)
        return chr(byte) if byte in _UNRESERVED else f"%{digits.upper()}"

    return _ESCAPE.sub(better, text)


def _odd_character(where: str, allowed: re.Pattern[str], text: str) -> str:
    match = allowed.match(text)
    odd = text[match.end() if match else 0]
    return f"the character {odd!r} in the {where} must be percent-encoded"
