"""
The OTLP/HTTP exporter sends batches in the configured form and reads the answer as OTLP says.
"""

import gzip

import pytest
import zstandard

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.exporters.otlp_http import OtlpHttpConfig, OtlpHttpExporter
from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.json import to_json
from otelwasm.otlp.rejected import Rejected
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.status import Status
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal
from unit.exporters.servers import HttpStub, http_stub
from unit.otlp.payloads import a_payload
from unit.otlp.peers import run

TRACES = Batch(Signal.TRACES, a_payload(Signal.TRACES))


async def send_all(config: OtlpHttpConfig, *batches: Batch) -> list[Rejected | None]:
    """
    Send batches, one after the other; return what was rejected of each.
    """
    exporter = OtlpHttpExporter(config)
    await exporter.start()
    try:
        return [await exporter.send(batch) for batch in batches]
    finally:
        await exporter.close()
        await exporter.close()


def sent_to(stub: HttpStub, *batches: Batch, **config: object) -> list[Rejected | None]:
    """
    Send batches to a stub; return what it rejected of each.
    """

    async def scenario() -> list[Rejected | None]:
        async with http_stub(stub):
            settings = OtlpHttpConfig(**{"endpoint": stub.url} | config)  # type: ignore[arg-type]
            return await send_all(settings, *(batches or (TRACES,)))

    return run(scenario())


@pytest.mark.parametrize("encoding", ["proto", "json"])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("items", [1, 200])
def test_batches_go_out_in_the_configured_form(encoding: str, compression: str, items: int) -> None:
    """
    Each signal goes to its own path, encoded, packed and labelled as configured.
    """
    stub = HttpStub()
    batches = [Batch(signal, a_payload(signal, items)) for signal in Signal]

    sent_to(
        stub, *batches, encoding=encoding, compression=compression, headers={"X-Tenant": "blue"}
    )

    for batch, (path, body, headers) in zip(batches, stub.requests, strict=True):
        expected = batch.payload
        if encoding == "json":
            expected = to_json(batch.signal, batch.payload)
        unpack = {"gzip": gzip.decompress, "zstd": zstandard.decompress}.get(compression, bytes)
        assert expected == unpack(body)
        assert SERVICES[batch.signal].path == path
        assert (JSON if encoding == "json" else PROTOBUF) == headers["content-type"]
        assert (None if compression == "none" else compression) == headers.get("content-encoding")
        assert ("blue", "otelwasm") == (headers["x-tenant"], headers["user-agent"])


def test_large_batches_are_sent_whole() -> None:
    """
    A batch of many megabytes arrives as it is, with its length declared.
    """
    stub = HttpStub()
    payload = b"\x0a\x00" * (4 << 20)

    sent_to(stub, Batch(Signal.LOGS, payload))

    ((_, body, headers),) = stub.requests
    assert payload == body
    assert str(len(payload)) == headers["content-length"]


def test_each_signal_may_have_its_own_endpoint() -> None:
    """
    `logs_endpoint` is used as it is; a path in `endpoint` is kept and added to.
    """
    stub = HttpStub()

    async def scenario() -> None:
        async with http_stub(stub):
            config = OtlpHttpConfig(
                endpoint=f"{stub.url}/otlp/", logs_endpoint=f"{stub.url}/own/logs"
            )
            await send_all(config, TRACES, Batch(Signal.LOGS, b""))

    run(scenario())

    assert ["/otlp/v1/traces", "/own/logs"] == [path for path, _, _ in stub.requests]


def test_signal_without_an_endpoint_is_a_permanent_failure() -> None:
    """
    A batch that has nowhere to go says which key is missing.
    """
    config = OtlpHttpConfig(traces_endpoint="http://127.0.0.1:1/v1/traces")

    with pytest.raises(PermanentError, match="no endpoint for metrics; set endpoint or"):
        run(send_all(config, Batch(Signal.METRICS, b"")))


