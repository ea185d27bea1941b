"""
The OTLP examples, a receiver and an exporter, speak OTLP/HTTP with each other and with others.
"""

import asyncio
import gzip
import json
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from guests.examples import trial
from guests.real_http import real_http
from otelwasm.errors import PermanentError, RetryableError
from otelwasm.otlp.json import to_json
from otelwasm.signals import Signal
from otelwasm.testing import a_log_record, a_message, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import Batch, Message, Permanent, Receipt, Retryable
from otelwasm_sdk.http import Failed, Response
from unit.otlp.peers import Inbox, receiving, run

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
BATCHES: list[Batch[Any]] = [
    # With a status, because our JSON writes an empty one where there was none.
    traces(
        a_span("get", attributes={"k": b"\0\xff"}, parent_span_id="eee19b7ec3c1b174", is_error=True)
    ),
    metrics(a_metric("m", value=2)),
    logs(a_log_record({"a": [1, "b"]})),
]
each_signal = pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: batch.signal.label)
URL = "http://collector:4318/v1"


def request(
    body: bytes, content_type: str = PROTOBUF, *, target: str = "/v1/traces", **headers: str
) -> Message:
    return a_message(
        body,
        target=target,
        headers={"content-type": content_type}
        | {name.replace("_", "-"): value for name, value in headers.items()},
    )


@each_signal
@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("content_type", [PROTOBUF, f"{JSON}; charset=utf-8"])
def test_batches_are_received(batch: Batch[Any], content_type: str, coding: str) -> None:
    """
    A batch of each signal is emitted as it came, from protobuf and from JSON.
    """
    receiver = trial("otlp-receiver")
    body = bytes(batch)
    if content_type != PROTOBUF:
        body = to_json(Signal(batch.signal), body)
    body = gzip.compress(body) if coding == "gzip" else body

    reply = receiver.receive(
        request(body, content_type, target=f"/v1/{batch.signal.label}", content_encoding=coding)
    )

    [emitted] = receiver.emitted
    assert (200, bytes(batch)) == (reply.status, bytes(emitted))
    assert (b"" if content_type == PROTOBUF else b"{}") == reply.body
    assert (("content-type", content_type.partition(";")[0]),) == reply.headers


@pytest.mark.parametrize(
    ("message", "status", "why"),
    [
        (request(b"\xff"), 400, "malformed traces"),
        (request(b"{", JSON), 400, "no OTLP JSON"),
        (request(b'{"resourceSpans": 1}', JSON), 400, "no OTLP JSON"),
        (request(b'{"traceId": 1}', JSON), 400, "no OTLP JSON"),
        (request(b"[" * 100_000, JSON), 400, "no OTLP JSON"),
        (
            request(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"xy"}]}]}]}', JSON),
            400,
            "",
        ),
        (request(b"{}", "text/plain"), 415, "text/plain"),
        (request(b"", content_encoding="br"), 415, "br"),
        (request(b"no", content_encoding="gzip"), 400, "no gzip"),
        (request(gzip.compress(b"")[:-1], content_encoding="gzip"), 400, "cut short"),
        (request(gzip.compress(bytes(65 << 20)), content_encoding="gzip"), 413, "67108864"),
        (request(b"", target="/v1/other"), 404, "/v1/traces"),
        (a_message(b"", method="GET", target="/v1/traces"), 405, "GET"),
    ],
)
def test_what_is_wrong_gets_a_status(message: Message, status: int, why: str) -> None:
    """
    A request that cannot be taken gets its HTTP status, and OTLP's Status with the reason.
    """
    receiver = trial("otlp-receiver")

    reply = receiver.receive(message)

    assert (status, []) == (reply.status, receiver.emitted)
    if message.header("content-type") == JSON:
        said = json.loads(reply.body)["message"]
    else:
        said = Status.FromString(reply.body).message
    assert why in said and said


