"""
Browsers are told which pages may send telemetry.
"""

from otelwasm.otlp.answers import JSON
from otelwasm.receivers.cors import CorsConfig
from otelwasm.receivers.otlp_http import OtlpHttpConfig
from unit.otlp.peers import Inbox
from unit.receivers.asking import reply_of

CORS = OtlpHttpConfig(
    endpoint="127.0.0.1:0",
    cors=CorsConfig(
        allowed_origins=("https://*.example.com",), allowed_headers=("x-tenant",), max_age=600
    ),
)


def test_pages_of_allowed_origins_may_send() -> None:
    """
    A browser's preflight and its request are answered with what lets the page through.
    """
    origin = "https://shop.example.com"

    preflight = reply_of(Inbox(), http=CORS, method="OPTIONS", origin=origin)
    reply = reply_of(Inbox(), http=CORS, body=b"{}", content_type=JSON, origin=origin)

    assert (preflight.status, reply.status) == (204, 200)
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert "x-tenant" in preflight.headers["access-control-allow-headers"]
    assert preflight.headers["access-control-max-age"] == "600"
    for answer in (preflight, reply):
        assert origin == answer.headers["access-control-allow-origin"]
        assert answer.headers["vary"] == "origin"


def test_pages_of_other_origins_may_not() -> None:
    """
    A page of an origin that is not allowed gets no header that would let it through.
    """
    reply = reply_of(Inbox(), http=CORS, method="OPTIONS", origin="https://example.org")

    assert "access-control-allow-origin" not in reply.headers
