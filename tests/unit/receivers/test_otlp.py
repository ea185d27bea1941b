"""
The `otlp` receiver listens where its configuration says, or says why it cannot.
"""

import asyncio
import socket

import pytest
from structlog.testing import capture_logs

from otelwasm.errors import SetupError
from otelwasm.otlp.endpoints import GrpcTarget
from otelwasm.otlp.grpc.channel import GrpcChannel
from otelwasm.otlp.signals import SERVICES
from otelwasm.receivers.otlp import OtlpConfig, OtlpReceiver, Protocols
from otelwasm.receivers.otlp_grpc import OtlpGrpcConfig
from otelwasm.receivers.otlp_http import OtlpHttpConfig
from otelwasm.signals import Signal
from unit.otlp.peers import Inbox, run


def a_receiver(**protocols: object) -> OtlpReceiver:
    """
    Return a receiver for these protocols.
    """
    config = OtlpConfig(protocols=Protocols(**protocols))  # type: ignore[arg-type]
    return OtlpReceiver(config, lambda signal: Inbox(), name="otlp/2")


def test_endpoints_are_the_collectors() -> None:
    """
    Without an endpoint a receiver listens where the Collector's does.
    """
    assert "localhost:4317" == OtlpGrpcConfig().endpoint
    assert "localhost:4318" == OtlpHttpConfig().endpoint


def test_only_named_protocols_are_on() -> None:
    """
    A protocol that the configuration does not name has no port; the other has the one it bound.
    """

    async def scenario() -> tuple[int | None, int | None]:
        receiver = a_receiver(http=OtlpHttpConfig(endpoint="localhost:0"))
        await receiver.start()
        ports = receiver.grpc_port, receiver.http_port
        await receiver.close()
        return ports

    grpc_port, http_port = run(scenario())

    assert grpc_port is None
    assert http_port


def test_no_protocol_at_all_is_refused() -> None:
    """
    A receiver without a protocol would take nothing.
    """
    with pytest.raises(ValueError, match="name grpc, http or both"):
        OtlpConfig(protocols=Protocols())


def test_a_stop_ends_what_is_not_done_by_its_deadline() -> None:
    """
    Senders whose requests take longer are told to come again, and their connections are closed.
    """

    async def scenario() -> tuple[bytes, str]:
        inbox = Inbox(released=asyncio.Event())
        receiver = OtlpReceiver(
            OtlpConfig(
                protocols=Protocols(
                    grpc=OtlpGrpcConfig(endpoint="127.0.0.1:0"),
                    http=OtlpHttpConfig(endpoint="127.0.0.1:0"),
                )
            ),
            lambda signal: inbox,
        )
        await receiver.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver.http_port)
        writer.write(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
            b"Content-Type: application/x-protobuf\r\n\r\n"
        )
        await inbox.arrived.wait()
        inbox.arrived.clear()
        channel = GrpcChannel(GrpcTarget.parse(f"127.0.0.1:{receiver.grpc_port}"))
        call = asyncio.create_task(channel.call(SERVICES[Signal.TRACES].method, b""))
        await inbox.arrived.wait()
        await receiver.stop(asyncio.get_running_loop().time() - 1)
        answered = await reader.read()
        response = await call
        await channel.close()
        writer.close()
        return answered.partition(b"\r\n")[0], response.outcome.code.name

    assert (b"HTTP/1.1 503 Service Unavailable", "UNAVAILABLE") == run(scenario())


@pytest.mark.parametrize("endpoint", ["localhost", "4317", "http://localhost:4317"])
def test_endpoints_that_are_none_are_refused(endpoint: str) -> None:
    """
    An endpoint that is no host:port is named before anything starts.
    """
    for config in (OtlpGrpcConfig, OtlpHttpConfig):
        with pytest.raises(ValueError, match="endpoint: expected host:port"):
            config(endpoint=endpoint)


def test_limit_of_nothing_is_refused() -> None:
    """
    A limit that would refuse every request is named before anything starts.
    """
    with pytest.raises(ValueError, match="max_recv_msg_size_mib: expected 1 to 1000, not 0"):
        OtlpGrpcConfig(max_recv_msg_size_mib=0)


def test_the_address_that_it_listens_on_is_logged() -> None:
    """
    Whoever looks at the log finds where to send to, also where the port was left open.
    """

    async def scenario() -> int | None:
        receiver = a_receiver(http=OtlpHttpConfig("127.0.0.1:0"))
        await receiver.start()
        port = receiver.http_port
        await receiver.close()
        return port

    with capture_logs() as lines:
        port = run(scenario())

    line = {"event": "listening", "log_level": "info", "by": "receiver 'otlp/2'"}
    assert line | {"address": f"127.0.0.1:{port}"} in lines


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_address_in_use_names_receiver_and_endpoint(
    protocol: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    An endpoint that is taken is one clear error; nothing is left open, nothing else is printed.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        free = {"grpc": OtlpGrpcConfig("127.0.0.1:0"), "http": OtlpHttpConfig("127.0.0.1:0")}
        used = {"grpc": OtlpGrpcConfig(endpoint), "http": OtlpHttpConfig(endpoint)}
        receiver = a_receiver(**free | {protocol: used[protocol]})

        with capture_logs() as lines, pytest.raises(SetupError) as refused:
            run(receiver.start())

    assert [] == [line for line in lines if line["event"] != "listening"]
    assert (
        f"receiver 'otlp/2' cannot listen on {endpoint}: the address is already in use; "
        "stop what uses it or choose another port"
    ) == str(refused.value)
    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_unknown_host_is_named(protocol: str) -> None:
    """
    A host that does not exist, or is another machine's, is one clear error.
    """
    for host in ("no-such-host.invalid", "192.0.2.1"):
        endpoint = f"{host}:14317"
        config = {"grpc": OtlpGrpcConfig, "http": OtlpHttpConfig}[protocol](endpoint=endpoint)

        with pytest.raises(SetupError, match=f"cannot listen on {endpoint}: "):
            run(a_receiver(**{protocol: config}).start())


def test_both_families_of_localhost_share_a_port() -> None:
    """
    `localhost` listens on each of its addresses, all on the one port that is told.
    """

    async def scenario() -> None:
        receiver = a_receiver(http=OtlpHttpConfig(endpoint="localhost:0"))
        await receiver.start()
        for address in socket.getaddrinfo("localhost", receiver.http_port, type=socket.SOCK_STREAM):
            socket.create_connection(address[4][:2], timeout=5).close()
        await receiver.close()

    run(scenario())
