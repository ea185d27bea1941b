"""
Say what a sender is told: OTLP's answer to a batch that was taken, and to one that was not.

| what happened                               | gRPC               | HTTP             | again? |
| ------------------------------------------- | ------------------ | ---------------- | ------ |
| PermanentError: malformed, or refused by a  | INVALID_ARGUMENT   | 400              | no     |
| plugin                                      |                    |                  |        |
| PluginFaultError: a plugin failed on it     | INTERNAL           | 500              | no     |
| RetryableError: no room now, or what comes  | UNAVAILABLE, with  | 503, with        | yes    |
| after it is down                            | RetryInfo          | Retry-After      |        |

As in the Collector, a fault on our side is told from bad data; OTLP lets a sender repeat neither.
"""

import math
from collections.abc import Mapping

import attrs

from otelwasm.errors import BatchError, PluginFaultError, RetryableError
from otelwasm.otlp.status import Status

__all__ = ["JSON", "PROTOBUF", "Refusal", "refusal", "success_body"]

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_INVALID_ARGUMENT = 3
_INTERNAL = 13
_UNAVAILABLE = 14

# OTLP: big enough to give the server time to recover, small enough to keep the sender's data.
_RETRY_AFTER_S = 1.0
# gRPC puts the message into its trailers twice, escaped; a client takes 8 KiB of them.
_LONGEST_MESSAGE_BYTES = 1000


@attrs.frozen
class Refusal:
    """
    Why a batch was not taken, as both protocols say it.
    """

    status: Status
    http_status: int

    def body(self, content_type: str) -> bytes:
        """
        Return the body of an HTTP answer to a request of *content_type*.
        """
        return self.status.to_json() if content_type == JSON else self.status.to_protobuf()

    def http_headers(self) -> Mapping[str, str]:
        """
        Return the headers that tell an HTTP sender when to come again.
        """
        after_s = self.status.retry_after_s
        return {} if after_s is None else {"retry-after": str(max(1, math.ceil(after_s)))}


def refusal(error: BatchError) -> Refusal:
    """
    Say how the sender of a batch is told that it was not taken.
    """
    message = str(error).encode("utf-8", "replace")[:_LONGEST_MESSAGE_BYTES].decode(errors="ignore")
    if isinstance(error, RetryableError):
        after_s = _RETRY_AFTER_S if error.after_s is None else max(error.after_s, 0.0)
        return Refusal(Status(_UNAVAILABLE, message, after_s), 503)
    if isinstance(error, PluginFaultError):
        return Refusal(Status(_INTERNAL, message), 500)
    return Refusal(Status(_INVALID_ARGUMENT, message), 400)


def success_body(content_type: str) -> bytes:
    """
    Return the empty Export…ServiceResponse: the whole request was taken.
    """
    return b"{}" if content_type == JSON else b""
