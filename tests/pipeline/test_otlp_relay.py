"""
Batches pass from receiver to exporter to receiver unchanged, and refusals pass back.
"""

import asyncio
from pathlib import Path
from typing import Any, Protocol

import pytest

from otelwasm.errors import PermanentError, RetryableError
from otelwasm.exporters.otlp_grpc import OtlpGrpcConfig as GrpcOut
from otelwasm.exporters.otlp_grpc import OtlpGrpcExporter
from otelwasm.exporters.otlp_http import OtlpHttpConfig as HttpOut
from otelwasm.exporters.otlp_http import OtlpHttpExporter
from otelwasm.otlp.json import from_json, to_json
from otelwasm.otlp.tls import ClientTls, ServerTls
from otelwasm.pipeline.batch import Batch
from otelwasm.receivers.otlp import OtlpReceiver
from otelwasm.receivers.otlp_grpc import OtlpGrpcConfig as GrpcIn
from otelwasm.receivers.otlp_http import OtlpHttpConfig as HttpIn
from otelwasm.signals import Signal
from unit.otlp.certificates import issue_certificates
from unit.otlp.payloads import a_payload
from unit.otlp.peers import Inbox, receiving, run

WAYS = [
    ("grpc", {"compression": "none"}),
    ("grpc", {"compression": "gzip"}),
    *(
        ("http", {"encoding": encoding, "compression": compression})
        for encoding in ("proto", "json")
        for compression in ("none", "gzip", "zstd")
    ),
]
every_way = pytest.mark.parametrize(("protocol", "form"), WAYS)


class Exporter(Protocol):
    """
    What the exporters have in common.
    """

    async def start(self) -> None:
        """
        Open.
        """

    async def send(self, batch: Batch) -> object:
        """
        Send.
        """

    async def close(self) -> None:
        """
        Close.
        """


def exporter_to(receiver: OtlpReceiver, protocol: str, **form: Any) -> Exporter:
    """
    Return an exporter that sends to *receiver*; `scheme` is http or https.
    """
    scheme = form.pop("scheme", "http")
    if protocol == "grpc":
        return OtlpGrpcExporter(GrpcOut(f"{scheme}://localhost:{receiver.grpc_port}", **form))
    return OtlpHttpExporter(HttpOut(f"{scheme}://localhost:{receiver.http_port}", **form))


class Relay(Inbox):
    """
    A consumer that hands each batch to an exporter, as a pipeline without a queue does.
    """

    exporter: Exporter

    async def consume(self, batch: Batch) -> None:
        """
        Send *batch* on.
        """
        await self.exporter.send(batch)


def through_json(batch: Batch) -> Batch:
    """
    Return *batch* as its JSON says it.
    """
    return Batch(batch.signal, from_json(batch.signal, to_json(batch.signal, batch.payload)))


@every_way
def test_batches_are_relayed_unchanged(protocol: str, form: dict[str, str]) -> None:
    """
    Through two hops, in every form, a batch of each signal stays what it was.
    """
    inbox, relay = Inbox(), Relay()
    batches = [Batch(signal, a_payload(signal, items)) for signal in Signal for items in (1, 200)]

    async def scenario() -> None:
        async with receiving(inbox) as last, receiving(relay) as first:
            relay.exporter = exporter_to(last, protocol, **form)
            out = exporter_to(first, protocol, **form)
            await relay.exporter.start()
            await out.start()
            await asyncio.gather(*(out.send(batch) for batch in batches))
            await out.close()
            await relay.exporter.close()

    run(scenario())

    expected = batches
    if form.get("encoding") == "json":
        expected = [
            Batch(b.signal, from_json(b.signal, to_json(b.signal, b.payload))) for b in batches
        ]
    key = repr
    assert sorted(expected, key=key) == sorted(inbox.batches, key=key)


@every_way
def test_refusals_are_relayed(protocol: str, form: dict[str, str]) -> None:
    """
    Two hops back, a refusal is still permanent or retryable, with its words and its delay.
    """
    inbox, relay = Inbox(), Relay()

    async def scenario() -> tuple[PermanentError, RetryableError]:
        async with receiving(inbox) as last, receiving(relay) as first:
            relay.exporter = exporter_to(last, protocol, **form)
            out = exporter_to(first, protocol, **form)
            await relay.exporter.start()
            await out.start()
            inbox.error = PermanentError("tenant unknown")
            with pytest.raises(PermanentError) as permanent:
                await out.send(Batch(Signal.LOGS, b""))
            inbox.error = RetryableError("queue full", after_s=7)
            with pytest.raises(RetryableError) as retryable:
                await out.send(Batch(Signal.LOGS, b""))
            await out.close()
            await relay.exporter.close()
            return permanent.value, retryable.value

    permanent, retryable = run(scenario())

    assert "tenant unknown" in str(permanent)
    assert "queue full" in str(retryable)
    assert 7 == retryable.after_s


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Return a folder with a CA, and a server's and a client's certificate that it issued.
    """
    folder = tmp_path_factory.mktemp("certificates")
    issue_certificates(folder)
    return folder


def secured(folder: Path, client_ca_file: Path | None = None) -> dict[str, Any]:
    """
    Return receivers' configurations with TLS, that ask for client certificates if told to.
    """
    tls = ServerTls(folder / "server.pem", folder / "server.key", client_ca_file)
    return {
        "grpc": GrpcIn(endpoint="localhost:0", tls=tls),
        "http": HttpIn(endpoint="localhost:0", tls=tls),
    }


def send_securely(inbox: Inbox, protocol: str, *, server: dict[str, Any], tls: ClientTls) -> None:
    """
    Send one batch over TLS.
    """

    async def scenario() -> None:
        async with receiving(inbox, **server) as receiver:
            exporter = exporter_to(receiver, protocol, scheme="https", tls=tls)
            await exporter.start()
            try:
                await exporter.send(Batch(Signal.TRACES, a_payload(Signal.TRACES)))
            finally:
                await exporter.close()

    run(scenario())


every_protocol = pytest.mark.parametrize("protocol", ["grpc", "http"])


@every_protocol
def test_tls_carries_batches(protocol: str, certificates: Path) -> None:
    """
    With a CA that both trust a batch is delivered over TLS.
    """
    inbox = Inbox()

    send_securely(
        inbox,
        protocol,
        server=secured(certificates),
        tls=ClientTls(ca_file=certificates / "ca.pem"),
    )

    assert 1 == len(inbox.batches)


@every_protocol
def test_client_certificates_are_asked_for(protocol: str, certificates: Path) -> None:
    """
    With `client_ca_file` only clients with a certificate of that CA get through.
    """
    inbox = Inbox()
    server = secured(certificates, client_ca_file=certificates / "ca.pem")
    known = ClientTls(
        ca_file=certificates / "ca.pem",
        cert_file=certificates / "client.pem",
        key_file=certificates / "client.key",
    )

    send_securely(inbox, protocol, server=server, tls=known)
    with pytest.raises(RetryableError):
        send_securely(
            inbox, protocol, server=server, tls=ClientTls(ca_file=certificates / "ca.pem")
        )

    assert 1 == len(inbox.batches)


@every_protocol
def test_unknown_server_is_not_trusted(protocol: str, certificates: Path) -> None:
    """
    A server whose CA the client does not know gets no batch.
    """
    inbox = Inbox()

    for trusted in (ClientTls(ca_file=certificates / "other.pem"), ClientTls()):
        with pytest.raises(RetryableError):
            send_securely(inbox, protocol, server=secured(certificates), tls=trusted)

    assert [] == inbox.batches