@pytest.mark.parametrize(
    ("failure", "status", "wait"),
    [
        (Retryable("full", after_s=7), 503, "7"),
        (Retryable("full"), 503, "1"),
        (Permanent("no"), 400, None),
    ],
)
def test_refusals_reach_the_sender(failure: Exception, status: int, wait: str | None) -> None:
    """
    What the next step says reaches the sender as OTLP wants it.
    """
    receiver = trial("otlp-receiver")
    receiver.refuse_with = failure

    reply = receiver.receive(request(bytes(BATCHES[0])))

    assert (status, wait) == (reply.status, dict(reply.headers).get("retry-after"))
    assert str(failure) == Status.FromString(reply.body).message


@each_signal
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_real_receiver_takes_what_is_sent(batch: Batch[Any], compression: str) -> None:
    """
    Our own receiver gets each batch as it was given to the exporter, and its refusals come back.
    """

    async def scenario() -> None:
        inbox = Inbox()
        async with receiving(inbox) as receiver:
            exporter = trial(
                "otlp-http-exporter",
                config={
                    "endpoint": f"http://127.0.0.1:{receiver.http_port}/",
                    "compression": compression,
                },
                http=real_http,
            )
            assert Receipt() == await asyncio.to_thread(exporter.send, batch)
            assert [bytes(batch)] == inbox.payloads(Signal(batch.signal))
            inbox.error = RetryableError("queue is full", after_s=3)
            with pytest.raises(Retryable, match=r"answered 503: .*queue is full") as retryable:
                await asyncio.to_thread(exporter.send, batch)
            assert 3 == retryable.value.after_s
            inbox.error = PermanentError("not this one")
            with pytest.raises(Permanent, match=r"answered 400: .*not this one"):
                await asyncio.to_thread(exporter.send, batch)

    run(scenario())


def send(batch: Batch[Any], answer: Response | Exception) -> Receipt:
    exporter = trial(
        "otlp-http-exporter",
        config={"endpoint": "http://collector:4318", "headers": {"x-tenant": "a"}},
        http={f"{URL}/{batch.signal.label}": answer},
    )
    receipt = exporter.send(batch)
    [sent] = exporter.requested
    assert ("POST", "a", PROTOBUF) == (
        sent.method,
        sent.header("x-tenant"),
        sent.header("content-type"),
    )
    return receipt


def test_partial_success_becomes_a_receipt() -> None:
    """
    What was refused of a batch is in the receipt; an answer that says nothing is success.
    """
    of_points = ExportMetricsServiceResponse()
    of_points.partial_success.rejected_data_points = 3
    of_points.partial_success.error_message = "too old"
    warning = ExportLogsServiceResponse()
    warning.partial_success.error_message = "soon full"

    assert Receipt(3, "too old") == send(BATCHES[1], answer(200, of_points.SerializeToString()))
    assert Receipt(0, "soon full") == send(BATCHES[2], answer(200, warning.SerializeToString()))
    assert Receipt() == send(BATCHES[0], Response(202, "thanks"))
    assert Receipt() == send(BATCHES[0], answer(200, b"\xff"))


@pytest.mark.parametrize(
    ("status", "after", "wanted"),
    [
        (429, "0", 0.0),
        (502, None, None),
        (503, "120", 120.0),
        (504, "soon", None),
        (503, "Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_what_may_pass_is_retryable(status: int, after: str | None, wanted: float | None) -> None:
    """
    The four statuses of OTLP are retryable, after the time that Retry-After names.
    """
    headers = {} if after is None else {"retry-after": after}

    with pytest.raises(Retryable) as raised:
        send(BATCHES[0], Response(status, "", headers))

    assert wanted == raised.value.after_s


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 500, 501])
def test_what_will_not_pass_is_permanent(status: int) -> None:
    """
    Any other status is permanent, and its reason is told.
    """
    with pytest.raises(Permanent, match=f"answered {status}: the reason"):
        send(BATCHES[0], answer(status, Status(message="the reason").SerializeToString()))


def test_no_answer_is_retryable() -> None:
    """
    A broken connection is what `http` says that it is.
    """
    with pytest.raises(Failed):
        send(BATCHES[0], Failed("connection reset"))


def answer(status: int, body: bytes) -> Response:
    return Response(status, body, {"content-type": PROTOBUF})
