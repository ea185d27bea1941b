"""
A plugin gets a response or an error value; what is refused is logged, each refusal for itself.
"""

import pytest
import structlog

from otelwasm.outbound.config import AllowConfig, HttpConfig
from otelwasm.plugins._generated.http import (
    Error,
    ErrorFailed,
    ErrorRefused,
    ErrorTimeout,
    Request,
    Response,
)
from otelwasm.plugins.capabilities.http import PluginHttp, Refusals
from otelwasm.plugins.capabilities.refusing import NoHttp, NoState
from otelwasm.plugins.values import Err, Ok
from unit.outbound.serving import Reply, server


def ask(http: PluginHttp, url: str, *, timeout_ms: int = 5000) -> Ok[Response] | Err[Error]:
    """
    Send a plain request.
    """
    return http.send(Request("GET", url, (), b"", timeout_ms))


def test_responses_and_errors() -> None:
    """
    The three ways to have no response are told apart.
    """
    with server() as gone:
        pass
    with server(lambda _: Reply(200, (("x", "y"),), b"body")) as running:
        http = PluginHttp(HttpConfig((AllowConfig(running.url), AllowConfig(gone.url))), plugin="x")
        answered = ask(http, running.url)
        refused = ask(http, "http://127.0.0.1:1/")
        failed = ask(http, gone.url)
        http.close()

    assert isinstance(answered, Ok)
    assert (200, b"body") == (answered.value.status, answered.value.body)
    assert ("x", "y") in answered.value.headers
    assert isinstance(refused, Err)
    assert isinstance(refused.error, ErrorRefused)
    assert isinstance(failed, Err)
    assert isinstance(failed.error, ErrorFailed)


def test_a_name_that_takes_too_long_is_a_timeout() -> None:
    """
    The request's own milliseconds bound the look-up, too.
    """

    def resolve(host: str, timeout_s: float) -> list[str]:
        assert 0 < timeout_s <= 0.02
        raise TimeoutError

    http = PluginHttp(HttpConfig((AllowConfig("http://a.b"),)), plugin="x", resolve=resolve)

    assert Err(ErrorTimeout()) == ask(http, "http://a.b", timeout_ms=20)


def test_refusals_do_not_hide_each_other() -> None:
    """
    A plugin that insists gets one line in the log; another refusal has a line of its own.
    """
    http = PluginHttp(HttpConfig((AllowConfig("http://a.b"),)), plugin="x")
    with structlog.testing.capture_logs() as lines:
        for _ in range(50):
            ask(http, "http://one.b/?token=secret")
        ask(http, "http://two.b/")

    assert ["x", "x"] == [line["plugin"] for line in lines]
    assert ["warning", "warning"] == [line["log_level"] for line in lines]
    assert ["one.b", "two.b"] == [line["event"].split("http://")[1][:5] for line in lines]
    assert "secret" not in str(lines)


def test_a_flood_of_different_refusals_is_bounded() -> None:
    """
    A plugin that makes up hosts gets fifty lines a minute; then the log says how many it left out.
    """
    now = [0.0]
    with structlog.testing.capture_logs() as lines:
        refusals = Refusals("x", clock=lambda: now[0])
        for number in range(500):
            refusals.note(f"host {number}")
        refusals.note("host 0")
        now[0] = 60.0
        refusals.note("host 0")

    assert 52 == len(lines)
    assert 450 == lines[50]["left_out"]
    assert ("http request refused: host 0", 1) == (lines[51]["event"], lines[51]["repeated"])


def test_a_refusal_cannot_forge_a_line() -> None:
    """
    What a plugin puts into a request is shown in the log, not obeyed by it.
    """
    http = PluginHttp(HttpConfig((AllowConfig("http://a.b"),)))
    with structlog.testing.capture_logs() as lines:
        for method, url in (
            ("G\nforged", "http://a.b/"),
            ("GET", "http://[\n\x1b/"),
            ("x" * 9999, "http://a.b"),
        ):
            http.send(Request(method, url, (), b"", 0))

    assert 3 == len(lines)
    assert not any("\nforged" in line["event"] or "\x1b" in line["event"] for line in lines)
    assert max(len(line["event"]) for line in lines) < 1100


@pytest.mark.parametrize("answer", ["get", "delete"])
def test_what_is_not_granted_says_what_would(answer: str) -> None:
    """
    The remedy is in the message.
    """
    refused = NoHttp().send(Request("GET", "http://a.b", (), b"", 0))
    kept = getattr(NoState(), answer)("key")

    assert "capabilities: {http: {allow: [{url: …}]}}" in refused.error.value
    assert "capabilities: {state: {}}" in kept.error.value
