"""
Take batches over OTLP/gRPC; a request's bytes go on as they came.
"""

from collections.abc import Callable
from typing import TypeAlias

import attrs
import grpc

from otelwasm.errors import BatchError, SetupError
from otelwasm.otlp.answers import refusal
from otelwasm.otlp.checking import PayloadCheck
from otelwasm.otlp.endpoints import Address
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.tls import ServerTls
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.step import Consumer
from otelwasm.receivers.listening import GRACE_S, bind
from otelwasm.signals import Signal

__all__ = ["OtlpGrpcConfig", "OtlpGrpcReceiver"]

# Generic for type checkers only.
_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"

_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
_STATUS_DETAILS = "grpc-status-details-bin"


def _is_address(_: object, __: object, endpoint: str) -> None:
    try:
        Address.parse(endpoint)
    except ValueError as error:
        raise ValueError(f"endpoint: {error}") from error


def _at_least_one(_: object, __: object, size_mib: int) -> None:
    if size_mib < 1:
        raise ValueError(f"max_recv_msg_size_mib: expected at least 1, not {size_mib}")


@attrs.frozen
class OtlpGrpcConfig:
    """
    Where to listen for gRPC; a request may have *max_recv_msg_size_mib*, unpacked.
    """

    endpoint: str = attrs.field(default="localhost:4317", validator=_is_address)
    max_recv_msg_size_mib: int = attrs.field(default=4, validator=_at_least_one)
    tls: ServerTls | None = None


class OtlpGrpcReceiver:
    """
    A gRPC server for the signals that a pipeline takes.
    """

    def __init__(
        self,
        config: OtlpGrpcConfig,
        consumer_for: Callable[[Signal], Consumer | None],
        *,
        name: str = "otlp",
    ) -> None:
        self.port = 0
        self._config = config
        self._consumer_for = consumer_for
        self._name = name
        self._check = PayloadCheck()
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """
        Listen; raises SetupError if the endpoint cannot be had.
        """
        address = Address.parse(self._config.endpoint)
        credentials = None if self._config.tls is None else self._config.tls.grpc_credentials()
        if address.port:
            # Found out here, the reason is a sentence; gRPC logs it in its own words.
            for sock in bind(address, receiver=self._name):
                sock.close()
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self._config.max_recv_msg_size_mib << 20),
                ("grpc.so_reuseport", 0),
            ]
        )
        handlers = {SERVICES[signal].method: self._handler(signal) for signal in Signal}
        server.add_generic_rpc_handlers((_ByMethod(handlers),))
        try:
            target = str(address) if address.host else f"[::]:{address.port}"
            if credentials is None:
                self.port = server.add_insecure_port(target)
            else:
                self.port = server.add_secure_port(target, credentials)
        except RuntimeError as error:
            raise SetupError(
                f"receiver {self._name!r} cannot listen on {address}: {error}"
            ) from error
        await server.start()
        self._server = server
        self._check.load_soon()

    async def close(self) -> None:
        """
        Accept no more, finish the requests in flight, close; twice is safe.
        """
        server, self._server = self._server, None
        if server is not None:
            await server.stop(GRACE_S)

    def _handler(self, signal: Signal) -> _Handler:
        consumer = self._consumer_for(signal)

        async def export(payload: bytes, context: _Context) -> bytes:
            if consumer is None:
                await context.abort(
                    grpc.StatusCode.UNIMPLEMENTED, f"no pipeline here takes {signal.label}"
                )
            try:
                self._check(signal, payload)
                await consumer.consume(Batch(signal, payload))
            except BatchError as error:
                status = refusal(error).status
                await context.abort(
                    _STATUS_CODES[status.code],
                    status.message,
                    trailing_metadata=((_STATUS_DETAILS, status.to_protobuf()),),
                )
            return b""

        return grpc.unary_unary_rpc_method_handler(export)


@attrs.frozen
class _ByMethod(grpc.GenericRpcHandler):
    """
    Finds the handler of a method; gRPC answers UNIMPLEMENTED where there is none.
    """

    handlers: dict[str, _Handler]

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "_Handler | None":
        """
        Return the handler of the called method.
        """
        return self.handlers.get(handler_call_details.method)
