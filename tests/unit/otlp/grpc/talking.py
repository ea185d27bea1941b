"""
Speak HTTP/2 to a gRPC server or client by hand, as far as a test wants, and wrongly if it wants.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import ngh2

from otelwasm.otlp.endpoints import GrpcTarget
from otelwasm.otlp.grpc.channel import GrpcChannel
from otelwasm.otlp.grpc.messages import prefix
from otelwasm.otlp.grpc.server import GrpcServer
from otelwasm.otlp.grpc.serving import Handler

__all__ = [
    "HEAD",
    "METHOD",
    "OK",
    "Slow",
    "Talk",
    "a_channel",
    "a_server",
    "answer_all",
    "connected",
    "echo",
    "echoed",
    "head",
    "reply",
    "speaking",
]

METHOD = "/test.Service/Call"
OK = ((b"grpc-status", b"0"),)
HEAD = ((b":status", b"200"), (b"content-type", b"application/grpc"))
Event = TypeVar("Event", bound=ngh2.Event)


def head(path: str = METHOD, **fields: str | None) -> list[ngh2.Header]:
    """
    Return the head of a call; a field that is None is left out.
    """
    usual: dict[str, str | None] = {"content-type": "application/grpc", "te": "trailers"}
    usual |= {name.replace("_", "-"): value for name, value in fields.items()}
    return [
        (b":method", (usual.pop("method", None) or "POST").encode()),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", b"test"),
        *((name.encode(), value.encode()) for name, value in usual.items() if value is not None),
    ]


class Talk:
    """
    One end of an HTTP/2 connection.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        role: ngh2.Role,
        settings: Mapping[int, int],
    ) -> None:
        self.http2 = ngh2.Connection(role)
        self.events: list[ngh2.Event] = []
        self._reader = reader
        self._writer = writer
        self.http2.initiate_connection(settings)
        self.http2.set_local_window_size(8 << 20)
        self.flush()

    def flush(self) -> None:
        """
        Write what there is to say.
        """
        self.write(self.http2.data_to_send())

    def write(self, data: bytes) -> None:
        """
        Write any bytes.
        """
        self._writer.write(data)

    def call(
        self, message: bytes | None = b"", *, frame: bytes | None = None, **fields: Any
    ) -> int:
        """
        Begin a call, with one message, with the bytes of *frame*, or (None) without an end.
        """
        stream_id = self.http2.send_request(head(**fields))
        if frame is None and message is not None:
            frame = prefix(len(message)) + message
        if frame is not None:
            self.http2.send_data(stream_id, frame, end_stream=True)
        self.flush()
        return stream_id

    async def event(
        self, kind: type[Event], *, where: Callable[[Any], bool] = lambda event: True
    ) -> Event:
        """
        Return the next event of that kind; the others stay for who asks for them.
        """
        while True:
            for event in self.events:
                if isinstance(event, kind) and where(event):
                    self.events.remove(event)
                    return event
            if not await self.read():
                raise ConnectionError(f"closed before any {kind.__name__}")

    async def read(self) -> bool:
        """
        Read once; False at the end.
        """
        try:
            data = await self._reader.read(1 << 16)
        except ConnectionError:
            return False
        if data:
            with contextlib.suppress(ngh2.ConnectionStateError):  # there was a goodbye
                self.http2.receive_data(data)
            self.events += self.http2.events()
            self.flush()
        return bool(data)

    async def answer(self, stream_id: int) -> dict[bytes, bytes]:
        """
        Return all fields of an answer, its end's too; its message is under `message`.
        """
        fields: dict[bytes, bytes] = {}
        message = b""
        is_ended = False
        while not is_ended:
            event: Any = await self.event(
                ngh2.Event, where=lambda event: getattr(event, "stream_id", 0) == stream_id
            )
            is_ended = getattr(event, "end_stream", False)
            if isinstance(event, ngh2.ResponseReceived):
                fields |= dict(event.headers)
            elif isinstance(event, ngh2.TrailersReceived):
                fields |= dict(event.headers)
                is_ended = True
            elif isinstance(event, ngh2.DataReceived):
                message += event.data
            elif isinstance(event, ngh2.StreamClosed):
                is_ended = True
        if self.http2.queued_body_size(stream_id):  # answered before it was sent to its end
            self.http2.reset_stream(stream_id)
            self.flush()
        return fields | ({b"message": message} if message else {})

    async def end(self) -> None:
        """
        Return once the other side has closed.
        """
        while await self.read():
            pass

    def close(self) -> None:
        """
        Close without a word.
        """
        self._writer.close()


@asynccontextmanager
async def connected(port: int, settings: Mapping[int, int] | None = None) -> AsyncIterator[Talk]:
    """
    Be a client.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    talk = Talk(reader, writer, ngh2.Role.CLIENT, settings or {})
    try:
        yield talk
    finally:
        talk.close()


@asynccontextmanager
async def speaking(
    serve: Callable[[Talk], Any], settings: Mapping[int, int] | None = None
) -> AsyncIterator[int]:
    """
    Be a server that treats each connection as *serve* says; give its port.
    """

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Talk(reader, writer, ngh2.Role.SERVER, settings or {})
        try:
            await serve(talk)
        except ConnectionError:
            pass
        finally:
            talk.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _listening() -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


async def echo(message: bytes) -> bytes:
    """
    Answer with what came.
    """
    return message


@asynccontextmanager
async def a_server(
    handler: Handler = echo,
    *,
    max_message_bytes: int = 1 << 20,
    read_timeout_s: float = 60,
    grace_s: float = 10,
) -> AsyncIterator[GrpcServer]:
    """
    Run our server with one method.
    """
    server = GrpcServer(
        {METHOD: handler},
        [_listening()],
        max_message_bytes=max_message_bytes,
        read_timeout_s=read_timeout_s,
    )
    server.start()
    try:
        yield server
    finally:
        await server.close(grace_s)


async def echoed(client: Talk) -> bytes:
    """
    Make a good call on the same connection.
    """
    return (await client.answer(client.call(b"hello")))[b"message"][5:]


class Slow:
    """
    A handler that waits to be let go, and notes if it is cancelled.
    """

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.was_cancelled = asyncio.Event()

    async def __call__(self, message: bytes) -> bytes:
        """
        Wait, then echo.
        """
        self.began.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.was_cancelled.set()
            raise
        return message


def a_channel(port: int, host: str = "127.0.0.1", **settings: Any) -> GrpcChannel:
    """
    Return a channel in plain text.
    """
    return GrpcChannel(GrpcTarget.parse(f"{host}:{port}"), **settings)


async def answer_all(talk: Talk, message: bytes = b"") -> None:
    """
    Answer every request, as long as there are some.
    """
    while True:
        request = await talk.event(ngh2.RequestReceived)
        reply(talk, request.stream_id, message)


def reply(talk: Talk, stream_id: int, message: bytes = b"") -> None:
    """
    Answer one request with OK.
    """
    talk.http2.send_response(stream_id, HEAD)
    talk.http2.send_data(stream_id, prefix(len(message)) + message)
    talk.http2.send_trailers(stream_id, OK)
    talk.flush()
