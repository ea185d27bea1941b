"""
The Loki example sends what Loki's push API takes.
"""

import gzip
import json
from typing import Any

import pytest

from guests.examples import trial
from otelwasm.testing import Trial, a_log_record, logs
from otelwasm_sdk import Logs, Permanent, Retryable
from otelwasm_sdk.http import Response

PUSH = "http://loki:3100/loki/api/v1/push"


def exporter(answer: Response | None = None, **config: object) -> Trial:
    config = {"endpoint": "http://loki:3100/", **config}
    return trial("loki", config=config, http={PUSH: answer or Response(204)})


def pushed(done: Trial) -> Any:
    [request] = done.requested
    assert "gzip" == request.header("content-encoding")
    return json.loads(gzip.decompress(request.body))


def test_records_become_streams() -> None:
    """
    Records are in one stream for each set of labels, with their time, line and metadata.
    """
    record = a_log_record("slow: ü", attributes={"http.route": "/a", "n": 1, "2nd": True})
    record.severity_text, record.severity_number = "WARN", 13
    record.trace_id, record.span_id = bytes(range(16)), bytes(range(8))
    shop = {"service.name": "shop", "host.name": "a", "deployment.environment.name": "prod"}
    first = logs(record, a_log_record({"b": 1}, severity_number=0), resource=shop, scope="lib")
    other = logs(a_log_record("else", severity_number=0), scope="")
    done = exporter(tenant="team-a")

    done.send(Logs(bytes(first) + bytes(other)))

    [request] = done.requested
    assert ("POST", PUSH) == (request.method, request.url)
    assert ("application/json", "team-a") == (
        request.header("content-type"),
        request.header("x-scope-orgid"),
    )
    metadata = {
        "host_name": "a",
        "scope_name": "lib",
        "http_route": "/a",
        "n": "1",
        "key_2nd": "true",
        "severity_text": "WARN",
        "severity_number": "13",
        "trace_id": "000102030405060708090a0b0c0d0e0f",
        "span_id": "0001020304050607",
    }
    assert {
        "streams": [
            {
                "stream": {"service_name": "shop", "deployment_environment_name": "prod"},
                "values": [
                    ["1700000000000000000", "slow: ü", metadata],
                    [
                        "1700000000000000000",
                        '{"b":1}',
                        {"host_name": "a", "scope_name": "lib"},
                    ],
                ],
            },
            {
                "stream": {"service_name": "unknown_service"},
                "values": [["1700000000000000000", "else", {}]],
            },
        ]
    } == pushed(done)


def test_the_observed_time_stands_in() -> None:
    """
    A record without a time has the one when it was observed.
    """
    record = a_log_record("x")
    record.time_unix_nano, record.observed_time_unix_nano = 0, 17
    done = exporter()

    done.send(logs(record))

    assert "17" == pushed(done)["streams"][0]["values"][0][0]


def test_nothing_is_not_sent() -> None:
    """
    An empty batch makes no request.
    """
    done = exporter()

    done.send(Logs())

    assert [] == done.requested


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_retryable(status: int) -> None:
    """
    A rate limit and trouble of Loki's are retryable.
    """
    with pytest.raises(Retryable, match=f"answered {status}: why"):
        exporter(Response(status, "why\n")).send(logs(a_log_record("x")))


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_will_not_pass_is_permanent(status: int) -> None:
    """
    What Loki does not accept is permanent, with its reason.
    """
    with pytest.raises(Permanent, match=f"answered {status}: why"):
        exporter(Response(status, "why\n")).send(logs(a_log_record("x")))
