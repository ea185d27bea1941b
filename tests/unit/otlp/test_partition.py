"""
Requests are cut by trace without loss: each trace in one part, each item in one.
"""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.otlp.wire import partition_by_trace
from otelwasm.signals import Signal
from unit.otlp.messages import few_examples
from unit.otlp.payloads import a_payload

# Resources, scopes in them, and the ids of the traces of what is in those.
Groups = list[list[list[bytes]]]
_IDS = st.one_of(st.just(b""), st.binary(min_size=16, max_size=16), st.binary(max_size=20))
groups = st.lists(st.lists(st.lists(_IDS, max_size=6), max_size=3), max_size=3)


def a_request(signal: Signal, found: Groups) -> bytes:
    """
    Make a request of items that say in their names where they stand.
    """
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    for number, scopes in enumerate(found):
        group = traces.resource_spans.add(schema_url=f"group {number}")
        same = logs.resource_logs.add(schema_url=f"group {number}")
        for place, ids in enumerate(scopes):
            scope = group.scope_spans.add(schema_url=f"scope {place}")
            same_scope = same.scope_logs.add(schema_url=f"scope {place}")
            for trace_id in ids:
                scope.spans.add(trace_id=trace_id, name=f"{number}.{place}")
                same_scope.log_records.add(trace_id=trace_id, event_name=f"{number}.{place}")
    return (traces if signal is Signal.TRACES else logs).SerializeToString()


def traces_in(signal: Signal, payload: bytes) -> list[tuple[str, str, str, bytes]]:
    """
    List what is around each item, and its trace.
    """
    if signal is Signal.TRACES:
        return [
            (group.schema_url, scope.schema_url, span.name, span.trace_id)
            for group in ExportTraceServiceRequest.FromString(payload).resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]
    return [
        (group.schema_url, scope.schema_url, record.event_name, record.trace_id)
        for group in ExportLogsServiceRequest.FromString(payload).resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]


@few_examples
@given(found=groups, count=st.integers(1, 5))
@pytest.mark.parametrize("signal", [Signal.TRACES, Signal.LOGS])
def test_each_trace_is_in_one_part(signal: Signal, found: Groups, count: int) -> None:
    """
    The parts hold every item once, with what is around it, and no trace is in two of them.
    """
    payload = a_request(signal, found)

    parts = partition_by_trace(signal, payload, count=count)
    seen = {number: traces_in(signal, part) for number, part in parts.items()}

    assert set(parts) <= set(range(count))
    together = Counter(item for items in seen.values() for item in items)
    assert Counter(traces_in(signal, payload)) == together
    owners: dict[bytes, set[int]] = {}
    for number, items in seen.items():
        for *_, trace_id in items:
            owners.setdefault(trace_id, set()).add(number)
    assert all(len(numbers) == 1 for numbers in owners.values())


def test_a_trace_has_the_same_number_in_every_request_and_signal() -> None:
    """
    The number depends on the trace and on the count alone.
    """
    ids = [bytes([*range(15), last]) for last in range(8)]

    for signal in (Signal.TRACES, Signal.LOGS):
        for trace_id in ids:
            parts = partition_by_trace(signal, a_request(signal, [[[trace_id]]]), count=4)
            assert [trace_id[-1] % 4] == list(parts)


@pytest.mark.parametrize("signal", [Signal.METRICS, Signal.PROFILES])
def test_what_has_no_trace_stays_whole(signal: Signal) -> None:
    """
    Requests of metrics and profiles are number 0, as they came.
    """
    payload = a_payload(signal, 5)

    assert {0: payload} == partition_by_trace(signal, payload, count=4)


def test_unknown_fields_stay() -> None:
    """
    What nobody here knows is still there, around an item and in it.
    """
    unknown = b"\xfa\x07\x03new"
    span = b"\x0a\x10" + bytes(16) + unknown
    scope = b"\x12" + bytes([len(span)]) + span + unknown
    group = b"\x12" + bytes([len(scope)]) + scope + unknown
    payload = b"\x0a" + bytes([len(group)]) + group + unknown

    assert {0: payload} == partition_by_trace(Signal.TRACES, payload, count=2)


def test_malformed_request_is_refused() -> None:
    """
    A request that is cut off raises ValueError.
    """
    with pytest.raises(ValueError, match="malformed traces request"):
        partition_by_trace(Signal.TRACES, a_payload(Signal.TRACES, 3)[:-1], count=2)
