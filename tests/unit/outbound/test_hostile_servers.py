"""
A server that breaks the protocol costs its own request, and nothing else.
"""

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from otelwasm.config.values import Duration
from otelwasm.outbound.client import Client
from otelwasm.outbound.config import AllowConfig, HttpConfig, Method
from otelwasm.outbound.exchange import Response
from otelwasm.outbound.failures import FailedError
from unit.outbound.serving import raw_server

Talk = Callable[[socket.socket], None]
ALL: tuple[Method, ...] = ("GET", "HEAD", "POST")
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def saying(*answers: bytes) -> Talk:
    """
    Answer each request on the connection with some bytes, then hang up.
    """

    def talk(connection: socket.socket) -> None:
        for answer in answers:
            if not connection.recv(65536):
                return
            connection.sendall(answer)

    return talk


def ask(port: int, method: str = "GET", *, times: int = 1, timeout_s: float = 5) -> list[Response]:
    """
    Send a request, several times, by one client.
    """
    url = f"http://127.0.0.1:{port}"
    config = HttpConfig((AllowConfig(url, methods=ALL),), timeout=Duration(timeout_s))
    client = Client(config, plugin="x")
    try:
        return [
            client.send(method, url, headers=(), body=b"", timeout_s=None) for _ in range(times)
        ]
    finally:
        client.close()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end", b"until the end"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2\r\nok\r\n0\r\nx-trailer: y\r\n\r\n",
            b"ok",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_all_forms_of_a_response(answer: bytes, body: bytes) -> None:
    """
    By length, in chunks, until the end of the connection, after interim responses.
    """
    with raw_server(saying(answer)) as port:
        [response] = ask(port)

    assert body == response.body
    assert "link" not in dict(response.headers)
    assert "x-trailer" not in dict(response.headers)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * (70 << 10) + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_broken_responses_are_failures(answer: bytes) -> None:
    """
    Each is told as one, and names the place.
    """
    with raw_server(saying(answer)) as port, pytest.raises(FailedError, match=f"127.0.0.1:{port}"):
        ask(port)


@pytest.mark.parametrize("body", [b"", b"2\r\nok\r\n"])
def test_trailers_have_a_limit(body: bytes) -> None:
    """
    A trailer without an end is not taken in for as long as the request may take.
    """

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(CHUNKED + body + b"0\r\nx: ")
        with contextlib.suppress(ConnectionError):
            while True:
                connection.sendall(b"x" * 1024)

    with raw_server(talk) as port, pytest.raises(FailedError, match="headers exceed 64 KiB"):
        ask(port)


def test_a_second_response_is_not_the_next_requests() -> None:
    """
    Bytes beyond a response end the connection: the next request gets its own answer.
    """
    stray = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstray"
    with raw_server(saying(OK + stray, OK), saying(OK)) as port:
        first, second = ask(port, times=2)

    assert (b"ok", b"ok") == (first.body, second.body)


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    """
    The next request goes out on a new one.
    """
    with raw_server(saying(OK), saying(OK)) as port:
        responses = ask(port, times=2)

    assert [b"ok", b"ok"] == [response.body for response in responses]


def test_drops_do_not_stretch_the_time() -> None:
    """
    A byte now and then does not keep a request alive.
    """
    enough = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not enough.wait(0.01):
            connection.sendall(b"x: y\r\n")

    with raw_server(drip) as port:
        with pytest.raises(TimeoutError):
            ask(port, timeout_s=0.2)
        enough.set()
