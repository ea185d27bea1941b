"""
Push log records to Grafana Loki.

The format is that of Loki's HTTP API, `POST /loki/api/v1/push`
(https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs): streams, each with
its labels and its entries, an entry being a time in nanoseconds as text, a line, and structured
metadata. Labels make streams, so that only few attributes should be labels; all others, the trace
and the severity become structured metadata, under the names that Loki's own OTLP endpoint gives.
"""

import json
import re
import time
import zlib
from typing import Any

import attrs

from otelwasm_sdk import LogRecord, Logs, exporter, http, text_of


@attrs.frozen
class Config:
    # The server, as `http://loki:3100`.
    endpoint: str
    # The attributes of the resource that become labels.
    labels: tuple[str, ...] = (
        "service.name",
        "service.namespace",
        "deployment.environment.name",
        "k8s.namespace.name",
    )
    tenant: str = ""
    timeout_s: float = 10.0


@exporter
def loki(batch: Logs, config: Config) -> None:
    streams: dict[tuple[tuple[str, str], ...], list[Any]] = {}
    for record in batch.log_records():
        streams.setdefault(labels(record, config), []).append(entry(record, config))
    if not streams:
        return
    body = json.dumps(
        {"streams": [{"stream": dict(key), "values": values} for key, values in streams.items()]},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    if config.tenant:
        headers["x-scope-orgid"] = config.tenant
    # 204 is success; a rate limit and trouble of Loki's come back as retryable.
    http.post(
        f"{config.endpoint.rstrip('/')}/loki/api/v1/push",
        zlib.compress(body.encode(), wbits=31),
        headers=headers,
        timeout_s=config.timeout_s,
    ).raise_for_status()


def labels(record: LogRecord, config: Config) -> tuple[tuple[str, str], ...]:
    attributes = record.resource.attributes
    found = [(name_of(key), text_of(attributes[key])) for key in config.labels if key in attributes]
    # A stream has at least one label; Loki calls a service so that has no name.
    return tuple(found) or (("service_name", "unknown_service"),)


def entry(record: LogRecord, config: Config) -> list[Any]:
    metadata = {
        **{
            name_of(key): text_of(value)
            for key, value in record.resource.attributes.items()
            if key not in config.labels
        },
        "scope_name": record.scope.name,
        **{name_of(key): text_of(value) for key, value in record.attributes.items()},
        "severity_text": record.severity_text,
        "severity_number": str(record.severity_number or ""),
        "trace_id": record.trace_id.hex(),
        "span_id": record.span_id.hex(),
        "event_name": record.event_name,
    }
    time_unix_nano = record.time_unix_nano or record.observed_time_unix_nano or time.time_ns()
    kept = {key: value for key, value in metadata.items() if value}
    return [str(time_unix_nano), text_of(record.body), kept]


def name_of(key: str) -> str:
    """Write a key as Loki allows it: letters, digits and underscores, no digit first."""
    name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return f"key_{name}" if not name or name[0].isdigit() else name
