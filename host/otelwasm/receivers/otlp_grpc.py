"""
Take batches over OTLP/gRPC; a request's bytes go on as they came.
"""

import attrs

from otelwasm.errors import BatchError
from otelwasm.otlp.answers import refusal
from otelwasm.otlp.checking import PayloadCheck
from otelwasm.otlp.endpoints import Address
from otelwasm.otlp.grpc.server import GrpcServer
from otelwasm.otlp.grpc.serving import Handler
from otelwasm.otlp.grpc.status import Code, RpcError
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ServerTls
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import ConsumerFor
from otelwasm.receivers.listening import GRACE_S, bind
from otelwasm.signals import Signal

__all__ = ["OtlpGrpcConfig", "OtlpGrpcReceiver"]


def _is_address(_: object, __: object, endpoint: str) -> None:
    try:
        Address.parse(endpoint)
    except ValueError as error:
        raise ValueError(f"endpoint: {error}") from error


# HTTP/2 counts what may be on its way in 31 bits, and we allow two of the largest requests.
_LARGEST_MIB = 1000


def _is_size(_: object, __: object, size_mib: int) -> None:
    if not 1 <= size_mib <= _LARGEST_MIB:
        raise ValueError(f"max_recv_msg_size_mib: expected 1 to {_LARGEST_MIB}, not {size_mib}")


@attrs.frozen
class OtlpGrpcConfig:
    """
    Where to listen for gRPC; a request may have *max_recv_msg_size_mib*, unpacked.
    """

    endpoint: str = attrs.field(default="localhost:4317", validator=_is_address)
    """The address to listen at."""
    max_recv_msg_size_mib: int = attrs.field(default=4, validator=_is_size)
    """MiB that a request may have, unpacked."""
    tls: ServerTls | None = None
    """Listen with TLS."""


class OtlpGrpcReceiver:
    """
    A gRPC server for the signals that a pipeline takes.
    """

    def __init__(
        self,
        config: OtlpGrpcConfig,
        consumer_for: ConsumerFor,
        *,
        name: str = "otlp",
    ) -> None:
        self.port = 0
        self._config = config
        self._consumer_for = consumer_for
        self._name = name
        self._check = PayloadCheck()
        self._server: GrpcServer | None = None

    async def start(self) -> None:
        """
        Listen; raises SetupError if the endpoint cannot be had.
        """
        config = self._config
        tls = None if config.tls is None else config.tls.ssl_context()
        server = GrpcServer(
            {SERVICES[signal].method: self._handler(signal) for signal in Signal},
            bind(Address.parse(config.endpoint), owner=f"receiver {self._name!r}"),
            max_message_bytes=config.max_recv_msg_size_mib << 20,
            tls=tls,
        )
        self.port = server.port
        server.start()
        self._server = server
        self._check.load_soon()

    async def close(self, grace_s: float = GRACE_S) -> None:
        """
        Accept no more, finish the requests in flight for *grace_s*, close; twice is safe.
        """
        server, self._server = self._server, None
        if server is not None:
            await server.close(grace_s)

    def _handler(self, signal: Signal) -> Handler:
        consumer = self._consumer_for(signal)

        async def export(payload: bytes) -> bytes:
            if consumer is None:
                raise RpcError(Code.UNIMPLEMENTED, f"no pipeline here takes {signal.label}")
            try:
                items = self._check(signal, payload)
                await consumer.consume(Batch(signal, payload, items))
            except BatchError as error:
                status = refusal(error).status
                raise RpcError(
                    Code(status.code), status.message, details=status.to_protobuf()
                ) from error
            return b""

        return export
