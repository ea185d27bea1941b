"""
The HTTP client keeps its connections, finds out when they are gone, and trusts no answer.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import uvloop

from otelwasm.http.client import Destination, HttpClient
from otelwasm.http.line import Reply
from unit.http.talking import Seen, serving
from unit.otlp.peers import run

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n"
HTTP2 = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d"
TWO_LENGTHS = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
SWITCH = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Script:
    """
    A server that answers what it is told: for each connection, a list of answers to its requests.

    None as an answer closes the connection without one.
    """

    def __init__(self, *connections: list[bytes | None]) -> None:
        self.connections = list(connections)
        self.requests: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Serve one connection, whose requests end with `!`.
        """
        try:
            for answer in self.connections.pop(0):
                self.requests.append(await reader.readuntil(b"!"))
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Destination]:
        """
        Listen on a port of its own.
        """
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield Destination.of(f"http://127.0.0.1:{self.port}/p?q", {"X-A": "b"})
        finally:
            server.close()


def asked(script: Script, count: int = 1, body: bytes = b"!") -> list[Reply]:
    """
    Ask *count* times, one after the other.
    """

    async def scenario() -> list[Reply]:
        async with script.running() as destination:
            client = HttpClient()
            try:
                return [await client.send(destination, body) for _ in range(count)]
            finally:
                await client.close()
                await client.close()

    return run(scenario())


def test_request_says_what_it_must() -> None:
    """
    Method, target, host, headers and length go out in front of the body.
    """
    script = Script([OK])

    (reply,) = asked(script, body=b"body!")

    expected = f"POST /p?q HTTP/1.1\r\nhost: 127.0.0.1:{script.port}\r\nx-a: b\r\n"
    assert [f"{expected}content-length: 5\r\n\r\nbody!".encode()] == script.requests
    assert (200, b"ok", "2") == (reply.status, reply.body, reply.header(b"content-length"))


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED, b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK, b"ok"),
    ],
)
def test_answers_come_in_many_forms(answer: bytes, body: bytes) -> None:
    """
    Chunked, empty and announced answers are read, and the connection is kept.
    """
    script = Script([answer, OK])

    first, second = asked(script, 2)

    assert (body, b"ok") == (first.body, second.body)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"),
    ],
)
def test_answer_may_end_with_the_connection(answer: bytes) -> None:
    """
    An answer without a length ends with its connection; the next request takes another.
    """
    script = Script([answer], [answer])

    first, second = asked(script, 2)

    assert (b"ok", b"ok") == (first.body, second.body)


def test_request_is_sent_again_if_the_connection_was_gone() -> None:
    """
    A kept connection that the server closes without a word costs a second connection, no error.
    """
    script = Script([OK, None], [OK])

    replies = asked(script, 2)

    assert [b"ok", b"ok"] == [reply.body for reply in replies]
    assert 3 == len(script.requests)


@pytest.mark.parametrize(
    ("connections", "reason"),
    [
        ([[None], [OK]], "the server closed the connection"),
        ([[OK, b"HTTP/1.1 200"], [OK]], "the server closed the connection"),
        ([[OK, OK[:-1]], [OK]], "the server closed the connection"),
        ([[b"SSH-2.0-OpenSSH_9.6\r\n"]], "the server's answer is no HTTP/1.1"),
        ([[HTTP2]], r"it speaks HTTP/2, as OTLP/gRPC does, which has a port of its own \(4317\)"),
        ([[TWO_LENGTHS]], "the server's answer is no HTTP/1.1"),
        ([[SWITCH]], "the server switched to another protocol"),
        ([[b"HTTP/1.1 200 OK\r\nX: " + b"x" * (65 << 10)]], "headers .* have no end"),
        ([[CHUNKED[:-2] + b"X: " + b"x" * (600 << 10)]], "headers .* have no end"),
    ],
)
def test_lost_and_broken_answers_are_errors(connections: Any, reason: str) -> None:
    """
    A request is not sent again on a fresh connection, nor once a part of its answer came.
    """
    script = Script(*connections)

    with pytest.raises(OSError, match=reason):
        asked(script, 2)

    assert len(connections[0]) == len(script.requests)


