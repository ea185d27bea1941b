"""
The OTLP/gRPC exporter sends a batch's bytes and reads the answer as OTLP says.
"""

from pathlib import Path

import grpc
import pytest

from otelwasm.errors import BatchError, PermanentError, RetryableError
from otelwasm.exporters.otlp_grpc import OtlpGrpcConfig, OtlpGrpcExporter
from otelwasm.otlp.rejected import Rejected
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.status import Status
from otelwasm.otlp.tls import ClientTls
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal
from unit.exporters.servers import GrpcStub, grpc_stub
from unit.otlp.certificates import issue_certificates
from unit.otlp.payloads import a_payload
from unit.otlp.peers import run

TRACES = Batch(Signal.TRACES, a_payload(Signal.TRACES))


def sent_to(stub: GrpcStub, *batches: Batch, **config: object) -> list[Rejected | None]:
    """
    Send batches to a stub; return what it rejected of each.
    """

    async def scenario() -> list[Rejected | None]:
        async with grpc_stub(stub):
            settings = OtlpGrpcConfig(endpoint=f"127.0.0.1:{stub.port}", **config)  # type: ignore[arg-type]
            exporter = OtlpGrpcExporter(settings)
            await exporter.start()
            try:
                return [await exporter.send(batch) for batch in batches or (TRACES,)]
            finally:
                await exporter.close()
                await exporter.close()

    return run(scenario())


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_bytes_go_out_as_they_are(compression: str) -> None:
    """
    Each signal goes to its own service, byte for byte, with the configured headers.
    """
    stub = GrpcStub()
    batches = [Batch(signal, a_payload(signal, 50)) for signal in Signal]

    rejected = sent_to(stub, *batches, compression=compression, headers={"X-Tenant": "blue"})

    assert [None] * 4 == rejected
    assert [(SERVICES[batch.signal].method, batch.payload) for batch in batches] == [
        (method, payload) for method, payload, _ in stub.requests
    ]
    for _, _, metadata in stub.requests:
        assert "blue" == metadata["x-tenant"]
        assert "otelwasm" in metadata["user-agent"]


def test_large_batches_are_sent() -> None:
    """
    The exporter itself has no limit on a batch's size.
    """
    stub = GrpcStub()
    payload = b"\x0a\x00" * (4 << 20)

    sent_to(stub, Batch(Signal.LOGS, payload))

    assert [payload] == [sent for _, sent, _ in stub.requests]


def test_partial_success_is_returned() -> None:
    """
    What the server rejected comes back as a count and its words.
    """
    response = SERVICES[Signal.TRACES].response()
    response.partial_success.rejected_spans = 2  # type: ignore[attr-defined]
    response.partial_success.error_message = "too old"  # type: ignore[attr-defined]

    assert [Rejected(2, "too old")] == sent_to(GrpcStub(reply=response.SerializeToString()))


@pytest.mark.parametrize(
    ("code", "details", "kind", "after_s"),
    [
        (grpc.StatusCode.UNAVAILABLE, None, RetryableError, None),
        (grpc.StatusCode.UNAVAILABLE, Status(14, "full", 7).to_protobuf(), RetryableError, 7),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Status(8, "", 2).to_protobuf(), RetryableError, 2),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, None, PermanentError, None),
        (grpc.StatusCode.INVALID_ARGUMENT, None, PermanentError, None),
        (grpc.StatusCode.UNAUTHENTICATED, None, PermanentError, None),
        (grpc.StatusCode.UNKNOWN, None, PermanentError, None),
    ],
)
def test_refusals_are_permanent_or_retryable(
    code: grpc.StatusCode, details: bytes | None, kind: type[BatchError], after_s: float | None
) -> None:
    """
    A refusal is raised as what it means, with the server's words and delay.
    """
    stub = GrpcStub(code=code, reason="no, said the server", details=details)

    with pytest.raises(
        kind, match=f"127.0.0.1:[0-9]+: {code.name}: no, said the server"
    ) as refused:
        sent_to(stub)

    assert after_s == getattr(refused.value, "after_s", None)


