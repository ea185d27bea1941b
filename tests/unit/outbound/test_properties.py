"""
What holds for every URL and every response, found by trying many odd ones.
"""

import posixpath
from urllib.parse import unquote, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from otelwasm.outbound.allowlist import Allowlist
from otelwasm.outbound.config import AllowConfig
from otelwasm.outbound.exchange import Request, Response, exchange
from otelwasm.outbound.failures import FailedError, RefusedError
from otelwasm.outbound.pool import Connection, Until
from otelwasm.outbound.urls import Url

ALLOWED = Allowlist("x", [AllowConfig("https://a.b/v1/")])
URL = Url.parse("https://a.b/v1/x")

# Pieces that parsers of URLs are known to disagree about.
_PLAIN = r"a.b evil v1 v2 . .. / // \ @ : 443 ? # %2e %2E %2f %5c %252e %00 % ; é 。 [ ] ~ x &"
PIECES = st.sampled_from([*_PLAIN.split(), " ", "\t", "\n"])
INSIDE = st.sampled_from(["", "a.b/v1/", "A.B:443/v1/", "a.b./v1/x/", "a.b/v1"])


@given(INSIDE, st.lists(PIECES, max_size=8).map("".join))
@example("a.b/v1/", "%2e%2e/x")
@example("a.b/v1/", "x/../../v1/y")
def test_what_is_allowed_lies_inside_for_others_too(start: str, rest: str) -> None:
    """
    Whatever passes the allowlist has the allowed host as Python's own parser reads it, and the
    allowed path in the one form that is sent.
    """
    text = f"https://{start}{rest}"
    try:
        url = Url.parse(text)
        ALLOWED.entry("GET", url)
    except (ValueError, RefusedError):
        return

    for form in (text, str(url)):
        parts = urlsplit(form)
        assert ("a.b", 443) == (str(parts.hostname).rstrip("."), parts.port or 443)
    # What is sent has no dots left, so those who take "//" for "/" end up inside, too.
    path = posixpath.normpath(unquote(unquote(urlsplit(str(url)).path)))
    assert f"{path}/".startswith("/v1/")
    assert str(url) == str(Url.parse(str(url)))
    assert ".." not in url.path.split("/")


class Scripted(Connection):
    """
    A connection that receives what it is given, in pieces.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def send(self, data: bytes, until: Until) -> None:
        """
        Take it.
        """

    def receive(self, until: Until) -> bytes:
        """
        Give the next piece; none at the end.
        """
        return self._pieces.pop(0) if self._pieces else b""


_STARTS = b"HTTP/1.1 200 OK\r\n|HTTP/1.1 100 Go\r\n\r\n|HTTP/1.1 204 \r\n|HTTP/1.0 |HTTP/1.1 101 X"
_HEADERS = b"content-length: 3\r\n|content-length: 99999\r\n|connection: close\r\n|x: y\r\n|\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n|3\r\nabc\r\n|0\r\n\r\n|Z\r\n|-1\r\n"
_OTHER = b"abc|\x00|\n|upgrade: x\r\nconnection: upgrade\r\n"
LINES = st.sampled_from(b"|".join((_STARTS, _HEADERS, _CHUNKED, _OTHER)).split(b"|"))


@given(st.lists(LINES, max_size=10), st.sampled_from(["GET", "HEAD", "POST"]))
@example([b"HTTP/1.1 200 OK\r\n", b"content-length: 3\r\n", b"\r\n", b"abc"], "GET")
def test_every_answer_is_a_response_or_a_failure(pieces: list[bytes], method: str) -> None:
    """
    No bytes of a server's lead to another exception, nor to more than the limit.
    """
    data = b"".join(pieces)
    outcomes = set()
    for cut in (list(pieces), [data] if data else [], [bytes([byte]) for byte in data]):
        try:
            response, _ = exchange(
                Scripted(cut), Request(method, URL, (), b""), limit_bytes=100, until=Until(60)
            )
        except (FailedError, ConnectionResetError) as error:
            outcomes.add(type(error).__name__)
        else:
            assert isinstance(response, Response)
            assert len(response.body) <= 100
            assert response.status >= 200
            outcomes.add(str(response))

    assert 1 == len(outcomes)
