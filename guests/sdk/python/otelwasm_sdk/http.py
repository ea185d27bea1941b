"""
Ask HTTP servers that the host's configuration allows: `http.get("https://example.com/users/7")`.

The host adds credentials, so that a plugin never sees them. A response of any status is returned;
that there is none is raised, and, let through, becomes the batch's failure:

    Permanent
    └── Refused      the host's configuration does not allow this request
    Retryable
    ├── TimedOut     no answer in time
    └── Failed       no connection, a broken one, or too large a response
"""

from otelwasm_sdk.failures import Permanent, Retryable
from otelwasm_sdk.host import current_host
from otelwasm_sdk.messages import Body, Headers, Request, Response

__all__ = ["Failed", "Refused", "Request", "Response", "TimedOut", "get", "post", "request"]


class Refused(Permanent):
    """
    The host's configuration does not allow this request.
    """


class TimedOut(Retryable):
    """
    No answer in time.
    """


class Failed(Retryable):
    """
    No connection, a broken one, or too large a response.
    """


def request(
    method: str, url: str, *, headers: Headers = (), body: Body = b"", timeout_s: float = 10.0
) -> Response:
    """
    Send a request, and wait for the response; the host may allow less than *timeout_s*.
    """
    return current_host().http_send(Request(method, url, headers, body, timeout_s))


def get(url: str, *, headers: Headers = (), timeout_s: float = 10.0) -> Response:
    """
    Send a GET request.
    """
    return request("GET", url, headers=headers, timeout_s=timeout_s)


def post(url: str, body: Body = b"", *, headers: Headers = (), timeout_s: float = 10.0) -> Response:
    """
    Send a POST request; its content-type is one of the *headers*.
    """
    return request("POST", url, headers=headers, body=body, timeout_s=timeout_s)