def test_server_that_is_down_is_retryable() -> None:
    """
    No server at all is worth another try; the endpoint is named.
    """

    async def scenario() -> None:
        async with grpc_stub(GrpcStub()) as stub:
            endpoint = f"127.0.0.1:{stub.port}"
        exporter = OtlpGrpcExporter(OtlpGrpcConfig(endpoint=endpoint))
        await exporter.start()
        with pytest.raises(RetryableError, match=f"{endpoint}: UNAVAILABLE: "):
            await exporter.send(TRACES)
        await exporter.close()
        with pytest.raises(RetryableError, match="the exporter is closed"):
            await exporter.send(TRACES)

    run(scenario())


def test_server_that_comes_back_is_found() -> None:
    """
    A batch that failed while the server was away goes through once it is there again.
    """

    async def scenario() -> int:
        async with grpc_stub(GrpcStub()) as stub:
            endpoint = f"127.0.0.1:{stub.port}"
        exporter = OtlpGrpcExporter(OtlpGrpcConfig(endpoint=endpoint))
        await exporter.start()
        with pytest.raises(RetryableError):
            await exporter.send(TRACES)
        back = GrpcStub()
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((back,))
        server.add_insecure_port(endpoint)
        await server.start()
        while not back.requests:
            try:
                await exporter.send(TRACES)
            except RetryableError:
                continue
        await exporter.close()
        await server.stop(1)
        return len(back.requests)

    assert 1 == run(scenario())


def test_plain_server_asked_for_tls_gets_a_hint() -> None:
    """
    Speaking TLS to a server that does not is retryable, and the message says what to set.
    """

    async def scenario() -> None:
        async with grpc_stub(GrpcStub()) as stub:
            config = OtlpGrpcConfig(endpoint=f"127.0.0.1:{stub.port}", tls=ClientTls())
            exporter = OtlpGrpcExporter(config)
            await exporter.start()
            with pytest.raises(RetryableError, match=r"set `tls: \{insecure: true\}`"):
                await exporter.send(TRACES)
            await exporter.close()

    run(scenario())


@pytest.mark.parametrize(
    ("endpoint", "tls", "is_plain"),
    [
        ("localhost:4317", None, True),
        ("collector:4317", None, False),
        ("collector:4317", ClientTls(insecure=True), True),
        ("localhost:4317", ClientTls(), False),
        ("http://collector:4317", None, True),
        ("http://collector:4317", ClientTls(), True),
        ("https://localhost:4317", ClientTls(insecure=True), False),
    ],
)
def test_tls_is_for_other_machines(endpoint: str, tls: ClientTls | None, is_plain: bool) -> None:
    """
    A scheme decides; then the `tls` keys; else only this machine is spoken to in plain text.
    """
    assert is_plain is OtlpGrpcConfig(endpoint=endpoint, tls=tls).is_plain


def test_headers_are_not_shown() -> None:
    """
    A configuration in a log or a traceback does not tell the credentials in its headers.
    """
    config = OtlpGrpcConfig(endpoint="a:1", headers={"authorization": "secret"})

    assert "secret" not in repr(config)


def test_headers_that_cannot_be_sent_are_refused() -> None:
    """
    A bad header is named before anything starts; its value is not shown.
    """
    with pytest.raises(ValueError, match="headers: authorization has a value that") as refused:
        OtlpGrpcConfig(endpoint="a:1", headers={"authorization": "secret\n"})

    assert "secret" not in str(refused.value)


def test_other_servers_are_trusted_over_tls(tmp_path: Path) -> None:
    """
    gRPC's own server takes a batch over TLS, and asks for our certificate.
    """
    issue_certificates(tmp_path)
    read = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    credentials = grpc.ssl_server_credentials(
        [(read["server.key"], read["server.pem"])], read["ca.pem"], require_client_auth=True
    )
    stub = GrpcStub()
    tls = ClientTls(
        ca_file=tmp_path / "ca.pem",
        cert_file=tmp_path / "client.pem",
        key_file=tmp_path / "client.key",
    )

    async def scenario() -> None:
        async with grpc_stub(stub, credentials):
            exporter = OtlpGrpcExporter(OtlpGrpcConfig(f"https://localhost:{stub.port}", tls=tls))
            await exporter.start()
            await exporter.send(TRACES)
            await exporter.close()

    run(scenario())

    assert [TRACES.payload] == [payload for _, payload, _ in stub.requests]


def test_endpoint_that_is_none_is_refused() -> None:
    """
    A bad endpoint is named before anything starts.
    """
    with pytest.raises(ValueError, match="endpoint: expected host:port, such as"):
        OtlpGrpcConfig(endpoint="collector")
