"""
Values as texts in Rust, held against what the Collector's own code writes.
"""

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from rust.applied import Apply
from rust.cargo import SDK

# The Go SDK's tests hold the same file against pdata.
TEXTS = json.loads((SDK.parent / "go/pdata/testdata/texts.json").read_text())


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: json.dumps(case["value"]))
def test_texts_are_those_of_the_collector(apply: Apply, case: dict[str, Any]) -> None:
    """
    A value's text is what the Collector's AsString gives.
    """
    record = {"attributes": [{"key": "k", "value": case["value"]}]}
    request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    payload = ParseDict(request, ExportLogsServiceRequest()).SerializeToString()
    applied = apply("text", 2, payload, on="items")
    changed = ExportLogsServiceRequest.FromString(applied.payload)
    [attribute] = changed.resource_logs[0].scope_logs[0].log_records[0].attributes

    assert case["text"] == attribute.value.string_value
