"""
The stdout example prints one line for each item.
"""

import pytest

from guests.examples import trial
from otelwasm.testing import a_log_record, a_metric, a_span, logs, metrics, traces


def test_each_item_is_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Spans, data points and records are printed, one a line, with what they are and come from.
    """
    exporter = trial("stdout")
    histogram = a_metric("latency")
    histogram.histogram.data_points.add(count=4, sum=1.5)

    exporter.send(traces(a_span("GET /", attributes={"n": 1}), resource={"service.name": "shop"}))
    exporter.send(metrics(a_metric("requests", value=2), histogram))
    exporter.send(logs(a_log_record("two\nlines", severity_text="INFO", attributes={"e": ""})))

    assert [
        "2023-11-14T22:13:20.000000000Z span GET / internal 100.000ms ok"
        " trace=5b8efff798038103d269b633813fc60c span=eee19b7ec3c1b174 service.name=shop n=1",
        "2023-11-14T22:13:20.000000000Z gauge requests 2",
        "1970-01-01T00:00:00.000000000Z histogram latency 1.5 in 4",
        r"2023-11-14T22:13:20.000000000Z log INFO 'two\nlines' e=''",
    ] == capfd.readouterr().out.splitlines()
