"""
The OTLP/gRPC receiver answers as the OTLP specification says, whatever it is sent.
"""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status as StatusMessage

from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ServerTls
from otelwasm.receivers.otlp_grpc import OtlpGrpcConfig
from otelwasm.signals import Signal
from unit.otlp.certificates import issue_certificates
from unit.otlp.payloads import a_payload
from unit.otlp.peers import Inbox, receiving, refused, run

TRACES = SERVICES[Signal.TRACES].method
every_signal = pytest.mark.parametrize("signal", Signal)


async def call(
    port: int | None,
    method: str = TRACES,
    *,
    payload: bytes = b"",
    compression: grpc.Compression | None = None,
) -> bytes:
    """
    Call one method with bytes; raises grpc.aio.AioRpcError.
    """
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        reply: bytes = await channel.unary_unary(method)(
            payload, compression=compression, timeout=20
        )
        return reply


def refusal_of(inbox: Inbox, method: str = TRACES, **request: Any) -> grpc.aio.AioRpcError:
    """
    Run a receiver for one call that is refused; return how.
    """
    config = request.pop("grpc", None)
    takes = request.pop("takes", lambda signal: True)

    async def scenario() -> grpc.aio.AioRpcError:
        async with receiving(inbox, grpc=config, takes=takes) as receiver:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(receiver.grpc_port, method, **request)
            return refused.value

    return run(scenario())


def status_of(error: grpc.aio.AioRpcError) -> StatusMessage:
    """
    Return the status in `grpc-status-details-bin`.
    """
    trailers = dict(error.trailing_metadata())
    return StatusMessage.FromString(trailers["grpc-status-details-bin"])


