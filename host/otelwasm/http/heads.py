"""
Read the heads of requests: strictly, so that nobody sees other requests in the bytes than we do.

httptools (llhttp, Node's parser) judges the bytes; what it leaves to its user is judged here. Each
connection has one reader, as most senders repeat themselves: a head that differs from the one
before in its content-length only need not be parsed again.
"""

import attrs
import httptools

from otelwasm.http.messages import Head

__all__ = ["HeadReader", "UnfitRequestError"]

_LINE_END = b"\r\n"
_HEAD_END = b"\r\n\r\n"
_LENGTH_LINE = b"\r\ncontent-length:"
_MOST_DIGITS = 15
# A longer head is not kept for the next one: idle connections must not cost much.
_REMEMBERED_BYTES = 2 << 10


class UnfitRequestError(Exception):
    """
    Bytes that are no request, or one that is not taken; *status* and text are the answer.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@attrs.frozen
class _Seen:
    """
    The bytes of a head on both sides of its content-length.
    """

    before: bytes
    after: bytes
    head: Head

    def find(self, data: bytes) -> tuple[Head, int] | None:
        """
        Return the head that *data* begins with, if it is this one but for its content-length.
        """
        if not data.startswith(self.before):
            return None
        begin = len(self.before)
        end = data.find(_LINE_END, begin, begin + _MOST_DIGITS + 1)
        digits = data[begin:end]
        if end < 0 or not digits.isdigit() or not data.startswith(self.after, end):
            return None
        length = int(digits)
        head = self.head
        if length != head.length:
            headers = {**head.headers, "content-length": digits.decode()}
            head = attrs.evolve(head, headers=headers, length=length)
        return head, end + len(self.after)


class HeadReader:
    """
    Reads one head after the other from what came on a connection.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._seen: _Seen | None = None

    def read(self, data: bytes) -> tuple[Head, int] | None:
        """
        Return the head that *data* begins with and where it ends; None if it is not whole yet.

        Raises UnfitRequestError.
        """
        if self._seen is not None:
            found = self._seen.find(data)
            if found is not None:
                return found
        begin = 0
        while data.startswith(_LINE_END, begin):  # as RFC 9112 asks, for old senders' sake
            begin += len(_LINE_END)
        end = data.find(_HEAD_END, begin) + len(_HEAD_END)
        size = end if end >= len(_HEAD_END) else len(data)
        if size > self._limit_bytes:
            raise UnfitRequestError(431, f"a head of more than {self._limit_bytes} bytes")
        if end < len(_HEAD_END):
            return None
        raw = data[begin:end]
        head = _Parsed(raw).head()
        self._remember(raw, head)
        return head, end

    def _remember(self, raw: bytes, head: Head) -> None:
        self._seen = None
        digits = head.headers.get("content-length", "")
        at = raw.lower().find(_LENGTH_LINE)
        if not digits or at < 0 or len(raw) > _REMEMBERED_BYTES:
            return
        begin = raw.index(digits.encode(), at + len(_LENGTH_LINE))
        self._seen = _Seen(raw[:begin], raw[begin + len(digits) :], head)


class _Parsed:
    """
    One head as httptools sees it.
    """

    def __init__(self, raw: bytes) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._ends = 0
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            pass  # an offer (Java's HttpClient offers h2c) that is not taken up
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, UnfitRequestError):
                raise cause from None
            raise UnfitRequestError(400, f"this is no HTTP/1.1 request: {error}") from error
        if self._ends != 1:
            raise UnfitRequestError(400, "this is no HTTP/1.1 request")
        self._method = parser.get_method().decode()
        self._version = parser.get_http_version()

    def on_url(self, target: bytes) -> None:
        """
        Keep the target.
        """
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """
        Keep a header.
        """
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1").strip(" \t")
        if key not in self._headers:
            self._headers[key] = text
        elif key in ("content-length", "host", "transfer-encoding"):
            raise UnfitRequestError(400, f"more than one header {key}")
        else:
            self._headers[key] += f", {text}"

    def on_headers_complete(self) -> None:
        """
        Count the heads.
        """
        self._ends += 1

    def on_body(self, data: bytes) -> None:
        """
        Refuse: where we see a head, httptools sees one with a body.
        """
        raise UnfitRequestError(400, "this is no HTTP/1.1 request")

    def head(self) -> Head:
        """
        Return the head, if it is one to go on with.
        """
        headers = self._headers
        if self._version not in ("1.0", "1.1"):
            raise UnfitRequestError(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        is_http_1_0 = self._version == "1.0"
        if self._method == "CONNECT":
            raise UnfitRequestError(501, "this is no proxy")
        if "host" not in headers and not is_http_1_0:
            raise UnfitRequestError(400, "the header host is missing")
        target = self._target.decode("latin-1")
        wishes = headers.get("connection", "").lower().replace(" ", "").split(",")
        return Head(
            self._method,
            target,
            path=_path(target),
            headers=headers,
            length=self._length(is_http_1_0),
            keeps_alive="keep-alive" in wishes if is_http_1_0 else "close" not in wishes,
            is_http_1_0=is_http_1_0,
        )

    def _length(self, is_http_1_0: bool) -> int | None:
        coding = self._headers.get("transfer-encoding")
        declared = self._headers.get("content-length")
        if coding is None:
            if declared is None:
                return 0
            if not declared.isdecimal() or len(declared) > _MOST_DIGITS:
                raise UnfitRequestError(400, f"a content-length of {declared[:99]!r}")
            return int(declared)
        if declared is not None or is_http_1_0:
            raise UnfitRequestError(400, "a transfer-encoding with content-length or HTTP/1.0")
        if coding.lower() != "chunked":
            raise UnfitRequestError(501, f"the transfer-encoding {coding[:99]!r} is not known")
        return None


def _path(target: str) -> str:
    """
    Find the path in `/path?query`, or in `http://host/path?query`, which proxies send.
    """
    path = target.partition("?")[0]
    if path.startswith("/"):
        return path
    _, has_scheme, rest = path.partition("://")
    if not has_scheme:
        return path
    return "/" + rest.partition("/")[2]
