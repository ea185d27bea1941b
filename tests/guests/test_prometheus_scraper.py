"""
The scraper example reads what Prometheus clients serve.
"""

import math
import time
from collections.abc import Iterator
from typing import Any

import attrs
import prometheus_client
import pytest

from guests.examples import trial
from guests.real_http import real_http
from otelwasm.testing import Trial
from otelwasm_sdk import Metrics
from otelwasm_sdk.http import Failed, Request, Response

URL = "http://app:9100/metrics"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OWN = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}


def scraper(text: str, *, content_type: str = PLAIN, status: int = 200) -> Trial:
    response = Response(status, text, {"content-type": content_type})
    return trial("prometheus-scraper", config={"targets": [URL]}, http={URL: response})


def scraped(done: Trial, place: int = -1) -> dict[str, Any]:
    return {metric.name: metric for metric in Metrics(bytes(done.emitted[place])).metrics()}


def scrape(text: str, **given: Any) -> dict[str, Any]:
    done = scraper(text, **given)
    done.poll()
    return scraped(done)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """
    A real endpoint with one metric of each type.
    """
    registry = prometheus_client.CollectorRegistry()
    given: dict[str, Any] = {"registry": registry}
    requests = prometheus_client.Counter("requests", 'Said "hello"\\n', ["path"], **given)
    requests.labels('/a"b\\c\nd').inc(3, exemplar={"trace_id": "0af7651916cd43dd8448eb211c80319c"})
    requests.labels("/é").inc(0.5)
    prometheus_client.Gauge("temperature", "How warm", unit="celsius", **given).set(-1.5)
    latency = prometheus_client.Histogram("latency", "How long", buckets=(0.1, 1), **given)
    for value in (0.05, 0.5, 0.6, 7):
        latency.observe(value, {"span_id": "00f067aa0ba902b7", "k": "v"})
    prometheus_client.Summary("size", "How large", **given).observe(4)
    prometheus_client.Info("build", "What", **given).info({"version": "1.2"})
    prometheus_client.Enum("state", "Which", states=["on", "off"], **given).state("off")
    server, thread = prometheus_client.start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("accept", [OPEN, PLAIN])
def test_a_real_endpoint_is_scraped(endpoint: str, accept: str) -> None:
    """
    What `prometheus_client` serves arrives as what it is, in either format.
    """

    def http(request: Request) -> Response:
        assert "openmetrics" in dict(request.headers)["accept"]
        return real_http(attrs.evolve(request, headers={"accept": accept}))

    done = trial("prometheus-scraper", config={"targets": [endpoint], "job": "app"}, http=http)
    done.poll()

    metrics = scraped(done)
    is_open = accept == OPEN
    assert 1.0 == metrics["up"].data_points[0].value
    counter = metrics["requests_total"]
    assert counter.sum.is_monotonic and counter.sum.aggregation_temporality == 2
    assert {'/a"b\\c\nd': 3.0, "/é": 0.5} == {
        point.attributes["path"]: point.value for point in counter.data_points
    }
    assert 'Said "hello"\\n' == counter.description
    [gauge] = metrics["temperature_celsius"].data_points
    assert (-1.5, "celsius" if is_open else "") == (
        gauge.value,
        metrics["temperature_celsius"].unit,
    )
    [histogram] = metrics["latency"].data_points
    assert (4, [0.1, 1.0], [1, 2, 1]) == (
        histogram.count,
        list(histogram.explicit_bounds),
        list(histogram.bucket_counts),
    )
    assert math.isclose(8.15, histogram.sum)
    [summary] = metrics["size"].data_points
    assert (1, 4.0) == (summary.count, summary.sum)
    [info] = metrics["build_info"].data_points
    assert (1.0, "1.2") == (info.value, info.attributes["version"])
    assert {"on": 0.0, "off": 1.0} == {
        point.attributes["state"]: point.value for point in metrics["state"].data_points
    }
    assert {"service.name": "app", "server.address": "127.0.0.1"}.items() <= dict(
        counter.resource.attributes
    ).items()
    now_ns = time.time_ns()
    for metric in metrics.values():
        for point in metric.data_points:
            assert now_ns - 60 * 10**9 < point.time_unix_nano <= now_ns
    if is_open:
        [exemplar] = counter.data_points[0].exemplars
        assert bytes.fromhex("0af7651916cd43dd8448eb211c80319c") == exemplar.trace_id
        assert 0 < counter.data_points[0].start_time_unix_nano <= now_ns
        assert {b"\x00\xf0\x67\xaa\x0b\xa9\x02\xb7"} == {
            exemplar.span_id for exemplar in histogram.exemplars
        }
        assert {"k": "v"} == histogram.exemplars[0].filtered_attributes
        assert [0.05, 0.6, 7.0] == [exemplar.as_double for exemplar in histogram.exemplars]