@every_signal
@pytest.mark.parametrize(
    "compression",
    [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate],
)
def test_requests_arrive_as_they_were_sent(signal: Signal, compression: grpc.Compression) -> None:
    """
    A request becomes a batch of exactly its bytes, and is answered with an empty response.
    """
    inbox = Inbox()
    payload = a_payload(signal, 50)

    async def scenario() -> bytes:
        async with receiving(inbox) as receiver:
            return await call(
                receiver.grpc_port,
                SERVICES[signal].method,
                payload=payload,
                compression=compression,
            )

    assert b"" == run(scenario())
    assert [payload] == inbox.payloads(signal)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermanentError("tenant é unknown\nsay who you are"), grpc.StatusCode.INVALID_ARGUMENT),
        (PluginFaultError("plugin 'a' trapped", kind="trap"), grpc.StatusCode.INTERNAL),
        (RetryableError("queue full"), grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_refusals_say_why(error: Exception, code: grpc.StatusCode) -> None:
    """
    A batch that is not taken is answered with its code and reason, in the details too.
    """
    refused = refusal_of(Inbox(error=error))

    assert (code, str(error)) == (refused.code(), refused.details())
    assert (code.value[0], str(error)) == (status_of(refused).code, status_of(refused).message)


@pytest.mark.parametrize(("after_s", "expected_s"), [(None, 1), (0.2, 0.2), (90, 90)])
def test_full_pipeline_says_when_to_come_again(after_s: float | None, expected_s: float) -> None:
    """
    A retryable failure carries RetryInfo, and only such a failure does.
    """
    (detail,) = status_of(refusal_of(Inbox(error=RetryableError("full", after_s=after_s)))).details
    retry = RetryInfo()
    assert detail.Unpack(retry)

    permanent = status_of(refusal_of(Inbox(error=PermanentError("no"))))
    assert expected_s == pytest.approx(retry.retry_delay.ToNanoseconds() / 1e9)
    assert [] == list(permanent.details)


def test_long_reasons_do_not_break_the_answer() -> None:
    """
    A reason of any length, in any script, still reaches the sender as its own code.
    """
    refused = refusal_of(Inbox(error=PermanentError("嗚" * 50_000)))

    assert grpc.StatusCode.INVALID_ARGUMENT == refused.code()
    assert "嗚" * 300 in refused.details()


@pytest.mark.parametrize("payload", [b"hello", a_payload(Signal.TRACES, 5)[:-1]])
def test_malformed_requests_are_invalid_arguments(payload: bytes) -> None:
    """
    A request that is no protobuf of its signal gets the permanent error; nothing is taken.
    """
    inbox = Inbox()

    refused = refusal_of(inbox, payload=payload)

    assert grpc.StatusCode.INVALID_ARGUMENT == refused.code()
    assert f"malformed traces request of {len(payload)} bytes" in refused.details()
    assert [] == inbox.batches


@pytest.mark.parametrize(
    "method", ["/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/a.b.C/Export"]
)
def test_unknown_methods_are_unimplemented(method: str) -> None:
    """
    A method or service that OTLP does not have is UNIMPLEMENTED.
    """
    assert grpc.StatusCode.UNIMPLEMENTED == refusal_of(Inbox(), method).code()


def test_signal_without_a_pipeline_is_unimplemented() -> None:
    """
    A signal that no pipeline takes is UNIMPLEMENTED, and the reason says so.
    """
    refused = refusal_of(
        Inbox(), SERVICES[Signal.LOGS].method, takes=lambda signal: signal is not Signal.LOGS
    )

    assert grpc.StatusCode.UNIMPLEMENTED == refused.code()
    assert "no pipeline here takes logs" == refused.details()


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_oversize_requests_are_refused(compression: grpc.Compression) -> None:
    """
    A request over the limit, or that unpacks to one, is RESOURCE_EXHAUSTED without RetryInfo.
    """
    inbox = Inbox()

    refused = refusal_of(
        inbox,
        grpc=OtlpGrpcConfig(endpoint="127.0.0.1:0", max_recv_msg_size_mib=1),
        payload=bytes((1 << 20) + 1),
        compression=compression,
    )

    assert grpc.StatusCode.RESOURCE_EXHAUSTED == refused.code()
    assert "grpc-status-details-bin" not in dict(refused.trailing_metadata() or ())
    assert [] == inbox.batches


def test_slow_batch_holds_up_nobody() -> None:
    """
    While one request waits for its pipeline, others are answered.
    """

    async def scenario() -> tuple[int, bool]:
        inbox = Inbox(released=asyncio.Event())
        async with receiving(inbox) as receiver:
            waiting = asyncio.create_task(call(receiver.grpc_port))
            await inbox.arrived.wait()
            refused = 0
            try:
                await call(receiver.grpc_port, payload=b"hello")
            except grpc.aio.AioRpcError:
                refused += 1
            was_waiting = not waiting.done()
            assert inbox.released is not None
            inbox.released.set()
            await waiting
        return refused, was_waiting

    assert (1, True) == run(scenario())


def test_closing_finishes_what_is_in_flight() -> None:
    """
    A closing receiver answers the request that it holds and takes no new connection.
    """

    async def scenario() -> bytes:
        inbox = Inbox(released=asyncio.Event())
        assert inbox.released is not None
        async with receiving(inbox) as receiver:
            waiting = asyncio.create_task(call(receiver.grpc_port))
            await inbox.arrived.wait()
            closing = asyncio.create_task(receiver.close())
            await refused(receiver.grpc_port)
            inbox.released.set()
            reply = await waiting
            await closing
            await receiver.close()
            return reply

    assert run(scenario()) == b""


def test_other_clients_are_served_over_tls(tmp_path: Path) -> None:
    """
    gRPC's own client sends a batch over TLS, and shows its certificate if it is asked to.
    """
    issue_certificates(tmp_path)
    read = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    config = OtlpGrpcConfig(
        endpoint="localhost:0",
        tls=ServerTls(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "ca.pem"),
    )
    inbox = Inbox()
    known = grpc.ssl_channel_credentials(read["ca.pem"], read["client.key"], read["client.pem"])
    unknown = grpc.ssl_channel_credentials(read["ca.pem"])
    payload = a_payload(Signal.TRACES, 5)

    async def send(port: int | None, credentials: grpc.ChannelCredentials) -> None:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials, options) as channel:
            await channel.unary_unary(TRACES)(payload, timeout=20)

    async def scenario() -> grpc.StatusCode:
        async with receiving(inbox, grpc=config) as receiver:
            await send(receiver.grpc_port, known)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await send(receiver.grpc_port, unknown)
            return refused.value.code()

    assert grpc.StatusCode.UNAVAILABLE == run(scenario())
    assert [payload] == inbox.payloads(Signal.TRACES)
