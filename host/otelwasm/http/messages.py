"""
Hold what a server is asked over HTTP and what it answers.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus

import attrs

__all__ = ["Answer", "Head", "Request", "header_line", "told"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NO_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_REASONS = {status.value: status.phrase for status in HTTPStatus}
# What the server itself says about an answer.
_FRAMING = {"connection", "content-length", "date", "keep-alive", "transfer-encoding"}
_BODILESS = {204, 304}


@attrs.frozen
class Head:
    """
    What comes before a request's body; *length* is None if the body comes in chunks.

    The names of *headers* are in lower case; lines of one name are joined by a comma.
    """

    method: str
    target: str
    path: str
    headers: Mapping[str, str] = attrs.field(repr=False)  # credentials may be among them
    length: int | None
    keeps_alive: bool
    is_http_1_0: bool


@attrs.frozen
class Request:
    """
    One request, its body whole and out of its chunks; *peer* is the sender as `host:port`.
    """

    head: Head
    body: bytes = attrs.field(repr=False)
    peer: str

    @property
    def method(self) -> str:
        """
        Such as `POST`.
        """
        return self.head.method

    @property
    def target(self) -> str:
        """
        Path and query, as they were sent.
        """
        return self.head.target

    @property
    def path(self) -> str:
        """
        The target without its query, as it was sent.
        """
        return self.head.path

    @property
    def headers(self) -> Mapping[str, str]:
        """
        The headers, by their names in lower case.
        """
        return self.head.headers


@attrs.frozen
class Answer:
    """
    What a request is answered; length, date and such are the server's to say.

    The header `connection: close` ends the connection. An answer that is given often is best made
    once: it keeps its bytes.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @cached_property
    def start(self) -> bytes:
        """
        The status line and most headers; raises ValueError if they cannot be sent.
        """
        if not 200 <= self.status <= 599:
            raise ValueError(f"an answer's status is from 200 to 599, not {self.status}")
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}\r\n"]
        for name, value in self.headers:
            line = header_line(name, value)
            if name.lower() not in _FRAMING:
                lines.append(line)
        if self.status not in _BODILESS:
            lines.append(f"content-length: {len(self.body)}\r\n")
        return "".join(lines).encode()

    @cached_property
    def content(self) -> bytes:
        """
        The body, if an answer of this status has one.
        """
        return b"" if self.status in _BODILESS else self.body

    @cached_property
    def does_close(self) -> bool:
        """
        Whether this is the connection's last answer.
        """
        return any(
            name.lower() == "connection" and value.lower() == "close"
            for name, value in self.headers
        )


def header_line(name: str, value: str) -> str:
    """
    Write a header; raises ValueError if its name or value would be more than that.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a header")
    if _NO_VALUE.search(value):
        raise ValueError(f"the value of the header {name} has characters that cannot be sent")
    return f"{name}: {value}\r\n"


def told(status: int, reason: str, *headers: tuple[str, str]) -> Answer:
    """
    Make an answer in plain text.
    """
    kind = ("content-type", "text/plain; charset=utf-8")
    return Answer(status, f"{reason}\n".encode(), (kind, *headers))
