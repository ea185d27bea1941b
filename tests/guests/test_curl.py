"""
The curl example makes a request for each batch.
"""

import json
from typing import Any

import pytest

from guests.examples import trial
from otelwasm.testing import Trial, a_log_record, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import Batch
from otelwasm_sdk.http import Failed, Response

URL = "http://api/hook"


def curl(answer: Response | Exception, **config: object) -> Trial:
    return trial("curl", config={"url": URL, **config}, http={URL: answer})


def attributes(batch: Batch[Any] | None) -> list[dict[str, Any]]:
    assert batch is not None
    return [dict(item.attributes) for item in batch.items()]


def test_the_answer_becomes_attributes() -> None:
    """
    The status, and fields of a JSON answer, are attributes of each item.
    """
    answer = Response(200, '{"data": {"version": "1.2", "n": [1]}}')
    fields = {"data.version": "app.version", "data.n": "app.n", "data.x.y": "app.none"}
    done = curl(answer, fields=fields, headers={"accept": "application/json"})

    result = done.process(traces(a_span("a"), a_span("b")))

    assert [{"curl.status": 200, "app.version": "1.2", "app.n": [1]}] * 2 == attributes(result)
    [request] = done.requested
    assert ("GET", b"", "application/json") == (
        request.method,
        request.body,
        request.header("accept"),
    )


@pytest.mark.parametrize(
    ("batch", "item"),
    [
        (traces(a_span("{count}")), {"name": "{count}", "duration_s": 0.1}),
        (metrics(a_metric("m", value=3)), {"name": "m", "value": 3}),
        (logs(a_log_record(b"\1")), {"name": "", "body": "01"}),
    ],
)
def test_items_are_posted(batch: Batch[Any], item: dict[str, Any]) -> None:
    """
    The items of a batch can be the body, with what the batch is.
    """
    body = '{"signal": "{signal}", "count": {count}, "items": {items}}'
    done = curl(Response(204), method="POST", body=body, headers={"x-signal": "{signal}"})

    done.process(batch)

    [request] = done.requested
    assert {
        "signal": batch.signal.label,
        "count": 1,
        "items": [item | {"attributes": {}, "resource": {}}],
    } == json.loads(request.body)
    assert batch.signal.label == request.header("x-signal")


def test_failures_pass_unless_it_must_succeed() -> None:
    """
    A request that fails leaves the batch as it is; one that must succeed holds it.
    """
    refusing = Failed("connection refused")
    batch = traces(a_span("a"))

    assert [{}] == attributes(curl(refusing).process(batch))
    assert [{"curl.status": 500}] == attributes(curl(Response(500)).process(batch))
    assert [{}] == attributes(curl(Response(200, "x"), status_attribute="").process(batch))
    for answer in (refusing, Response(500)):
        with pytest.raises(Failed):
            curl(answer, must_succeed=True).process(batch)
