"""
Write and read how a call ended: gRPC's status codes and messages, as HTTP/2 fields carry them.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import IntEnum
from urllib.parse import quote_from_bytes, unquote_to_bytes

import attrs

__all__ = [
    "Code",
    "Outcome",
    "RpcError",
    "code_of_http",
    "code_of_reset",
    "encoded",
    "field",
    "timeout_s",
]

# What stands for itself in a grpc-message: printable ASCII but for the percent sign.
_PLAIN = bytes(set(range(0x20, 0x7F)) - {ord("%")}).decode()
_FIELD_NAME = re.compile(r"[0-9a-z_.-]+")
# What a call says by itself, or HTTP/2 forbids.
_RESERVED = {"connection", "content-length", "content-type", "host", "keep-alive"}
_RESERVED |= {"proxy-connection", "te", "transfer-encoding", "upgrade", "user-agent"}
_LONGEST_TIMEOUT_DIGITS = 8
_UNIT_S = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


class Code(IntEnum):
    """
    The codes of gRPC.
    """

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


# gRPC's table of HTTP/2 errors; what it does not list is INTERNAL.
_OF_RESET = {
    0x7: Code.UNAVAILABLE,  # REFUSED_STREAM
    0x8: Code.CANCELLED,  # CANCEL
    0xB: Code.RESOURCE_EXHAUSTED,  # ENHANCE_YOUR_CALM
    0xC: Code.PERMISSION_DENIED,  # INADEQUATE_SECURITY
}
# gRPC's table of HTTP statuses that come without a gRPC status, from a proxy, say.
_OF_HTTP = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}


class RpcError(Exception):
    """
    A call that ends with another code than OK; *details* are a google.rpc.Status, in bytes.
    """

    def __init__(self, code: Code, message: str, *, details: bytes | None = None) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.details = details

    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """
        Return the fields that say so at the end of a response.
        """
        fields = ((b"grpc-status", b"%d" % self.code), (b"grpc-message", encoded(self.message)))
        if self.details is None:
            return fields
        details = base64.b64encode(self.details).rstrip(b"=")
        return (*fields, (b"grpc-status-details-bin", details))


@attrs.frozen
class Outcome:
    """
    How a call ended for its client; *details* are a google.rpc.Status, in bytes.
    """

    code: Code
    message: str
    details: bytes | None = None

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> "Outcome | None":
        """
        Read the fields at the end of a response; None if they tell no status.
        """
        text = fields.get(b"grpc-status")
        if text is None:
            return None
        message = unquote_to_bytes(fields.get(b"grpc-message", b"")).decode(errors="replace")
        code = Code(int(text)) if text.isdigit() and int(text) < len(Code) else Code.UNKNOWN
        return cls(code, message, _unpadded(fields.get(b"grpc-status-details-bin")))


def encoded(message: str) -> bytes:
    """
    Write a message as grpc-message carries it, percent-encoded.
    """
    return quote_from_bytes(message.encode("utf-8", "replace"), safe=_PLAIN).encode()


def field(name: str, value: str) -> tuple[bytes, bytes]:
    """
    Return a field of the caller's own, as a call carries it; ValueError for one that cannot be.
    """
    name = name.lower()
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a gRPC header")
    if name in _RESERVED or name.startswith("grpc-"):
        raise ValueError(f"{name} is not yours to set; leave it out")
    if name.endswith("-bin"):
        return name.encode(), base64.b64encode(value.encode()).rstrip(b"=")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{name} has a value that is not all printable ASCII")
    return name.encode(), value.strip(" ").encode()


def timeout_s(text: bytes) -> float | None:
    """
    Read a grpc-timeout; None for what is none.
    """
    digits, unit = text[:-1], _UNIT_S.get(text[-1:])
    if unit is None or not digits.isdigit() or len(digits) > _LONGEST_TIMEOUT_DIGITS:
        return None
    return int(digits) * unit


def code_of_http(status: bytes) -> Code:
    """
    Return the code for an HTTP status that came without a gRPC one.
    """
    return _OF_HTTP.get(int(status), Code.UNKNOWN) if status.isdigit() else Code.UNKNOWN


def code_of_reset(error_code: int) -> Code:
    """
    Return the code for the error that a stream was reset with.
    """
    return _OF_RESET.get(error_code, Code.INTERNAL)


def _unpadded(text: bytes | None) -> bytes | None:
    """
    Decode base64 without its padding, or with it; None for what is none.
    """
    if text is None:
        return None
    try:
        return base64.b64decode(text.rstrip(b"=") + b"=" * (-len(text.rstrip(b"=")) % 4))
    except binascii.Error:
        return None
