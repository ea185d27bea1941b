"""
Codes, messages and details of a call survive their way through HTTP/2 fields.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelwasm.otlp.grpc.status import (
    Code,
    Outcome,
    RpcError,
    code_of_http,
    code_of_reset,
    encoded,
    field,
    timeout_s,
)


@given(st.sampled_from(Code), st.text(), st.none() | st.binary(min_size=1))
def test_what_a_server_says_is_what_a_client_reads(
    code: Code, message: str, details: bytes | None
) -> None:
    """
    Any message and details come back as they were, in printable ASCII on the way.
    """
    fields = dict(RpcError(code, message, details=details).fields())

    assert all(0x20 <= byte < 0x7F for value in fields.values() for byte in value)
    expected = message.encode("utf-8", "replace").decode()
    assert Outcome(code, expected, details) == Outcome.of(fields)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, None),
        ({b"grpc-status": b"17"}, Outcome(Code.UNKNOWN, "")),
        ({b"grpc-status": b"what"}, Outcome(Code.UNKNOWN, "")),
        ({b"grpc-status": b"5", b"grpc-message": b"%zz%C3"}, Outcome(Code.NOT_FOUND, "%zz\ufffd")),
        (
            {b"grpc-status": b"2", b"grpc-status-details-bin": b"AQI="},
            Outcome(Code.UNKNOWN, "", b"\1\2"),
        ),
        ({b"grpc-status": b"2", b"grpc-status-details-bin": b"A"}, Outcome(Code.UNKNOWN, "")),
    ],
)
def test_odd_endings_are_read(fields: dict[bytes, bytes], outcome: Outcome | None) -> None:
    """
    Whatever a server puts there, its client makes the best of it.
    """
    assert outcome == Outcome.of(fields)


def test_messages_stay_readable() -> None:
    """
    Only what must be escaped is.
    """
    assert b"queue 'a' full: 100%25 /\\\"~ %0A" == encoded("queue 'a' full: 100% /\\\"~ \n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"1H", 3600),
        (b"2M", 120),
        (b"99999999S", 99_999_999),
        (b"500m", 0.5),
        (b"20u", 20e-6),
        (b"1n", 1e-9),
        (b"123456789S", None),
        (b"S", None),
        (b"", None),
        (b"-1S", None),
        (b"1x", None),
    ],
)
def test_timeouts_are_read(text: bytes, seconds: float | None) -> None:
    """
    At most eight digits and a unit are a timeout; anything else is none.
    """
    assert (None if seconds is None else pytest.approx(seconds)) == timeout_s(text)


def test_foreign_answers_have_a_code() -> None:
    """
    What a proxy or HTTP/2 itself says is told as gRPC's tables have it.
    """
    assert [Code.UNAVAILABLE, Code.UNAUTHENTICATED, Code.UNKNOWN, Code.UNKNOWN] == [
        code_of_http(status) for status in (b"503", b"401", b"302", b"")
    ]
    assert [Code.UNAVAILABLE, Code.CANCELLED, Code.RESOURCE_EXHAUSTED, Code.INTERNAL] == [
        code_of_reset(error) for error in (7, 8, 11, 1)
    ]


def test_own_fields_are_carried() -> None:
    """
    A header of the user's own goes out in lower case, and as base64 if its name asks for that.
    """
    assert [(b"x-tenant", b"blue"), (b"key-bin", b"w6k")] == [
        field("X-Tenant", " blue "),
        field("key-bin", "é"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (":path", "/", "is no name of a gRPC header"),
        ("two words", "", "is no name of a gRPC header"),
        ("Content-Type", "text/plain", "content-type is not yours to set"),
        ("grpc-timeout", "1S", "grpc-timeout is not yours to set"),
        ("x", "a\r\nb: c", "x has a value that is not all printable ASCII"),
        ("x", "é", "x has a value that is not all printable ASCII"),
    ],
)
def test_fields_that_cannot_be_are_refused(name: str, value: str, words: str) -> None:
    """
    A header that gRPC cannot carry, or sets itself, is named.
    """
    with pytest.raises(ValueError, match=words):
        field(name, value)