def test_the_older_format_is_read() -> None:
    """
    Names, labels, escapes, times and special values of the text format 0.0.4 are understood.
    """
    metrics = scrape(
        "# HELP http_requests_total The total\\\\number\\nof requests.\n"
        "# TYPE http_requests_total counter\n"
        'http_requests_total{method="post",code="200"} 1027 1395066363000\n'
        "  \n# a comment\n#\n"
        'odd{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find:\\n\\"FILE\\"",} 1.458255915e9\n'
        "no_type 12.47\n"
        'special{at="inf"} +Inf -3982045\n'
        'special { at = "nan" , empty = "" } NaN\n'
        '{"with.dots", "also.here"="x"} 2\n'
    )

    [counted] = metrics["http_requests_total"].data_points
    assert (1027.0, 1395066363000000000) == (counted.value, counted.time_unix_nano)
    assert "The total\\number\nof requests." == metrics["http_requests_total"].description
    [odd] = metrics["odd"].data_points
    assert {"path": "C:\\DIR\\FILE.TXT", "error": 'Cannot find:\n"FILE"'} == odd.attributes
    assert "gauge" == metrics["no_type"].kind
    infinite, unknown = metrics["special"].data_points
    # OTLP cannot say that something was measured before 1970.
    assert math.inf == infinite.value and infinite.time_unix_nano > counted.time_unix_nano
    assert math.isnan(unknown.value) and {"at": "nan"} == unknown.attributes
    assert {"also.here": "x"} == metrics["with.dots"].data_points[0].attributes
    assert 6.0 == metrics["scrape_samples_scraped"].data_points[0].value


def test_histograms_and_summaries_are_read() -> None:
    """
    Buckets that include each other become buckets that do not; quantiles stay.
    """
    metrics = scrape(
        "# TYPE h histogram\n"
        'h_bucket{le="+Inf",m="a"} 144320\nh_bucket{le="0.1",m="a"} 33444\n'
        'h_bucket{le="0.05",m="a"} 24054\nh_sum{m="a"} 53423\nh_count{m="a"} 144320\n'
        'h_bucket{le="0.1",m="b"} 1\n'
        "# TYPE s summary\n"
        's{quantile="0.5"} 4773\ns{quantile="0.99"} NaN\ns_sum 1.7560473e+07\ns_count 2693\n'
    )

    first, second = metrics["h"].data_points
    assert ([0.05, 0.1], [24054, 9390, 110876]) == (
        list(first.explicit_bounds),
        list(first.bucket_counts),
    )
    assert (144320, 53423.0, {"m": "a"}) == (first.count, first.sum, first.attributes)
    assert (1, None, [1, 0]) == (second.count, second.sum, list(second.bucket_counts))
    [summary] = metrics["s"].data_points
    assert (2693, 17560473.0) == (summary.count, summary.sum)
    assert [0.5, 0.99] == [each.quantile for each in summary.quantile_values]
    assert 4773.0 == summary.quantile_values[0].value


def test_growing_series_have_a_start() -> None:
    """
    A counter keeps its start until it falls; then it begins again.
    """
    done = scraper("# TYPE c_total counter\nc_total 5\n")
    for value in (5, 6, 2):
        done.http = {URL: Response(200, f"# TYPE c_total counter\nc_total {value}\n")}
        done.poll()

    first, second, third = (scraped(done, place)["c_total"].data_points[0] for place in range(3))
    assert first.time_unix_nano == first.start_time_unix_nano == second.start_time_unix_nano
    assert third.time_unix_nano == third.start_time_unix_nano > second.start_time_unix_nano


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response(503, ""), "it answered 503"),
        (Response(200, "a 1 2 3\n"), "line 1: expected a value"),
        (Response(200, "a{b} 1\n"), "line 1: a label has no value"),
        (Response(200, 'a{b="c" 1\n'), "line 1: expected a label"),
        (Response(200, "# x\na one\n"), "line 2: could not convert string to float"),
        (Response(200, "a 1\n", {"content-type": OPEN}), "does not end with `# EOF`"),
        (Response(200, b"\xff"), "utf-8"),
        (Response(200, '# TYPE h histogram\nh_bucket{le="x"} 1\n'), "could not convert"),
        (Failed("connection refused"), "connection refused"),
    ],
)
def test_a_target_that_fails_is_down(answer: Response | Exception, why: str) -> None:
    """
    A target that cannot be scraped is reported as down, and the next one is scraped all the same.
    """
    targets = {URL: answer, "http://b/": Response(200, "a 1\n")}
    done = trial("prometheus-scraper", config={"targets": [*targets]}, http=targets)

    done.poll()

    assert {"up": 0.0}.items() <= {
        name: metric.data_points[0].value for name, metric in scraped(done, 0).items()
    }.items()
    assert OWN == scraped(done, 0).keys()
    assert OWN | {"a"} == scraped(done, 1).keys()
    [line] = done.logged
    assert why in line.message
