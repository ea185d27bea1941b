"""Print each span, data point and log record as one line; the host's log shows what is printed."""

from datetime import UTC, datetime
from typing import Any

from otelwasm_sdk import Batch, DataPoint, Item, LogRecord, Span, exporter, text_of


@exporter
def stdout(batch: Batch) -> None:
    for item in batch.items():
        print(line(item))


def line(item: Item) -> str:
    if isinstance(item, Span):
        head = [moment(item.start_time_unix_nano), "span", item.name, item.kind_name]
        head += [f"{item.duration_s * 1000:.3f}ms", "error" if item.is_error else "ok"]
        head += [f"trace={item.trace_id.hex()}", f"span={item.span_id.hex()}"]
    elif isinstance(item, LogRecord):
        time_unix_nano = item.time_unix_nano or item.observed_time_unix_nano
        severity = item.severity_text or str(item.severity_number)
        head = [moment(time_unix_nano), "log", severity, quoted(item.body)]
    elif isinstance(item, DataPoint):
        metric = item.metric
        value = item.value if item.value is not None else f"{item.sum} in {item.count}"
        head = [moment(item.time_unix_nano), metric.kind, metric.name, f"{value}{metric.unit}"]
    else:
        head = ["profile"]
    pairs = {**item.resource.attributes, **item.attributes}
    return " ".join([*head, *(f"{key}={quoted(value)}" for key, value in pairs.items())])


def moment(unix_nano: int) -> str:
    seconds, rest = divmod(unix_nano, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def quoted(value: Any) -> str:
    """Write a value so that a line stays a line, and its end can be seen."""
    text = text_of(value)
    return text if text and text.isprintable() and " " not in text else repr(text)
