"""Receive OTLP over HTTP, as protobuf or JSON, as the host's own receiver does."""

import base64
import json
import zlib
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import Message as ProtoMessage
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess

from otelwasm_sdk import (
    Batch,
    Failure,
    Logs,
    Malformed,
    Message,
    Metrics,
    Reply,
    Retryable,
    Traces,
    emit,
    receiver,
)

BATCHES: dict[str, type[Batch]] = {
    "/v1/traces": Traces,
    "/v1/metrics": Metrics,
    "/v1/logs": Logs,
}
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
# What a compressed body may come to.
LIMIT_BYTES = 64 << 20
# OTLP's JSON has these in hexadecimal, where protobuf's own mapping has base64.
IDS = {"traceId", "spanId", "parentSpanId"}


class Refusal(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@receiver
def otlp(message: Message) -> Reply:
    content_type = (message.header("content-type") or "").partition(";")[0].strip().lower()
    is_json = content_type == JSON
    try:
        made = BATCHES.get(urlsplit(message.target).path)
        if made is None:
            raise Refusal(404, f"no such path; known are {', '.join(BATCHES)}")
        if message.method != "POST":
            raise Refusal(405, f"{message.method} is not POST")
        if content_type not in (PROTOBUF, JSON):
            raise Refusal(415, f"content-type is {PROTOBUF} or {JSON}, not {content_type!r}")
        emit(read(made, decompressed(message), is_json=is_json))
    except Refusal as refusal:
        return status_reply(refusal.status, str(refusal), is_json=is_json)
    except Malformed as error:
        return status_reply(400, str(error), is_json=is_json)
    except Retryable as error:
        # The sender keeps the batch, and comes back.
        wait = (("retry-after", f"{max(1, round(error.after_s or 1))}"),)
        return status_reply(503, str(error), is_json=is_json, headers=wait)
    except Failure as error:
        return status_reply(400, str(error), is_json=is_json)
    return Reply(200, b"{}" if is_json else b"", (("content-type", content_type),))


def decompressed(message: Message) -> bytes:
    coding = (message.header("content-encoding") or "identity").strip().lower()
    if coding == "identity":
        return message.body
    if coding != "gzip":
        raise Refusal(415, f"content-encoding is gzip or none, not {coding!r}")
    try:
        unzip = zlib.decompressobj(wbits=31)
        body = unzip.decompress(message.body, LIMIT_BYTES)
    except zlib.error as error:
        raise Refusal(400, f"the body is no gzip: {error}") from None
    if unzip.unconsumed_tail:
        raise Refusal(413, f"the body is more than {LIMIT_BYTES} bytes when decompressed")
    if not unzip.eof:
        raise Refusal(400, "the body is cut short")
    return body


def read(made: type[Batch], body: bytes, *, is_json: bool) -> Batch:
    if not is_json:
        batch = made(body)
        len(batch)  # looks through it, and raises Malformed
        return batch
    request: ProtoMessage = type(made().proto)()
    try:
        tree = json.loads(body, object_hook=with_base64_ids)
        return made.from_proto(Parse(json.dumps(tree), request, ignore_unknown_fields=True))
    except (ValueError, TypeError, RecursionError, ParseError) as error:
        raise Refusal(400, f"the body is no OTLP JSON: {error}") from None


def with_base64_ids(members: dict[str, Any]) -> dict[str, Any]:
    for key in IDS & members.keys():
        members[key] = base64.b64encode(bytes.fromhex(members[key])).decode()
    return members


def status_reply(
    status: int, reason: str, *, is_json: bool, headers: tuple[tuple[str, str], ...] = ()
) -> Reply:
    """Answer with a google.rpc.Status, which has its text where a partial success has it, too."""
    if is_json:
        body = json.dumps({"message": reason}).encode()
    else:
        body = ExportTracePartialSuccess(error_message=reason).SerializeToString()
    return Reply(status, body, (("content-type", JSON if is_json else PROTOBUF), *headers))
