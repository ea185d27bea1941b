"""
Read what an OTLP server answered: taken, taken in part, try again, or never.

Which codes may be tried again is the OTLP specification's table, for gRPC and for HTTP.
"""

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.rejected import Rejected
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.status import Status
from otelwasm.signals import Signal

__all__ = ["grpc_error", "http_error", "rejected_in"]

_RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
_RETRYABLE_GRPC = {
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNAVAILABLE",
    "DATA_LOSS",
}
_RETRYABLE_HTTP = {429, 502, 503, 504}
_LONGEST_REASON = 500


def rejected_in(signal: Signal, body: bytes, *, content_type: str) -> Rejected | None:
    """
    Find the partial success in the body of a successful answer; None if all was taken.

    A body that cannot be read says nothing: the server did take the request.
    """
    if not body:
        return None
    service = SERVICES[signal]
    response: Any = service.response()
    try:
        if content_type == JSON:
            ParseDict(json.loads(body), response, ignore_unknown_fields=True)
        else:
            response.ParseFromString(body)
    except (DecodeError, ParseError, ValueError, RecursionError):
        return None
    partial = response.partial_success
    count = int(getattr(partial, service.rejected_field))
    if count <= 0 and not partial.error_message:
        return None
    return Rejected(max(count, 0), partial.error_message)


def grpc_error(where: str, code: str, *, message: str, details: bytes | None = None) -> BatchError:
    """
    Turn a gRPC status, with the bytes of `grpc-status-details-bin`, into our error.
    """
    retry_after_s = _retry_delay_s(details)
    reason = f"{where}: {code}: {message[:_LONGEST_REASON]}" if message else f"{where}: {code}"
    if code in _RETRYABLE_GRPC:
        return RetryableError(reason, after_s=retry_after_s)
    if code == _RESOURCE_EXHAUSTED and retry_after_s is not None:
        return RetryableError(reason, after_s=retry_after_s)
    return PermanentError(reason)


def http_error(
    where: str, status: int, *, body: bytes, content_type: str, retry_after: str | None = None
) -> BatchError:
    """
    Turn an HTTP answer other than success into our error.
    """
    message = _status_message(body, content_type)
    reason = f"{where}: HTTP {status}: {message}" if message else f"{where}: HTTP {status}"
    if status in _RETRYABLE_HTTP:
        return RetryableError(reason, after_s=_retry_after_s(retry_after))
    return PermanentError(reason)


def _retry_delay_s(details: bytes | None) -> float | None:
    """
    Find the delay of a RetryInfo among the details of a status; None if it has none.
    """
    if not details:
        return None
    try:
        return Status.from_protobuf(details).retry_after_s
    except ValueError:
        return None


def _retry_after_s(text: str | None) -> float | None:
    """
    Read a Retry-After header: seconds, or the date to wait for.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())


def _status_message(body: bytes, content_type: str) -> str:
    """
    Find the words in the body of a refusal: a google.rpc.Status, or just text.
    """
    try:
        if content_type == JSON:
            message = str(json.loads(body)["message"])[:_LONGEST_REASON]
            # JSON can spell half a character, which no other protocol carries on.
            return message.encode("utf-8", "replace").decode()
        if content_type == PROTOBUF:
            return Status.from_protobuf(body).message[:_LONGEST_REASON]
    except (LookupError, RecursionError, TypeError, ValueError):
        pass  # a proxy's answer, perhaps
    return body[:_LONGEST_REASON].decode(errors="replace").strip()
