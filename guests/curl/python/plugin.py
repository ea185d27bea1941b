"""
Make one HTTP request for each batch, as curl would, and keep what was answered as attributes.

The URL, the headers and the body may hold {signal}, {count} and {time}, the body {items}, too: the
batch's items as a JSON list, each with its name and attributes.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import attrs

from otelwasm_sdk import Batch, DataPoint, Failure, Item, LogRecord, Span, http, log, processor


@attrs.frozen
class Config:
    url: str
    method: str = "GET"
    headers: dict[str, str] = attrs.field(factory=dict)
    body: str = ""
    timeout_s: float = 5.0
    # The attribute of each item that holds the response's status; none if empty.
    status_attribute: str = "curl.status"
    # Which fields of a JSON response become which attributes: {data.version: app.version}.
    fields: dict[str, str] = attrs.field(factory=dict)
    # Whether a batch waits, to be tried again, until the request succeeds.
    must_succeed: bool = False


@processor
def curl(batch: Batch, config: Config) -> Batch:
    about = {
        "signal": batch.signal.label,
        "count": str(len(batch)),
        "time": f"{time.time():.3f}",
    }
    if "{items}" in config.body:
        items = [describe(item) for item in batch.items()]
        about["items"] = json.dumps(items, default=bytes.hex)
    try:
        response = http.request(
            config.method,
            filled(config.url, about),
            headers={name: filled(value, about) for name, value in config.headers.items()},
            body=filled(config.body, about),
            timeout_s=config.timeout_s,
        )
        if response.status >= 400 and config.must_succeed:
            raise http.Failed(f"{config.url} answered {response.status}")
    except Failure as error:
        if config.must_succeed:
            raise
        log.warning(f"{config.method} {config.url}: {error}")
        return batch
    if config.status_attribute:
        batch.set_attribute(config.status_attribute, response.status)
    answer = decoded(response) if config.fields else None
    for path, attribute in config.fields.items():
        if (value := member(answer, path)) is not None:
            try:
                batch.set_attribute(attribute, value)
            except ValueError as error:
                log.warning(f"{path} of what {config.url} answered: {error}")
    return batch


def filled(template: str, about: Mapping[str, str]) -> str:
    # Not str.format: a body of JSON is full of braces.
    for name, value in about.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def describe(item: Item) -> dict[str, Any]:
    if isinstance(item, Span):
        head: dict[str, Any] = {"name": item.name, "duration_s": item.duration_s}
    elif isinstance(item, DataPoint):
        head = {"name": item.metric.name, "value": item.value}
    elif isinstance(item, LogRecord):
        head = {"name": item.event_name, "body": item.body}
    else:
        head = {}
    resource = dict(item.resource.attributes)
    return {**head, "attributes": dict(item.attributes), "resource": resource}


def decoded(response: http.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def member(answer: Any, path: str) -> Any:
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, Mapping) else None
    return answer