@pytest.mark.parametrize("encoding", ["proto", "json"])
def test_partial_success_is_returned(encoding: str) -> None:
    """
    What the server rejected comes back as a count and its words, in both encodings.
    """
    response = SERVICES[Signal.TRACES].response()
    response.partial_success.rejected_spans = 2  # type: ignore[attr-defined]
    response.partial_success.error_message = "too old"  # type: ignore[attr-defined]
    body = response.SerializeToString()
    if encoding == "json":
        body = b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'

    stub = HttpStub(body=body, headers={"content-type": JSON if encoding == "json" else PROTOBUF})

    assert [Rejected(2, "too old")] == sent_to(stub, encoding=encoding)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after_s"),
    [
        (429, {"retry-after": "30"}, RetryableError, 30),
        (503, {}, RetryableError, None),
        (502, {"retry-after": "x"}, RetryableError, None),
        (504, {"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"}, RetryableError, 0),
        (400, {"retry-after": "30"}, PermanentError, None),
        (404, {}, PermanentError, None),
        (500, {}, PermanentError, None),
        (307, {"location": "http://127.0.0.1:1/"}, PermanentError, None),
    ],
)
def test_refusals_are_permanent_or_retryable(
    status: int, headers: dict[str, str], kind: type[BatchError], after_s: float | None
) -> None:
    """
    A refusal is raised as what it means, with the server's words and delay.
    """
    stub = HttpStub(
        status,
        body=Status(3, "no, said the server").to_protobuf(),
        headers=headers | {"content-type": PROTOBUF},
    )

    with pytest.raises(kind, match=f"/v1/traces: HTTP {status}: no, said the server") as refused:
        sent_to(stub)

    assert after_s == getattr(refused.value, "after_s", None)
    assert 1 == len(stub.requests)


def test_endless_answer_is_cut() -> None:
    """
    A server that answers with megabytes does not fill the memory.
    """
    stub = HttpStub(400, body=b"no! " * (4 << 20), headers={"content-type": "text/plain"})

    with pytest.raises(PermanentError) as refused:
        sent_to(stub)

    assert 700 > len(str(refused.value))


def test_server_that_is_down_is_retryable() -> None:
    """
    No server at all is worth another try; the URL is named.
    """

    async def scenario() -> None:
        async with http_stub(HttpStub()) as stub:
            url = stub.url
        with pytest.raises(RetryableError, match=f"{url}/v1/traces: "):
            await send_all(OtlpHttpConfig(endpoint=url), TRACES)

    run(scenario())


def test_closed_exporter_refuses_as_retryable() -> None:
    """
    A batch that comes after the end is not lost: it may be sent again.
    """

    async def scenario() -> None:
        exporter = OtlpHttpExporter(OtlpHttpConfig(endpoint="http://127.0.0.1:1"))
        await exporter.start()
        await exporter.close()
        with pytest.raises(RetryableError, match="the exporter is closed"):
            await exporter.send(TRACES)

    run(scenario())


def test_batch_that_is_no_request_cannot_become_json() -> None:
    """
    Malformed bytes are a permanent failure where they would have to be read.
    """
    with pytest.raises(PermanentError, match="no traces request"):
        sent_to(HttpStub(), Batch(Signal.TRACES, b"hello"), encoding="json")


def test_connections_are_kept() -> None:
    """
    Batches sent one after the other share a connection.
    """
    stub = HttpStub()

    sent_to(stub, TRACES, TRACES, TRACES)

    assert (3, 1) == (len(stub.requests), len(stub.connections))


@pytest.mark.parametrize("endpoint", ["localhost:4318", "grpc://a", None])
def test_endpoint_that_is_none_is_refused(endpoint: str | None) -> None:
    """
    A bad or missing URL is named before anything starts.
    """
    with pytest.raises(ValueError, match=r"endpoint: .*http://localhost:4318"):
        OtlpHttpConfig(endpoint=endpoint)


def test_headers_are_not_shown() -> None:
    """
    A configuration in a log or a traceback does not tell the credentials in its headers.
    """
    config = OtlpHttpConfig(endpoint="http://a", headers={"authorization": "secret"})

    assert "secret" not in repr(config)
