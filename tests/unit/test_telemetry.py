"""
What happens to batches is counted by component, and served to Prometheus.
"""

import urllib.request

import attrs
import pytest

from otelwasm.errors import SetupError
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry
from pipeline.fakes import FakePlugin, a_batch


def scrape(telemetry: Telemetry) -> dict[str, str]:
    """
    Ask as Prometheus does; return the samples.
    """
    server = telemetry.serve("127.0.0.1:0")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    finally:
        server.close()
        server.close()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_events_are_counted_by_component_and_signal() -> None:
    """
    Batches and items have a counter each.
    """
    telemetry = Telemetry()
    telemetry.count("accepted", "receiver/otlp", a_batch("a", "b"))
    telemetry.count("accepted", "receiver/otlp", a_batch("c"))
    telemetry.count("rejected", "exporter/otlp", a_batch("a", "b", signal=Signal.LOGS), items=1)
    samples = scrape(telemetry)

    traces = '{component="receiver/otlp",signal="traces"}'
    assert samples[f"otelwasm_accepted_batches_total{traces}"] == "2.0"
    assert samples[f"otelwasm_accepted_items_total{traces}"] == "3.0"
    logs = '{component="exporter/otlp",signal="logs"}'
    assert samples[f"otelwasm_rejected_items_total{logs}"] == "1.0"


def test_the_summary_has_what_happened() -> None:
    """
    Accepted and sent are always told, other events only if there were any.
    """
    telemetry = Telemetry()
    telemetry.count("accepted", "receiver/otlp", a_batch("a", "b"))
    telemetry.count("dropped", "processor/wasm/x", a_batch("a"))

    assert telemetry.summary() == {"accepted": 2, "sent": 0, "dropped": 1}


def test_queues_and_plugins_are_read_when_asked() -> None:
    """
    What is served is what holds at that moment.
    """
    telemetry = Telemetry()
    budget = ByteBudget("queue", limit_bytes=1000)
    plugin = FakePlugin(lambda _, __, payload: payload)
    telemetry.watch_queue("exporter/otlp", budget)
    telemetry.watch_plugin("processor/wasm/x", plugin)
    budget.take(44)
    plugin.submit(Signal.TRACES, b"").result(5)
    samples = scrape(telemetry)
    plugin.close()

    assert samples['otelwasm_queue_bytes{component="exporter/otlp"}'] == "300.0"
    assert samples['otelwasm_queue_limit_bytes{component="exporter/otlp"}'] == "1000.0"
    assert samples['otelwasm_plugin_calls_total{component="processor/wasm/x"}'] == "1.0"


def test_faults_are_told_by_kind() -> None:
    """
    A plugin that traps and one that runs out of time do not look the same.
    """

    @attrs.frozen
    class Stats:
        calls: int = 9
        faults: dict[str, int] = attrs.field(factory=lambda: {"trap": 2, "deadline": 1})
        restarts: int = 3
        busy_s: float = 0.5
        memory_bytes: int = 1 << 20

    @attrs.frozen
    class Plugin:
        stats: Stats = attrs.field(factory=Stats)

    telemetry = Telemetry()
    telemetry.watch_plugin("processor/wasm/x", Plugin())
    samples = scrape(telemetry)

    faults = 'otelwasm_plugin_faults_total{component="processor/wasm/x",kind='
    assert samples[f'{faults}"trap"}}'] == "2.0"
    assert samples[f'{faults}"deadline"}}'] == "1.0"
    assert samples['otelwasm_plugin_restarts_total{component="processor/wasm/x"}'] == "3.0"


def test_a_guest_cannot_fill_the_hosts_memory_with_names() -> None:
    """
    Beyond a thousand series a plugin's numbers go into one series called "other".
    """
    telemetry = Telemetry()
    for number in range(1100):
        telemetry.record("x", "add", f"name {number}", 1, ())
    value = telemetry.registry.get_sample_value

    assert value("otelwasm_guest_name_999_total", {"plugin": "x"}) == 1
    assert value("otelwasm_guest_name_1000_total", {"plugin": "x"}) is None
    assert value("otelwasm_guest_other_total", {"plugin": "x"}) == 100


def test_an_address_that_is_taken_is_a_set_up_error() -> None:
    """
    The message names the key and the address.
    """
    telemetry = Telemetry()
    server = telemetry.serve("127.0.0.1:0")

    try:
        with pytest.raises(
            SetupError, match=r"listen on 127.*: the address is already in use; stop"
        ):
            telemetry.serve(f"127.0.0.1:{server.port}")
    finally:
        server.close()


def test_messages_and_polls_are_counted_by_their_outcome() -> None:
    """
    Each has a family; messages that were not taken are part of the summary.
    """
    telemetry = Telemetry()
    telemetry.count_call("messages", "receiver/wasm/x", "taken")
    telemetry.count_call("messages", "receiver/wasm/x", "lost", count=3)
    telemetry.count_call("polls", "receiver/wasm/x", "failed")
    samples = scrape(telemetry)

    labels = 'component="receiver/wasm/x",outcome='
    assert samples[f'otelwasm_messages_total{{{labels}"taken"}}'] == "1.0"
    assert samples[f'otelwasm_messages_total{{{labels}"lost"}}'] == "3.0"
    assert samples[f'otelwasm_polls_total{{{labels}"failed"}}'] == "1.0"
    assert telemetry.summary() == {"accepted": 0, "sent": 0, "messages_lost": 3}
