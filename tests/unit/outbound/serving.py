"""
Real HTTP servers on threads: one that answers as it is told, one that sends any bytes.
"""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import attrs

__all__ = ["Asked", "Reply", "Server", "raw_server", "server"]


@attrs.frozen
class Asked:
    """
    One request, as it arrived; *peer* tells connections apart.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]


@attrs.frozen
class Reply:
    """
    What to answer.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@attrs.frozen
class Server:
    """
    A running server and what it was asked.
    """

    port: int
    asked: list[Asked]
    scheme: str = "http"

    @property
    def url(self) -> str:
        """
        Where it is.
        """
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextlib.contextmanager
def server(
    answer: Callable[[Asked], Reply] = lambda _: Reply(), *, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """
    Serve HTTP/1.1 with connections that stay open.
    """
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Asked(self.command, self.path, headers, body, self.client_address)
            asked.append(request)
            reply = answer(request)
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.status not in (204, 304):
                self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        running.block_on_close = False
        if tls is not None:
            running.socket = tls.wrap_socket(running.socket, server_side=True)
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield Server(running.server_port, asked, "http" if tls is None else "https")
        finally:
            running.shutdown()
            thread.join(5)


@contextlib.contextmanager
def raw_server(*connections: Callable[[socket.socket], None]) -> Iterator[int]:
    """
    Accept one connection after the other and do with each what is said; yields the port.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        for talk in connections:
            with contextlib.suppress(OSError):
                accepted, _ = listening.accept()
                with accepted:
                    talk(accepted)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        # Wakes an accept that nobody connects to.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)
