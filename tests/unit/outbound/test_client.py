"""
Requests reach real servers as they were meant, with what the host adds, on few connections.
"""

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import SetupError
from otelwasm.otlp.tls import ClientTls, ServerTls
from otelwasm.outbound.client import Client
from otelwasm.outbound.config import AllowConfig, AwsSigV4Config, HttpConfig, Method, SignConfig
from otelwasm.outbound.exchange import Response
from otelwasm.outbound.failures import FailedError, RefusedError
from unit.otlp.certificates import issue_certificates
from unit.outbound.serving import Reply, server

ALL: tuple[Method, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def allowing(*entries: AllowConfig, **limits: object) -> Client:
    """
    A client that may go where *entries* say.
    """
    return Client(HttpConfig(entries, **limits), plugin="x")  # type: ignore[arg-type] # by name


def ask(
    client: Client,
    method: str,
    url: str,
    *headers: tuple[str, str],
    body: bytes = b"",
    timeout_s: float | None = None,
) -> Response:
    """
    Send a request; a test waits five seconds at most.
    """
    return client.send(method, url, headers=headers, body=body, timeout_s=timeout_s or 5)


def test_a_request_arrives_as_it_was_sent() -> None:
    """
    Method, path, query, headers and body; the host adds its own headers.
    """
    entry_headers = {"Authorization": "Bearer secret", "X-Scope": "t"}
    reply = Reply(201, (("ETag", '"1"'), ("Set-Cookie", "a"), ("Set-Cookie", "b")), b"made")
    with server(lambda _: reply) as running:
        client = allowing(AllowConfig(running.url, methods=ALL, headers=entry_headers))
        url = f"{running.url}/a/%7Eb?c=d&e"
        response = ask(client, "post", url, ("X-Own", "é"), ("x-own", "2"), body=b"\x00\xff")
        client.close()
    [asked] = running.asked

    assert ("POST", "/a/~b?c=d&e", b"\x00\xff") == (asked.method, asked.target, asked.body)
    assert "Bearer secret" == asked.headers["authorization"]
    assert "t" == asked.headers["x-scope"]
    assert f"127.0.0.1:{running.port}" == asked.headers["host"]
    assert ("2", "otelwasm") == (asked.headers["x-own"], asked.headers["user-agent"])
    assert (201, b"made") == (response.status, response.body)
    assert '"1"' == response.header("etag")
    assert ["a", "b"] == [value for name, value in response.headers if name == "set-cookie"]


@pytest.mark.parametrize("method", ALL)
def test_every_method_is_answered(method: str) -> None:
    """
    HEAD has no body, whatever its length says; the connection serves the next request.
    """
    with server(lambda _: Reply(200, (), b"body")) as running:
        client = allowing(AllowConfig(running.url, methods=ALL))
        bodies = [ask(client, method, running.url).body for _ in range(2)]
        client.close()

    assert [b"" if method == "HEAD" else b"body"] * 2 == bodies
    assert 1 == len({asked.peer for asked in running.asked})


@pytest.mark.parametrize("status", [204, 304, 400, 404, 500, 503])
def test_every_status_is_a_response(status: int) -> None:
    """
    What the status means is the plugin's business.
    """
    with server(lambda _: Reply(status)) as running:
        client = allowing(AllowConfig(running.url))
        statuses = [ask(client, "GET", running.url).status for _ in range(2)]
        client.close()

    assert [status, status] == statuses


def test_large_bodies_both_ways() -> None:
    """
    Megabytes are sent and received whole.
    """
    with server(lambda asked: Reply(200, (), asked.body)) as running:
        client = allowing(AllowConfig(running.url, methods=ALL))
        body = bytes(range(256)) * (3 << 12)
        response = ask(client, "PUT", running.url, body=body)
        client.close()

    assert body == response.body


def test_encodings_are_not_undone() -> None:
    """
    Bytes arrive as the server sent them; so nothing small can become large.
    """
    packed = gzip.compress(b"x" * 1000)
    reply = Reply(200, (("content-encoding", "gzip"),), packed)
    with server(lambda _: reply) as running:
        client = allowing(AllowConfig(running.url))
        response = ask(client, "GET", running.url, ("accept-encoding", "gzip"))
        client.close()

    assert (packed, "gzip") == (response.body, response.header("content-encoding"))
    assert "gzip" == running.asked[0].headers["accept-encoding"]


def test_instances_share_connections() -> None:
    """
    Threads ask at once, each on a connection of its own; the next requests use those.
    """
    with server() as running, ThreadPoolExecutor(4) as threads:
        client = allowing(AllowConfig(running.url))
        for _ in range(5):
            list(threads.map(lambda _: ask(client, "GET", running.url), range(4)))
        client.close()

    assert 20 == len(running.asked)
    assert len({asked.peer for asked in running.asked}) <= 4


@pytest.mark.parametrize("name", ["Authorization", "authorization", "X-SCOPE"])
def test_a_plugin_cannot_set_what_the_host_adds(name: str) -> None:
    """
    The refusal has the name, but not the value that the host would send.
    """
    client = allowing(
        AllowConfig("http://127.0.0.1:9", headers={"authorization": "s3cret", "X-Scope": "t"})
    )

    with pytest.raises(
        RefusedError, match=f"the header {name.lower()} is added by the host"
    ) as caught:
        ask(client, "GET", "http://127.0.0.1:9", (name, "mine"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "header",
    [
        ("host", "evil.com"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-own"),
        ("upgrade", "websocket"),
        ("Expect", "100-continue"),
        ("proxy-authorization", "x"),
        ("", "x"),
        ("a b", "x"),
        ("a\r\nb", "x"),
        ("a:", "x"),
        ("é", "x"),
        ("x", "a\r\nhost: evil.com"),
        ("x", "a\nb"),
        ("x", "a\x00"),
        ("x", "☃"),
    ],
)
def test_headers_that_frame_or_inject_are_refused(header: tuple[str, str]) -> None:
    """
    A plugin can neither end the head early nor say how long the body is.
    """
    client = allowing(AllowConfig("http://127.0.0.1:9"))

    with pytest.raises(RefusedError, match="header"):
        ask(client, "GET", "http://127.0.0.1:9", header)


def test_what_is_not_allowed_is_not_sent() -> None:
    """
    Another path, another method, an odd URL: nothing reaches the server.
    """
    with server() as running:
        client = allowing(AllowConfig(f"{running.url}/v1"))
        for method, path in (
            ("GET", "/v10"),
            ("POST", "/v1"),
            ("GET", "/v1/..%2f"),
            ("TRACE", "/v1"),
        ):
            with pytest.raises(RefusedError):
                ask(client, method, running.url + path)
        client.close()

    assert [] == running.asked


def test_a_response_has_a_limit() -> None:
    """
    One byte more than allowed is a failure, one byte less is not.
    """
    with server(lambda asked: Reply(200, (), b"x" * int(asked.target[1:]))) as running:
        client = allowing(AllowConfig(running.url), max_response_size=ByteSize(1000))
        assert 1000 == len(ask(client, "GET", f"{running.url}/1000").body)
        with pytest.raises(FailedError, match="max_response_size is 1000 B"):
            ask(client, "GET", f"{running.url}/1001")
        client.close()


@pytest.mark.parametrize(("cap_s", "asked_s"), [(0.05, None), (0.05, 60.0), (60.0, 0.05)])
def test_the_smaller_timeout_counts(cap_s: float, asked_s: float | None) -> None:
    """
    The plugin may ask for less than the configuration allows, not for more.
    """
    release = threading.Event()
    with server(lambda _: Reply() if release.wait(30) else Reply(500)) as running:
        client = allowing(AllowConfig(running.url), timeout=Duration(cap_s))
        with pytest.raises(TimeoutError):
            client.send("GET", running.url, headers=(), body=b"", timeout_s=asked_s)
        release.set()
        client.close()


def test_nobody_there_is_a_failure() -> None:
    """
    The message names the place.
    """
    with server() as gone:
        pass
    client = allowing(AllowConfig(gone.url))

    with pytest.raises(FailedError, match=f"{gone.url}: Connection refused"):
        ask(client, "GET", gone.url)


def test_tls_is_checked(tmp_path: Path) -> None:
    """
    A server that the entry's authorities do not vouch for is a failure, and learns nothing.
    """
    issue_certificates(tmp_path)
    tls = ServerTls(tmp_path / "server.pem", tmp_path / "server.key").ssl_context()
    with server(tls=tls) as running:
        url = f"https://localhost:{running.port}"
        trusting = allowing(AllowConfig(url, tls=ClientTls(ca_file=tmp_path / "ca.pem")))
        careful = allowing(AllowConfig(url))
        assert [200] * 5 == [ask(trusting, "GET", url).status for _ in range(5)]
        with pytest.raises(FailedError, match="unable to get local issuer certificate"):
            ask(careful, "GET", url)
        trusting.close()

    assert 5 == len(running.asked)
    assert 1 == len({asked.peer for asked in running.asked})


def test_files_for_tls_are_read_at_the_start(tmp_path: Path) -> None:
    """
    A file that is missing is named before a plugin asks for anything.
    """
    tls = ClientTls(ca_file=tmp_path / "ca.pem")

    with pytest.raises(SetupError, match=r"ca\.pem: cannot be read"):
        allowing(AllowConfig("https://example.com", tls=tls))


def test_the_host_signs() -> None:
    """
    An entry with a key signs each request; the plugin cannot.
    """
    key = AwsSigV4Config("s3", "us-east-1", "AKID", "secret-key")
    with server() as running:
        client = allowing(AllowConfig(running.url, methods=ALL, sign=SignConfig(key)))
        ask(client, "PUT", f"{running.url}/bucket/a%20b", ("x-amz-acl", "private"), body=b"1")
        with pytest.raises(RefusedError, match="x-amz-date is added by the host"):
            ask(client, "PUT", f"{running.url}/bucket", ("X-Amz-Date", "now"))
        client.close()
    [asked] = running.asked

    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert (
        "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date,"
        in asked.headers["authorization"]
    )
    assert "secret-key" not in str(asked.headers)


def test_a_name_is_connected_where_it_was_checked() -> None:
    """
    The resolver is asked once for a connection: what it says the next moment does not matter.
    """
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with server() as running:
        url = f"http://name.example:{running.port}"
        config = HttpConfig((AllowConfig(url, private=True),))
        client = Client(config, plugin="x", resolve=lambda host, timeout_s: next(answers))
        statuses = [ask(client, "GET", url).status for _ in range(3)]
        client.close()

    assert [200, 200, 200] == statuses
    assert f"name.example:{running.port}" == running.asked[0].headers["host"]
    assert [["10.0.0.1"]] == list(answers)


def test_a_name_of_this_machine_is_refused() -> None:
    """
    A public name that leads to loopback reaches nothing.
    """
    with server() as running:
        url = f"http://name.example:{running.port}"
        client = Client(
            HttpConfig((AllowConfig(url),)),
            plugin="x",
            resolve=lambda host, timeout_s: ["127.0.0.1", "::ffff:127.0.0.1"],
        )
        with pytest.raises(RefusedError, match=r"name\.example is 127\.0\.0\.1"):
            ask(client, "GET", url)

    assert [] == running.asked
