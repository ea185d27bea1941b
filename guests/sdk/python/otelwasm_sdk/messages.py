"""
What plugins exchange with the world outside besides batches: messages, requests, receipts.

What cannot cross is refused where it is made, so that the error names the plugin's own line.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from time import time
from typing import Any, Self

import attrs

from otelwasm_sdk.failures import Permanent, Retryable

__all__ = ["Body", "Headers", "Message", "Pair", "Receipt", "Reply", "Request", "Response"]

Pair = tuple[str, str]
Headers = Mapping[str, str] | Iterable[Pair]
Body = bytes | bytearray | memoryview | str

# RFC 9110: a token, and no control characters but the tab.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _octets(body: Body) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    raise TypeError(f"a body is bytes, or a str that is sent as UTF-8, not {type(body).__name__}")


def _pairs(headers: Headers) -> tuple[Pair, ...]:
    wanted = "headers are a mapping or pairs of str"
    if isinstance(headers, str | bytes) or not isinstance(headers, Iterable):
        raise TypeError(f"{wanted}, not {type(headers).__name__}")
    pairs: list[Any] = list(headers.items() if isinstance(headers, Mapping) else headers)
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"{wanted}; {pair!r} is no pair")
        if not all(isinstance(each, str) for each in pair):
            raise TypeError(f"{wanted}; {pair[0]!r}: {pair[1]!r} is not")
    return tuple((name, value) for name, value in pairs)


def _sent(headers: Headers) -> tuple[Pair, ...]:
    pairs = _pairs(headers)
    for name, value in pairs:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if _CONTROL.search(value):
            raise ValueError(f"the header {name!r} has a control character in its value {value!r}")
        value.encode()
    return pairs


def _came(headers: Headers) -> tuple[Pair, ...]:
    return tuple((name.lower(), value) for name, value in _pairs(headers))


def _text(_: object, field: "attrs.Attribute[str]", value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{field.name} is a str, not {type(value).__name__}")


def _sent_text(request: object, field: "attrs.Attribute[str]", value: str) -> None:
    _text(request, field, value)
    # What UTF-8 cannot say is refused here.
    value.encode()


def _status(_: object, __: object, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a status is an int, not {type(value).__name__}")
    if not 200 <= value <= 599:
        raise ValueError(f"a status is 200 to 599, not {value}")


def _rejected(_: object, __: object, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"rejected is a number of items, not {type(value).__name__}")
    if not 0 <= value < 1 << 64:
        raise ValueError(f"rejected is a number of items, not {value}")


def _timeout(_: object, __: object, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"timeout_s is a number of seconds, not {type(value).__name__}")
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"timeout_s is a number of seconds above 0, not {value}")


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _first(headers: tuple[Pair, ...], name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in headers if key == wanted), None)


@attrs.frozen
class Receipt:
    """
    OTLP's partial success: the other side took the batch, less *rejected* items.
    """

    rejected: int = attrs.field(default=0, validator=_rejected)
    message: str = attrs.field(default="", validator=_text)


@attrs.frozen
class Message:
    """
    What came in on the socket that the host listens on for a receiver.

    *method*, *target* and *headers* (names in lower case) are empty for tcp and udp.
    """

    body: bytes = attrs.field(converter=_octets)
    peer: str = attrs.field(default="", validator=_text)
    method: str = attrs.field(default="", validator=_text)
    target: str = attrs.field(default="", validator=_text)
    headers: tuple[Pair, ...] = attrs.field(default=(), converter=_came)

    def header(self, name: str) -> str | None:
        """
        The first header called *name*, in any case.
        """
        return _first(self.headers, name)

    def json(self) -> Any:
        """
        The body, decoded from JSON; raises ValueError if it is none, or nests too deep.
        """
        return _decoded(self.body)


@attrs.frozen
class Reply:
    """
    What a receiver's sender gets back, where the protocol has answers.

    *body* may be a str, which is sent as UTF-8, and *headers* a mapping or pairs.
    """

    status: int = attrs.field(default=200, validator=_status)
    body: bytes = attrs.field(default=b"", converter=_octets)
    headers: tuple[Pair, ...] = attrs.field(default=(), converter=_sent)


@attrs.frozen
class Request:
    """
    An HTTP request that a plugin sends.
    """

    method: str = attrs.field(validator=_sent_text)
    url: str = attrs.field(validator=_sent_text)
    headers: tuple[Pair, ...] = attrs.field(default=(), converter=_sent)
    body: bytes = attrs.field(default=b"", converter=_octets)
    timeout_s: float = attrs.field(default=10.0, validator=_timeout)

    def header(self, name: str) -> str | None:
        """
        The first header called *name*, in any case.
        """
        return _first(_came(self.headers), name)


@attrs.frozen
class Response:
    """
    What a server answered, whatever its status; names of headers are in lower case.
    """

    status: int = 200
    body: bytes = attrs.field(default=b"", converter=_octets)
    headers: tuple[Pair, ...] = attrs.field(default=(), converter=_came)

    def header(self, name: str) -> str | None:
        """
        The first header called *name*, in any case.
        """
        return _first(self.headers, name)

    def text(self) -> str:
        """
        The body as UTF-8; what is none is replaced.
        """
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """
        The body, decoded from JSON; raises ValueError if it is none, or nests too deep.
        """
        return _decoded(self.body)

    def raise_for_status(self) -> Self:
        """
        Return the response if its status is a success; else raise what that is for a batch.

        Retryable for 408, 429 and 5xx, not before the response's retry-after; else Permanent.
        """
        if 200 <= self.status < 300:
            return self
        reason = f"the server answered {self.status}: {self.text()[:300].strip()}".rstrip(": ")
        if self.status in (408, 429) or self.status >= 500:
            raise Retryable(reason, after_s=_seconds(self.header("retry-after") or ""))
        raise Permanent(reason)


def _seconds(retry_after: str) -> float | None:
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time())
