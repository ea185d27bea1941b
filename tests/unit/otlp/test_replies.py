"""
A server's answer is read as the OTLP specification says.
"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import grpc
import pytest
from google.protobuf.json_format import MessageToJson

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.rejected import Rejected
from otelwasm.otlp.replies import grpc_error, http_error, rejected_in
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.status import Status
from otelwasm.signals import Signal

RETRYABLE = {
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNAVAILABLE",
    "DATA_LOSS",
}


@pytest.mark.parametrize("code", [code.name for code in grpc.StatusCode if code.value[0]])
def test_grpc_codes_are_those_of_the_specification(code: str) -> None:
    """
    Exactly the codes of OTLP's table may be tried again.
    """
    error = grpc_error("collector:4317", code, message="no")

    assert isinstance(error, RetryableError if code in RETRYABLE else PermanentError)
    assert f"collector:4317: {code}: no" == str(error)


def test_exhausted_resources_are_retryable_only_with_retry_info() -> None:
    """
    RESOURCE_EXHAUSTED may be tried again if the server says when, else never.
    """
    details = Status(8, "slow down", 2.5).to_protobuf()
    bare = Status(8, "slow down").to_protobuf()

    with_info = grpc_error("c", "RESOURCE_EXHAUSTED", message="slow down", details=details)
    without = grpc_error("c", "RESOURCE_EXHAUSTED", message="slow down", details=bare)

    assert isinstance(with_info, RetryableError)
    assert with_info.after_s == 2.5
    assert isinstance(without, PermanentError)


def test_delay_of_retry_info_is_kept() -> None:
    """
    RetryInfo says when; details that cannot be read do not.
    """
    details = Status(14, "full", 7).to_protobuf()

    delays = [
        grpc_error("c", "UNAVAILABLE", message="full", details=given).after_s  # type: ignore[attr-defined]
        for given in (details, b"hello", b"", None)
    ]
    assert delays == [7, None, None, None]


@pytest.mark.parametrize("status", [300, 400, 401, 404, 408, 413, 429, 500, 501, 502, 503, 504])
def test_http_codes_are_those_of_the_specification(status: int) -> None:
    """
    Only 429, 502, 503 and 504 may be tried again.
    """
    error = http_error("http://c", status, body=b"nginx says no", content_type="text/html")

    assert isinstance(error, RetryableError if status in {429, 502, 503, 504} else PermanentError)
    assert f"http://c: HTTP {status}: nginx says no" == str(error)


@pytest.mark.parametrize(
    ("header", "after_s"),
    [("7", 7.0), (" 0 ", 0.0), ("soon", None), ("-1", None), ("Mon, 99 Foo", None), (None, None)],
)
def test_retry_after_in_seconds(header: str | None, after_s: float | None) -> None:
    """
    Retry-After in seconds is kept; what is no delay is ignored.
    """
    error = http_error("c", 503, body=b"", content_type=PROTOBUF, retry_after=header)

    assert isinstance(error, RetryableError)
    assert after_s == error.after_s


def test_retry_after_as_a_date() -> None:
    """
    Retry-After may be a date; one that is over means now.
    """
    now = datetime.now(UTC)
    later, earlier = (
        http_error(
            "c",
            429,
            body=b"",
            content_type="text/plain",
            retry_after=format_datetime(now + timedelta(seconds=seconds), usegmt=True),
        )
        for seconds in (60, -60)
    )

    assert isinstance(later, RetryableError)
    assert isinstance(earlier, RetryableError)
    assert pytest.approx(later.after_s, abs=5) == 60
    assert earlier.after_s == 0


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (Status(3, "bad tenant").to_protobuf(), PROTOBUF, "bad tenant"),
        (b'{"code": 3, "message": "bad tenant"}', JSON, "bad tenant"),
        (rb'{"message": "half \ud83d"}', JSON, "half ?"),
        (b'["bad"]', JSON, '["bad"]'),
        (b"{", JSON, "{"),
        (b"bad\xff\n", PROTOBUF, "bad\N{REPLACEMENT CHARACTER}"),
        (b"x" * 10_000, "text/plain", "x" * 500),
        (b"", PROTOBUF, ""),
    ],
)
def test_reason_is_found_in_the_body(body: bytes, content_type: str, reason: str) -> None:
    """
    The words of a Status are the reason, in both encodings; of anything else, its beginning.
    """
    error = http_error("c", 400, body=body, content_type=content_type)

    assert ": ".join(filter(None, ("c", "HTTP 400", reason))) == str(error)


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_partial_success_is_read(signal: Signal, content_type: str) -> None:
    """
    What a server rejected of a batch is counted, in both encodings and for every signal.
    """
    service = SERVICES[signal]
    response = service.response()
    partial = response.partial_success  # type: ignore[attr-defined]
    setattr(partial, service.rejected_field, 3)
    partial.error_message = "too old"
    body = response.SerializeToString()
    if content_type == JSON:
        body = MessageToJson(response).encode()

    assert Rejected(3, "too old") == rejected_in(signal, body, content_type=content_type)


def test_warning_is_a_partial_success_of_nothing() -> None:
    """
    A message without a count is a warning; neither means that all was taken.
    """
    response = SERVICES[Signal.TRACES].response()
    response.partial_success.error_message = "deprecated"  # type: ignore[attr-defined]
    warning = rejected_in(Signal.TRACES, response.SerializeToString(), content_type=PROTOBUF)

    assert Rejected(0, "deprecated") == warning
    for body, content_type in (
        (b"", PROTOBUF),
        (b"", JSON),
        (b"{}", JSON),
        (b"\x0a\x00", PROTOBUF),
    ):
        assert rejected_in(Signal.TRACES, body, content_type=content_type) is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"hello", PROTOBUF), (b"[", JSON), (b"[1]", JSON), (b"[" * 99_999, JSON), (b"OK", JSON)],
    ids=lambda value: str(value)[:20],
)
def test_unreadable_success_is_a_success(body: bytes, content_type: str) -> None:
    """
    A server that took the request and answered nonsense did take the request.
    """
    assert rejected_in(Signal.LOGS, body, content_type=content_type) is None
