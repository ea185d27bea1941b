"""
Send what a plugin asks for to real servers, while it runs as plain Python.
"""

import urllib.error
import urllib.request

from otelwasm_sdk.http import Request, Response

__all__ = ["real_http"]


def real_http(request: Request) -> Response:
    """
    Send *request* over the network.
    """
    given = urllib.request.Request(
        request.url,
        data=request.body or None,
        headers=dict(request.headers),
        method=request.method,
    )
    try:
        with urllib.request.urlopen(given, timeout=request.timeout_s) as answer:
            return Response(answer.status, answer.read(), answer.headers.items())
    except urllib.error.HTTPError as answer:
        with answer:
            return Response(answer.code, answer.read(), answer.headers.items())
