"""
A sender hears in its own protocol whether to try again, and when.
"""

import json

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as StatusMessage

from otelwasm.errors import BatchError, PermanentError, PluginFaultError, RetryableError
from otelwasm.otlp.answers import JSON, PROTOBUF, refusal, success_body
from otelwasm.otlp.status import Status

INVALID_ARGUMENT, INTERNAL, UNAVAILABLE = 3, 13, 14


@pytest.mark.parametrize(
    ("error", "grpc_code", "http_status"),
    [
        (PermanentError("no"), INVALID_ARGUMENT, 400),
        (PluginFaultError("trapped", kind="trap"), INTERNAL, 500),
        (RetryableError("full"), UNAVAILABLE, 503),
        (RetryableError("full", after_s=3), UNAVAILABLE, 503),
    ],
)
def test_each_failure_has_its_code(error: BatchError, grpc_code: int, http_status: int) -> None:
    """
    Bad data, a plugin's fault and a full queue are told apart in both protocols.
    """
    refused = refusal(error)

    assert grpc_code == refused.status.code
    assert http_status == refused.http_status
    assert str(error) == refused.status.message


@pytest.mark.parametrize(
    ("after_s", "seconds", "header"),
    [
        (None, 1.0, "1"),
        (0.25, 0.25, "1"),
        (7.1, 7.1, "8"),
        (1e15, 86400.0, "86400"),
        (float("inf"), 86400.0, "86400"),
    ],
)
def test_sender_is_told_when_to_come_again(
    after_s: float | None, seconds: float, header: str
) -> None:
    """
    RetryInfo holds the exact delay, Retry-After whole seconds; without one it is a second, and it
    is never more than a day.
    """
    refused = refusal(RetryableError("full", after_s=after_s))

    message = StatusMessage.FromString(refused.body(PROTOBUF))
    retry = RetryInfo()
    assert message.details[0].Unpack(retry)
    assert seconds == pytest.approx(retry.retry_delay.ToNanoseconds() / 1e9)
    assert {"retry-after": header} == refused.http_headers()


def test_permanent_failure_says_nothing_of_retries() -> None:
    """
    A sender that must not try again gets neither RetryInfo nor Retry-After.
    """
    refused = refusal(PermanentError("no"))

    assert refused.http_headers() == {}
    assert len(StatusMessage.FromString(refused.body(PROTOBUF)).details) == 0


def test_json_senders_get_the_status_as_json() -> None:
    """
    The body of a refusal is in the encoding of its request.
    """
    body = json.loads(refusal(RetryableError("é full", after_s=2)).body(JSON))

    assert {name: body[name] for name in ("code", "message")} == {
        "code": UNAVAILABLE,
        "message": "é full",
    }
    assert body["details"][0]["retryDelay"] == "2s"


def test_long_reasons_are_cut() -> None:
    """
    A plugin's traceback does not outgrow gRPC's trailers; what is left is still text.
    """
    message = refusal(PermanentError("é" * 100_000)).status.message

    assert message == "é" * 500


def test_success_is_an_empty_response() -> None:
    """
    A batch that was taken whole is answered with an empty message.
    """
    assert success_body(PROTOBUF) == b""
    assert success_body(JSON) == b"{}"


def test_status_survives_its_bytes() -> None:
    """
    A status is read as it was written; other bytes are refused.
    """
    status = Status(UNAVAILABLE, "full", 0.5)

    assert status == Status.from_protobuf(status.to_protobuf())
    with pytest.raises(ValueError, match=r"no google\.rpc\.Status"):
        Status.from_protobuf(b"hello")
