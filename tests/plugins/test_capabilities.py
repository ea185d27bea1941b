"""
What a program grants to one plugin reaches the guest, on both lanes, and ends with the plugin.
"""

import threading
from pathlib import Path
from typing import Any

import pytest

from otelwasm import PermanentError, Plugin, PluginFaultError, RetryableError, Signal
from otelwasm.outbound.config import AllowConfig, HttpConfig
from otelwasm.plugins import deadline
from otelwasm.plugins.capabilities.http import PluginHttp
from otelwasm.plugins.capabilities.state import PluginState
from plugins.guests import emitting, posting, swapping
from plugins.wat import component
from unit.outbound.serving import Asked, Reply, server

BIG = bytes(range(256)) * 4096


def allowing(url: str) -> PluginHttp:
    """
    Grants POST at *url* alone, without an event loop.
    """
    return PluginHttp(HttpConfig((AllowConfig(url, methods=("POST",)),)), plugin="x")


@pytest.mark.parametrize("payload", [b"", b"small", BIG])
def test_requests_and_responses_cross_whole(lane: Any, payload: bytes) -> None:
    """
    A megabyte goes out as the guest's body; the status comes back.
    """
    with (
        server(lambda _: Reply(207, (("x", "y"),) * 50, BIG)) as running,
        Plugin(
            component(posting(running.url), "exporter"), lane=lane, http=allowing(running.url)
        ) as plugin,
    ):
        receipt = plugin.send(Signal.TRACES, payload)

    assert receipt is not None
    assert 7 == receipt.count
    assert [payload] == [asked.body for asked in running.asked]


def test_calls_share_a_connection(lane: Any) -> None:
    """
    What a plugin asks again and again needs no new connection.
    """
    with (
        server() as running,
        Plugin(
            component(posting(running.url), "exporter"), lane=lane, http=allowing(running.url)
        ) as plugin,
    ):
        receipts = [plugin.send(Signal.TRACES, b"x") for _ in range(10)]

    assert [None] * 10 == receipts
    assert 1 == len({asked.peer for asked in running.asked})


def test_what_is_not_allowed_is_an_error_value(lane: Any) -> None:
    """
    The guest goes on with it: here it fails for good, with the reason.
    """
    source = component(posting("http://127.0.0.1:9/else"), "exporter")
    with (
        Plugin(source, lane=lane, http=allowing("http://127.0.0.1:9/v1")) as plugin,
        pytest.raises(PermanentError, match="/else is not allowed; add") as caught,
    ):
        plugin.send(Signal.TRACES, b"x")
    assert not isinstance(caught.value, PluginFaultError)


def test_the_guests_own_timeout_counts(lane: Any) -> None:
    """
    Its milliseconds reach the host; the guest hears of the timeout.
    """
    release = threading.Event()

    def answer(_: Asked) -> Reply:
        release.wait(30)
        return Reply()

    with server(answer) as running:
        source = component(posting(running.url, timeout_ms=50), "exporter")
        with Plugin(source, lane=lane, http=allowing(running.url)) as plugin:
            with pytest.raises(RetryableError):
                plugin.send(Signal.TRACES, b"x")
            release.set()


def test_without_a_grant_the_remedy_is_told(lane: Any) -> None:
    """
    Both capabilities are refused with what would grant them.
    """
    with (
        Plugin(component(posting("http://a.b/"), "exporter"), lane=lane) as plugin,
        pytest.raises(PermanentError, match=r"capabilities: \{http: \{allow"),
    ):
        plugin.send(Signal.TRACES, b"x")
    with (
        Plugin(component(swapping()), lane=lane) as plugin,
        pytest.raises(PermanentError, match=r"capabilities: \{state: \{\}\}"),
    ):
        plugin.process(Signal.TRACES, b"x")


def test_state_outlives_the_plugin(lane: Any, tmp_path: Path) -> None:
    """
    All instances share it, and the next start finds it.
    """
    path = tmp_path / "x.sqlite"
    results = []
    for payload in (b"one", BIG, b""):
        state = PluginState(path, plugin="x", quota_bytes=2 << 20)
        with Plugin(component(swapping()), lane=lane, instances=2, state=state) as plugin:
            results.append(plugin.process(Signal.LOGS, payload))

    assert [None, b"one", BIG] == results


def test_a_full_state_is_a_failure(lane: Any, tmp_path: Path) -> None:
    """
    The plugin hears that the quota is used up; the value before stays.
    """
    state = PluginState(tmp_path / "x.sqlite", plugin="x", quota_bytes=10)
    with Plugin(component(swapping()), lane=lane, state=state) as plugin:
        assert plugin.process(Signal.LOGS, b"one") is None
        with pytest.raises(PermanentError, match="would exceed the quota of 10 B"):
            plugin.process(Signal.LOGS, b"x" * 100)
        assert b"one" == plugin.process(Signal.LOGS, b"two")


def test_calls_of_the_host_have_an_end(lane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The host's time is not the plugin's, but a call cannot spend it for ever.
    """
    monkeypatch.setattr(deadline, "_HOST_LIMIT_S", 0.01)
    never = threading.Event()

    def emit(signal: Signal, payload: bytes) -> None:
        never.wait(0.05)

    with (
        Plugin(component(emitting()), lane=lane, emit=emit) as plugin,
        pytest.raises(PluginFaultError, match=r"more than 0\.01 s in the host"),
    ):
        plugin.process(Signal.LOGS, b"x")
