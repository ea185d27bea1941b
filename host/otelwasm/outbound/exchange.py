"""
Send one HTTP/1.1 request on a connection and read its response, within a limit of bytes.
"""

import attrs
import httptools

from otelwasm.config.values import ByteSize
from otelwasm.outbound.failures import FailedError
from otelwasm.outbound.pool import Connection, Until
from otelwasm.outbound.urls import Url

__all__ = ["Request", "Response", "exchange"]

Headers = tuple[tuple[str, str], ...]

_MOST_HEADER_BYTES = 64 << 10
_LONG_HEADERS = f"the headers exceed {ByteSize(_MOST_HEADER_BYTES)}"
# Below that, head and body go out together.
_TOGETHER_BYTES = 64 << 10


@attrs.frozen
class Request:
    """
    What to ask; *headers* are complete but for the host and the length.
    """

    method: str
    url: Url
    headers: Headers
    body: bytes

    def head(self) -> bytes:
        """
        The bytes before the body.
        """
        lines = [f"{self.method} {self.url.target} HTTP/1.1", f"host: {self.url.authority}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@attrs.frozen
class Response:
    """
    What came back; the names of *headers* are in lower case.
    """

    status: int
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """
        The first value of a header.
        """
        return next((value for key, value in self.headers if key == name), None)


def exchange(
    connection: Connection, request: Request, *, limit_bytes: int, until: Until
) -> tuple[Response, bool]:
    """
    Return the response, and whether the connection can be used again.

    Raises FailedError or TimeoutError; ConnectionError when not a byte came back.
    """
    reading = _Reading(request, limit_bytes)
    is_sent = True
    try:
        _send(connection, request, until)
    except TimeoutError:
        raise
    except OSError:
        # The server may have answered before it read everything, and hung up.
        is_sent = False
    received_bytes = 0
    while not reading.is_done:
        data = _receive(connection, until, is_first=not received_bytes, request=request)
        if not data:
            if not received_bytes:
                raise ConnectionResetError
            reading.end()
            return reading.response(), False
        received_bytes += len(data)
        reading.feed(data)
    return reading.response(), is_sent and reading.can_continue


def _send(connection: Connection, request: Request, until: Until) -> None:
    head = request.head()
    if len(request.body) <= _TOGETHER_BYTES:
        connection.send(head + request.body, until)
    else:
        connection.send(head, until)
        connection.send(request.body, until)


def _receive(connection: Connection, until: Until, *, is_first: bool, request: Request) -> bytes:
    try:
        return connection.receive(until)
    except TimeoutError:
        raise
    except OSError as error:
        if is_first:
            raise ConnectionResetError from error
        raise FailedError(f"{request.url.place}: {error.strerror or error}") from error


class _Reading:
    """
    What the parser has found so far; httptools calls the methods that begin with `on_`.
    """

    def __init__(self, request: Request, limit_bytes: int) -> None:
        self.is_done = False
        self.can_continue = False
        self._request = request
        self._limit_bytes = limit_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._headers_bytes = 0  # what came since the last piece of a body
        self._header_bytes = 0
        self._is_in_body = False
        self._problem: str | None = None

    def feed(self, data: bytes) -> None:
        """
        Read on; raises FailedError.
        """
        self._headers_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._problem = "it changed the protocol, which nobody asked for"
        except httptools.HttpParserError as error:
            if not self.is_done:
                self._problem = self._problem or f"malformed response: {error}"
            self.can_continue = False
        if not self.is_done and self._headers_bytes > _MOST_HEADER_BYTES:
            self._problem = self._problem or _LONG_HEADERS
        if self._problem is not None:
            raise FailedError(f"{self._request.url.place}: {self._problem}")

    def end(self) -> None:
        """
        The other side has closed the connection; that ends a body without a length.
        """
        names = {name for name, _ in self._headers}
        if not self._is_in_body or names & {"content-length", "transfer-encoding"}:
            raise FailedError(f"{self._request.url.place}: the connection ended in the response")

    def response(self) -> Response:
        """
        The whole response.
        """
        return Response(self._status, tuple(self._headers), b"".join(self._pieces))

    def on_message_begin(self) -> None:
        """
        A response; nobody asked for a second one.
        """
        if self.is_done:
            self.can_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """
        One header, or a trailer, which is left out.
        """
        if self._is_in_body:
            return
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > _MOST_HEADER_BYTES:
            self._problem = _LONG_HEADERS
        else:
            self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """
        The body follows, if there is one.
        """
        if self.is_done:
            return
        self._status = self._parser.get_status_code()
        if self._status < 200:
            return
        self._is_in_body = True
        length = next((value for name, value in self._headers if name == "content-length"), "")
        if self._request.method == "HEAD":
            self._finish()
        elif length.isdecimal():
            self._check_size(int(length))

    def on_body(self, piece: bytes) -> None:
        """
        A part of the body.
        """
        if self.is_done:
            # A body after the answer to HEAD: it belongs to nothing.
            self.can_continue = False
            return
        self._headers_bytes = 0
        self._size += len(piece)
        self._check_size(self._size)
        if self._problem is None:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """
        The end; what said only `continue` is followed by another.
        """
        if self._status < 200:
            self._headers.clear()
        elif not self.is_done:
            self._finish()

    def _finish(self) -> None:
        self.is_done = True
        self.can_continue = self._parser.should_keep_alive()

    def _check_size(self, size: int) -> None:
        if size > self._limit_bytes:
            self._problem = (
                f"the response has {ByteSize(size)} or more, max_response_size is "
                f"{ByteSize(self._limit_bytes)}"
            )
