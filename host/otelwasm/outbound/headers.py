"""
Say which headers a request may have, and from whom.
"""

import re
from collections.abc import Iterable

__all__ = ["check_headers", "check_name", "check_value"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# What frames the message or belongs to the connection is the host's own business.
_RESERVED = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


def check_name(name: str) -> None:
    """
    Raise ValueError if nobody may set the header *name*.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:100]!r} is no name of a header")
    if name.lower() in _RESERVED:
        raise ValueError(f"the header {name.lower()} is set by the host alone")


def check_value(name: str, value: str) -> None:
    """
    Raise ValueError, without the value, if *value* cannot stand in a header.
    """
    if not _VALUE.fullmatch(value):
        raise ValueError(f"the value of the header {name} has characters that no header may have")


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """
    Raise ValueError about the first header that is not good.
    """
    for name, value in headers:
        check_name(name)
        check_value(name, value)
