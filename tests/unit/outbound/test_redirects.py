"""
A redirect is a new request: it goes where the configuration allows, and takes no secrets along.
"""

from collections.abc import Callable

import pytest

from otelwasm.outbound.client import Client
from otelwasm.outbound.config import AllowConfig, HttpConfig, Method
from otelwasm.outbound.failures import FailedError, RefusedError
from unit.outbound.serving import Asked, Reply, server

ALL: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT")


def redirect(location: str, status: int = 302) -> Callable[[Asked], Reply]:
    """
    A server that sends /from elsewhere and answers everything else.
    """
    return lambda asked: (
        Reply(status, (("location", location),)) if asked.target == "/from" else Reply(200)
    )


@pytest.mark.parametrize(
    ("status", "method", "followed_by", "body"),
    [
        (301, "GET", "GET", b""),
        (301, "POST", "GET", b""),
        (302, "POST", "GET", b""),
        (302, "PUT", "PUT", b"body"),
        (303, "PUT", "GET", b""),
        (303, "HEAD", "HEAD", b""),
        (307, "POST", "POST", b"body"),
        (308, "PUT", "PUT", b"body"),
    ],
)
def test_methods_change_as_rfc_9110_says(
    status: int, method: str, followed_by: str, body: bytes
) -> None:
    """
    See Other, and what POST has become by custom, are asked for by GET, without a body.
    """
    with server(redirect("/to?x=y", status)) as running:
        client = Client(HttpConfig((AllowConfig(running.url, methods=ALL),)), plugin="x")
        sent = b"" if method in ("GET", "HEAD") else b"body"
        response = client.send(
            method,
            f"{running.url}/from",
            headers=(("content-type", "text/plain"), ("x-own", "1")),
            body=sent,
            timeout_s=5,
        )
        client.close()
    _, followed = running.asked

    assert 200 == response.status
    assert (followed_by, "/to?x=y", body) == (followed.method, followed.target, followed.body)
    assert "1" == followed.headers["x-own"]
    assert ("content-type" in followed.headers) == (method == followed_by)


def test_secrets_stay_with_their_entry() -> None:
    """
    Neither the entry's headers nor the plugin's own credentials go to another server.
    """
    with server() as other, server(redirect(f"{other.url}/to")) as first:
        entries = (
            AllowConfig(first.url, headers={"x-token": "of-first", "x-shared": "1"}),
            AllowConfig(other.url, headers={"x-other": "of-other", "x-plain": "host"}),
        )
        client = Client(HttpConfig(entries), plugin="x")
        own = (("Authorization", "own"), ("Cookie", "own"), ("X-Plain", "own"))
        client.send("GET", f"{first.url}/from", headers=own, body=b"", timeout_s=5)
        client.close()
    [asked] = other.asked

    assert "of-first" == first.asked[0].headers["x-token"]
    assert {"x-token", "x-shared", "authorization", "cookie"} & set(asked.headers) == set()
    assert ("of-other", "host") == (asked.headers["x-other"], asked.headers["x-plain"])


def test_a_redirect_outside_is_refused() -> None:
    """
    The refusal says where it led, without the query, and the server there is not asked.
    """
    with server() as other, server(redirect(f"{other.url}/to?token=secret")) as first:
        client = Client(HttpConfig((AllowConfig(first.url),)), plugin="x")
        with pytest.raises(RefusedError, match=f"{other.url}/to is not allowed") as caught:
            client.send("GET", f"{first.url}/from", headers=(), body=b"", timeout_s=5)
        client.close()

    assert "secret" not in str(caught.value)
    assert [] == other.asked


@pytest.mark.parametrize(
    ("location", "error", "reason"),
    [
        ("http://169.254.169.254/latest", RefusedError, "not allowed"),
        ("//evil.com/", RefusedError, "not allowed"),
        ("file:///etc/passwd", FailedError, "odd URL"),
        ("http://user@evil.com/", FailedError, "odd URL"),
        ("/..%2f", FailedError, "odd URL"),
        ("/a b", FailedError, "odd URL"),
    ],
)
def test_odd_redirects_end_the_request(location: str, error: type[Exception], reason: str) -> None:
    """
    Whatever a server sends is checked as what a plugin sends.
    """
    with server(redirect(location)) as running:
        client = Client(HttpConfig((AllowConfig(running.url),)), plugin="x")
        with pytest.raises(error, match=reason):
            client.send("GET", f"{running.url}/from", headers=(), body=b"", timeout_s=5)
        client.close()

    assert 1 == len(running.asked)


def test_a_method_that_the_redirect_needs_must_be_allowed() -> None:
    """
    A POST that becomes a GET is refused where only POST is listed.
    """
    with server(redirect("/to")) as running:
        client = Client(HttpConfig((AllowConfig(running.url, methods=("POST",)),)), plugin="x")
        with pytest.raises(RefusedError, match="GET is not allowed"):
            client.send("POST", f"{running.url}/from", headers=(), body=b"1", timeout_s=5)
        client.close()


def test_redirects_in_a_circle_end() -> None:
    """
    Five are followed, no more.
    """
    with server(redirect("/from")) as running:
        client = Client(HttpConfig((AllowConfig(running.url),)), plugin="x")
        with pytest.raises(FailedError, match="more than 5 redirects"):
            client.send("GET", f"{running.url}/from", headers=(), body=b"", timeout_s=5)
        client.close()

    assert 6 == len(running.asked)


def test_a_redirect_without_a_location_is_a_response() -> None:
    """
    So is a status that only looks like one.
    """
    with server(lambda asked: Reply(int(asked.target[1:]), (("x", "y"),))) as running:
        client = Client(HttpConfig((AllowConfig(running.url),)), plugin="x")
        statuses = [
            client.send("GET", f"{running.url}/{status}", headers=(), body=b"", timeout_s=5).status
            for status in (302, 304, 300)
        ]
        client.close()

    assert [302, 304, 300] == statuses
