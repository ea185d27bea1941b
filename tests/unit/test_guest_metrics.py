"""
Numbers of plugins reach Prometheus in a form that it takes, whatever they are called.
"""

import urllib.request

from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from otelwasm.guest_metrics import GuestMetrics
from otelwasm.telemetry import Telemetry


def read(telemetry: Telemetry) -> dict[str, float]:
    """
    All samples, as a strict reader of OpenMetrics understands them.
    """
    text = generate_latest(telemetry.registry).decode()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("otelwasm_guest")
    }


def test_counters_and_distributions_add_up() -> None:
    """
    A counter has a total; a distribution has a sum and a count.
    """
    telemetry = Telemetry()
    for value in (1, 2):
        telemetry.record("x", "add", "http.requests", value, (("code", "200"),))
        telemetry.record("x", "observe", "latency", value, ())

    assert {
        "otelwasm_guest_http_requests_total[('code', '200'), ('plugin', 'x')]": 3,
        "otelwasm_guest_latency_sum[('plugin', 'x')]": 3,
        "otelwasm_guest_latency_count[('plugin', 'x')]": 2,
    } == read(telemetry)


def test_names_that_become_the_same_are_the_same() -> None:
    """
    Prometheus refuses two series with one name and equal labels; so they are added up.
    """
    telemetry = Telemetry()
    telemetry.record("x", "add", "a.b", 1, (("k.l", "v"), ("m", "w")))
    telemetry.record("x", "add", "a_b", 1, (("m", "w"), ("k_l", "v")))
    telemetry.record("x", "add", "a-b_total", 1, (("k-l", "v"), ("m", "w")))

    assert {"otelwasm_guest_a_b_total[('k_l', 'v'), ('m', 'w'), ('plugin', 'x')]": 3} == read(
        telemetry
    )


def test_a_name_of_two_kinds_gets_two_names() -> None:
    """
    One plugin counts what another measures: the second one's name says so.
    """
    telemetry = Telemetry()
    telemetry.record("x", "add", "n", 1, ())
    telemetry.record("y", "observe", "n", 5, ())
    telemetry.record("x", "add", "n", 1, ())

    assert {
        "otelwasm_guest_n_total[('plugin', 'x')]": 2,
        "otelwasm_guest_n_observe_sum[('plugin', 'y')]": 5,
        "otelwasm_guest_n_observe_count[('plugin', 'y')]": 1,
    } == read(telemetry)


def test_labels_cannot_pass_for_the_hosts() -> None:
    """
    A guest's own `plugin` or `quantile` is renamed, odd names are made legal.
    """
    telemetry = Telemetry()
    odd = (("plugin", "other"), ("quantile", "0.5"), ("__name__", "n"), ("1st", 'a"\n'), ("é", "v"))
    telemetry.record("x", "observe", "1n", 1, odd)
    labels = (
        "[('_', 'v'), ('_1st', 'a\"\\n'), ('_name__', 'n'), ('guest_plugin', 'other'), "
        "('guest_quantile', '0.5'), ('plugin', 'x')]"
    )

    assert {f"otelwasm_guest__1n_sum{labels}", f"otelwasm_guest__1n_count{labels}"} == set(
        read(telemetry)
    )


def test_series_are_bounded() -> None:
    """
    Beyond a thousand series a plugin's numbers go into one; other plugins keep theirs.
    """
    metrics = GuestMetrics()
    for number in range(3000):
        metrics.record("x", "add", "n", value=1, attributes=(("k", str(number)),))
    metrics.record("y", "add", "n", value=1, attributes=())
    samples = [sample for family in metrics.collect() for sample in family.samples]

    assert 1002 == len(samples)
    assert 2000 == next(sample.value for sample in samples if "other" in sample.name)
    assert 1 == next(sample.value for sample in samples if sample.labels == {"plugin": "y"})


def test_they_are_served() -> None:
    """
    Prometheus finds them beside the host's own.
    """
    telemetry = Telemetry()
    telemetry.record("x", "add", "n", 1, ())
    server = telemetry.serve("127.0.0.1:0")
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    server.close()

    assert 'otelwasm_guest_n_total{plugin="x"} 1.0' in text
