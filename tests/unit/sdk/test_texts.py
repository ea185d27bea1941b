"""
Values as texts, held against what the Collector's own code writes.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from native.reference import plain
from otelwasm_sdk import Logs, text_of

TOP = Path(__file__).resolve().parents[3]
# The Go SDK's tests hold the same file against pdata.
TEXTS = json.loads((TOP / "guests/sdk/go/pdata/testdata/texts.json").read_text())


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: json.dumps(case["value"]))
def test_texts_are_those_of_the_collector(case: dict[str, Any]) -> None:
    """
    A value's text is what the Collector's AsString gives.
    """
    value = plain(ParseDict(case["value"], AnyValue()))

    assert case["text"] == text_of(value)


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: json.dumps(case["value"]))
def test_patterns_match_these_texts(case: dict[str, Any]) -> None:
    """
    A pattern in a condition sees the same text; no value at all is matched by none.
    """
    value = ParseDict(case["value"], AnyValue())
    batch = Logs.of({})
    batch.proto.resource_logs[0].scope_logs[0].log_records[0].body.CopyFrom(value)
    dropped = batch.drop({"body": re.compile(re.escape(case["text"]))})

    assert (0 if value == AnyValue() else 1) == dropped
