"""
Write and read google.rpc.Status, in which both OTLP protocols say why a batch was not taken.
"""

from typing import Self

import attrs
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError

# The package has type stubs but does not declare so.
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status as StatusMessage  # type: ignore[import-untyped]

__all__ = ["Status"]


@attrs.frozen
class Status:
    """
    A gRPC code, the reason in words, and the seconds to wait (RetryInfo) if the sender may retry.
    """

    code: int
    message: str
    retry_after_s: float | None = None

    def to_protobuf(self) -> bytes:
        """
        Return the bytes of the message.
        """
        return bytes(self._message().SerializeToString())

    def to_json(self) -> bytes:
        """
        Return the message in protobuf's JSON.
        """
        return MessageToJson(self._message(), indent=None, ensure_ascii=False).encode()

    @classmethod
    def from_protobuf(cls, data: bytes) -> Self:
        """
        Read the bytes of the message; raises ValueError if they are something else.
        """
        try:
            status = StatusMessage.FromString(data)
            retry = RetryInfo()
            delays_s = [
                max(0.0, retry.retry_delay.ToNanoseconds() / 1e9)
                for detail in status.details
                if detail.Unpack(retry)
            ]
        except DecodeError as error:
            raise ValueError(f"no google.rpc.Status: {error}") from error
        return cls(status.code, status.message, delays_s[0] if delays_s else None)

    def _message(self) -> StatusMessage:
        status = StatusMessage(code=self.code, message=self.message)
        if self.retry_after_s is not None:
            retry = RetryInfo()
            retry.retry_delay.FromNanoseconds(round(self.retry_after_s * 1e9))
            status.details.add().Pack(retry)
        return status
