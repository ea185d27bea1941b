"""
Send the requests of one plugin: check, add credentials, exchange, follow redirects.

    url ──► allowlist ──► headers and signature of the entry ──► pool ──► exchange ──► response
     ▲                                                                       │
     └──────────────────────── redirect, checked from the start ◄────────────┘
"""

from urllib.parse import urljoin

import attrs

from otelwasm.outbound.addresses import Resolve, resolve
from otelwasm.outbound.allowlist import Allowlist, Entry
from otelwasm.outbound.config import HttpConfig
from otelwasm.outbound.exchange import Headers, Request, Response, exchange
from otelwasm.outbound.failures import FailedError, RefusedError
from otelwasm.outbound.headers import check_headers
from otelwasm.outbound.pool import Connection, Pool, Until
from otelwasm.outbound.sigv4 import SIGNED_BY_HOST, sign
from otelwasm.outbound.urls import Url

__all__ = ["Client"]

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
# What a plugin gave for one server is not for another.
_SECRET = frozenset(("authorization", "cookie", "x-api-key"))


class Client:
    """
    Where one plugin may go, and the connections to there; used from any thread.

    Raises SetupError about the files of an entry's `tls`.
    """

    def __init__(self, config: HttpConfig, *, plugin: str, resolve: Resolve = resolve) -> None:
        self._config = config
        self._allowlist = Allowlist(plugin, config.allow)
        self._pool = Pool(resolve)
        for allowed in config.allow:
            if Url.parse(allowed.url).scheme == "https":
                self._pool.context(allowed.tls)  # a file that is wrong is said at the start

    def send(
        self, method: str, url: str, *, headers: Headers, body: bytes, timeout_s: float | None
    ) -> Response:
        """
        Send a request, wait for the response.

        Raises RefusedError, FailedError or TimeoutError.
        """
        cap = self._config.timeout
        until = Until(cap if timeout_s is None else min(timeout_s, cap))
        try:
            parsed = Url.parse(url)
            check_headers(headers)
        except ValueError as error:
            raise RefusedError(f"the request is refused: {error}") from None
        method = method.upper()
        entry = self._allowlist.entry(method, parsed)
        for name in sorted({name.lower() for name, _ in headers} & _added_by(entry)):
            raise RefusedError(f"the header {name} is added by the host, from its configuration")
        request = Request(method, parsed, headers, body)
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._ask(entry, request, until)
            location = response.header("location")
            if response.status not in _REDIRECTS or location is None:
                return response
            request = _redirected(request, response.status, location)
            entry = self._allowlist.entry(request.method, request.url)
        raise FailedError(f"{parsed.place}: more than {_MOST_REDIRECTS} redirects")

    def close(self) -> None:
        """
        Close the connections; twice is safe.
        """
        self._pool.close()

    def _ask(self, entry: Entry, request: Request, until: Until) -> Response:
        complete = _completed(entry, request)
        connection = self._pool.take(entry, until)
        try:
            return self._exchange(connection, complete, until)
        except ConnectionResetError:
            # Closed while it was idle, perhaps; but the request may have arrived all the same.
            if connection.is_fresh or request.method not in _IDEMPOTENT:
                raise _ended(request) from None
        connection = self._pool.take(entry, until, is_fresh=True)
        try:
            return self._exchange(connection, complete, until)
        except ConnectionResetError:
            raise _ended(request) from None

    def _exchange(self, connection: Connection, request: Request, until: Until) -> Response:
        try:
            response, is_reusable = exchange(
                connection, request, limit_bytes=self._config.max_response_size, until=until
            )
        except BaseException:
            connection.close()
            raise
        if is_reusable:
            self._pool.put_back(connection)
        else:
            connection.close()
        return response


def _ended(request: Request) -> FailedError:
    return FailedError(f"{request.url.place}: the connection ended before a response")


def _added_by(entry: Entry) -> frozenset[str]:
    """
    The names of the headers that a plugin cannot set, as the host does.
    """
    own = frozenset(name.lower() for name in entry.config.headers)
    return own | SIGNED_BY_HOST if entry.config.sign is not None else own


def _completed(entry: Entry, request: Request) -> Request:
    """
    Add what the entry says: headers, signature.
    """
    own = _added_by(entry)
    headers = [(name, value) for name, value in request.headers if name.lower() not in own]
    headers += entry.config.headers.items()
    if not any(name.lower() == "user-agent" for name, _ in headers):
        headers.append(("user-agent", "otelwasm"))
    if entry.config.sign is not None:
        headers += sign(
            entry.config.sign.aws_sigv4,
            request.method,
            url=request.url,
            headers=headers,
            body=request.body,
        )
    return attrs.evolve(request, headers=tuple(headers))


def _redirected(request: Request, status: int, location: str) -> Request:
    """
    The request that follows *request*; RFC 9110 says how.
    """
    try:
        url = Url.parse(urljoin(str(request.url), location))
    except ValueError as error:
        raise FailedError(f"{request.url.place} redirects to an odd URL: {error}") from None
    if request.url.scheme == "https" and url.scheme == "http":
        raise RefusedError(f"{request.url.place} redirects to plain text, {url.place}")
    method, headers, body = request.method, request.headers, request.body
    is_get = status == 303 or (status in (301, 302) and method == "POST")
    if is_get and method != "HEAD":
        method, body = "GET", b""
        headers = tuple(each for each in headers if not each[0].lower().startswith("content-"))
    if url.origin != request.url.origin:
        headers = tuple(each for each in headers if each[0].lower() not in _SECRET)
    return Request(method, url, headers, body)
