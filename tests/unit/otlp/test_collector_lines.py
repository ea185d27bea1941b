"""
Our lines are those of the Collector's file exporter.

The files in `collector_v0_155` were written by pdata v1.61.0 (`ptrace.JSONMarshaler` and so on),
with which the Collector v0.155 writes its files, from requests that use every kind of field.
"""

import json
from pathlib import Path

import pytest

from otelwasm.otlp.json import from_json, to_json
from otelwasm.signals import Signal

LINES = Path(__file__).parent / "collector_v0_155"


@pytest.mark.parametrize("signal", Signal)
def test_lines_hold_what_the_collectors_hold(signal: Signal) -> None:
    """
    A line of the Collector's, read and written again, has the same members with the same values.
    """
    theirs = (LINES / f"{signal.label}.json").read_bytes()

    ours = to_json(signal, from_json(signal, theirs))

    assert json.loads(theirs) == json.loads(ours)


@pytest.mark.parametrize("signal", [Signal.TRACES, Signal.LOGS, Signal.PROFILES])
def test_lines_are_the_same_bytes(signal: Signal) -> None:
    """
    Even order and spelling are the Collector's (but for metrics, whose exemplars differ in order).
    """
    theirs = (LINES / f"{signal.label}.json").read_bytes()

    assert theirs == to_json(signal, from_json(signal, theirs)) + b"\n"