def test_answers_that_nobody_asked_for_end_the_connection() -> None:
    """
    More than the answer is not taken for the answer to the next request.
    """
    script = Script([OK + OK.replace(b"ok", b"no")], [OK])

    assert [b"ok", b"ok"] == [reply.body for reply in asked(script, 2)]


def test_uvloop_will_do() -> None:
    """
    Client and server do the same in the event loop that `otelwasm run` has.
    """

    async def scenario() -> list[Reply]:
        async with serving(Seen()) as server:
            client = HttpClient()
            destination = Destination.of(f"http://localhost:{server.port}/")
            replies = [await client.send(destination, bytes(size)) for size in (1, 1 << 20, 0)]
            await client.close()
            return replies

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        replies = runner.run(asyncio.wait_for(scenario(), 30))

    assert [b"1", b"2", b"3"] == [reply.body for reply in replies]


def test_nobody_is_listening() -> None:
    """
    A refused connection is an OSError.
    """

    async def scenario() -> None:
        async with Script().running() as destination:
            pass
        with pytest.raises(OSError):
            await HttpClient().send(destination, b"")

    run(scenario())


def test_connections_are_bounded_and_shared() -> None:
    """
    However many ask at once, only so many connections are opened.
    """
    script = Script(*[[OK] * 300] * 300)

    async def scenario() -> int:
        async with script.running() as destination:
            client = HttpClient()
            await asyncio.gather(*(client.send(destination, b"!") for _ in range(300)))
            await client.close()
        return 300 - len(script.connections)

    assert 100 >= run(scenario())
    assert 300 == len(script.requests)


def test_closing_ends_what_is_in_flight() -> None:
    """
    Who waits for an answer when the client closes gets an error, and no new connection.
    """
    arrived = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"!")
        arrived.set()
        await reader.read()
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = HttpClient()
        asking = asyncio.create_task(client.send(Destination.of(f"http://127.0.0.1:{port}"), b"!"))
        await arrived.wait()
        await client.close()
        with pytest.raises(OSError):
            await asking
        with pytest.raises(OSError, match="the client is closed"):
            await client.send(Destination.of(f"http://127.0.0.1:{port}"), b"!")
        server.close()

    run(scenario())


@pytest.mark.parametrize(
    ("url", "host", "start"),
    [
        ("http://a", "a", "POST / HTTP/1.1\r\nhost: a\r\n"),
        ("http://[::1]:80/x y?z=%20", "::1", "POST /x%20y?z=%20 HTTP/1.1\r\nhost: [::1]\r\n"),
        (
            "https://b\u00fccher.example:4/",
            "xn--bcher-kva.example",
            "host: xn--bcher-kva.example:4",
        ),
        ("http://ada:p%40ss@a/", "a", "authorization: Basic YWRhOnBAc3M=\r\n"),
    ],
)
def test_urls_are_read_as_they_are_meant(url: str, host: str, start: str) -> None:
    """
    Host, target and login come out of the URL.
    """
    destination = Destination.of(url)

    assert host == destination.origin.host
    assert start in destination.start.decode()


def test_what_messages_show_of_a_url_is_no_secret() -> None:
    """
    Login and query stay out of what an error says.
    """
    assert "http://a:4318/v1" == Destination.of("http://ada:p%40ss@a:4318/v1?key=k#f").url


def test_an_address_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The next address of a name is tried as well before the first one has timed out.
    """

    def found(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*stream, (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    async def scenario() -> Reply:
        script = Script([OK])
        async with script.running(), AsyncExitStack() as stack:
            silent = stack.enter_context(socket.socket())
            silent.bind(("127.0.0.2", script.port))
            silent.listen(0)
            for _ in range(3):  # nobody accepts them; then the system lets nobody in
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.2", script.port))
            monkeypatch.setattr(socket, "getaddrinfo", found)
            client = HttpClient()
            stack.push_async_callback(client.close)
            return await client.send(Destination.of(f"http://two.test:{script.port}"), b"!")

    assert 200 == run(scenario()).status


@pytest.mark.parametrize("headers", [{"a b": "c"}, {"a": "b\r\nc: d"}, {"a\n": "b"}])
def test_headers_that_would_be_more_are_refused(headers: dict[str, str]) -> None:
    """
    A header cannot bring a second one along.
    """
    with pytest.raises(ValueError, match="header"):
        Destination.of("http://a", headers)
