"""
Batches are checked, counted, cut and joined without loss.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otelwasm.errors import PermanentError
from otelwasm.otlp.signals import SERVICES
from otelwasm.otlp.wire import count_items, is_mergeable, merge, refuse_malformed, split
from otelwasm.signals import Signal
from unit.otlp.messages import few_examples
from unit.otlp.payloads import a_payload, a_request, spans

every_signal = pytest.mark.parametrize("signal", Signal)


def items_of(signal: Signal, payload: bytes) -> list[tuple[str, ...]]:
    """
    List each item of a request, decoded by protobuf, after everything that surrounds it.
    """
    request = SERVICES[signal].request.FromString(payload)
    groups = next(value for field, value in request.ListFields() if field.number == 1)
    found = []
    for group in groups:
        for scope in next((v for f, v in group.ListFields() if f.number == 2), []):
            around = (str(group.resource), group.schema_url, str(scope.scope))
            for child in next((v for f, v in scope.ListFields() if f.number == 2), []):
                kind = child.WhichOneof("data") if signal is Signal.METRICS else None
                if kind is None:
                    found.append((*around, str(child)))
                    continue
                points = list(getattr(child, kind).data_points)
                del getattr(child, kind).data_points[:]
                found += [(*around, str(child), str(point)) for point in points]
    return found


@every_signal
@pytest.mark.parametrize("items", [0, 1, 5, 100])
def test_items_are_counted(signal: Signal, items: int) -> None:
    """
    A request's count is the number of its spans, data points, log records or profiles.
    """
    assert items == count_items(signal, a_payload(signal, items))


@every_signal
def test_empty_payload_is_a_request_without_items(signal: Signal) -> None:
    """
    No bytes at all are a well-formed request of no items.
    """
    refuse_malformed(signal, b"")

    assert count_items(signal, b"") == 0
    assert split(signal, b"", max_items=1) == [b""]


@every_signal
@pytest.mark.parametrize("max_items", [1, 3, 50])
def test_parts_hold_all_items_with_their_surroundings(signal: Signal, max_items: int) -> None:
    """
    Cutting keeps every item, its order and what surrounds it, and no part is too large.
    """
    payload = a_payload(signal, 20)

    parts = split(signal, payload, max_items=max_items)

    assert items_of(signal, payload) == [i for part in parts for i in items_of(signal, part)]
    assert max_items >= max(count_items(signal, part) for part in parts)
    assert -(-20 // max_items) == len(parts)


@every_signal
def test_small_requests_stay_as_they_are(signal: Signal) -> None:
    """
    A request within the limits comes back as the very same bytes.
    """
    payload = a_payload(signal, 5)

    (part,) = split(signal, payload, max_items=5, max_bytes=len(payload))

    assert payload is part


@every_signal
def test_parts_keep_to_the_limit_in_bytes(signal: Signal) -> None:
    """
    No part is larger than the limit where each item alone is smaller.
    """
    payload = a_payload(signal, 50)

    parts = split(signal, payload, max_bytes=2_000)

    assert items_of(signal, payload) == [i for part in parts for i in items_of(signal, part)]
    assert max(map(len, parts)) <= 2_000


def test_item_over_the_limit_travels_alone() -> None:
    """
    An item larger than the limit gets a part of its own; nothing is lost.
    """
    request = spans(3)
    request.resource_spans[0].scope_spans[0].spans[1].name = "x" * 5_000

    parts = split(Signal.TRACES, request.SerializeToString(), max_bytes=2_000)

    assert [count_items(Signal.TRACES, part) for part in parts] == [1, 1, 1]
    assert [len(part) > 2_000 for part in parts] == [False, True, False]


def test_profiles_keep_their_tables_in_each_part() -> None:
    """
    Each part of cut profiles carries the tables that they point into.
    """
    request = a_request(Signal.PROFILES, 3)

    parts = split(Signal.PROFILES, request.SerializeToString(), max_items=1)

    decoded = [SERVICES[Signal.PROFILES].request.FromString(part) for part in parts]
    assert [request.dictionary] * 3 == [part.dictionary for part in decoded]  # type: ignore[attr-defined]


def test_unknown_fields_survive_cutting() -> None:
    """
    Fields that this version of OTLP does not know stay with their item, scope and request.
    """
    unknown = b"\xc2\x3e\x03new"  # field 1000
    span = b"\x12\x03\x2a\x01a"
    scope = b"\x12" + bytes([2 * len(span) + len(unknown)]) + span + span + unknown
    group = b"\x0a" + bytes([len(scope)]) + scope

    first, second = split(Signal.TRACES, group + unknown, max_items=1)

    assert first == second
    assert first.count(unknown) == 2
    assert [
        s.name
        for g in ExportTraceServiceRequest.FromString(first).resource_spans
        for c in g.scope_spans
        for s in c.spans
    ] == ["a"]


def test_empty_surroundings_are_kept() -> None:
    """
    A metric without points, a scope without metrics and a resource without scopes stay.
    """
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add(schema_url="empty group")
    group = request.resource_metrics.add(schema_url="group")
    group.scope_metrics.add(schema_url="empty scope")
    scope = group.scope_metrics.add(schema_url="scope")
    scope.metrics.add(name="no kind")
    scope.metrics.add(name="no points").sum.is_monotonic = True
    for value in range(2):
        scope.metrics.add(name="points").gauge.data_points.add(as_int=value)

    parts = split(Signal.METRICS, request.SerializeToString(), max_items=1)

    text = str([ExportMetricsServiceRequest.FromString(part) for part in parts])
    assert [count_items(Signal.METRICS, part) for part in parts] == [1, 1]
    for name in ("empty group", "empty scope", "no kind", "no points", "is_monotonic: true"):
        assert text.count(name) == 1, name


trees = st.lists(st.lists(st.lists(st.text(max_size=60), max_size=6), max_size=4), max_size=4)


@few_examples
@given(trees, st.integers(1, 8), st.integers(20, 400))
def test_any_tree_is_cut_without_loss(
    tree: list[list[list[str]]], max_items: int, max_bytes: int
) -> None:
    """
    Whatever the tree and the limits, the parts hold the same items in the same order.
    """
    request = ExportTraceServiceRequest()
    for number, scopes in enumerate(tree):
        group = request.resource_spans.add(schema_url=str(number))
        for names in scopes:
            scope = group.scope_spans.add()
            for name in names:
                scope.spans.add(name=name)
    payload = request.SerializeToString()

    parts = split(Signal.TRACES, payload, max_items=max_items, max_bytes=max_bytes)

    joined = [item for part in parts for item in items_of(Signal.TRACES, part)] if payload else []
    assert (items_of(Signal.TRACES, payload) if payload else []) == joined
    for part in parts:
        assert count_items(Signal.TRACES, part) <= max_items
        assert len(part) <= max_bytes or count_items(Signal.TRACES, part) <= 1


@pytest.mark.parametrize("signal", [Signal.TRACES, Signal.METRICS, Signal.LOGS])
def test_joined_requests_hold_the_items_of_all(signal: Signal) -> None:
    """
    Joining requests of one signal gives one request with the items of each.
    """
    payloads = [a_payload(signal, 5), b"", a_payload(signal, 2)]

    joined = merge(signal, payloads)

    assert is_mergeable(signal)
    assert [i for p in payloads if p for i in items_of(signal, p)] == items_of(signal, joined)


def test_profiles_are_not_joined() -> None:
    """
    Joining profiles would mix up their tables, so it is refused; one alone passes.
    """
    payload = a_payload(Signal.PROFILES)

    with pytest.raises(ValueError, match="profiles requests cannot be joined"):
        merge(Signal.PROFILES, [payload, payload])

    assert not is_mergeable(Signal.PROFILES)
    assert payload == merge(Signal.PROFILES, [payload])


def too_deep() -> bytes:
    """
    Return a span's attribute in which lists nest deeper than protobuf reads.
    """
    request = spans(1)
    value = request.resource_spans[0].resource.attributes.add(key="deep").value
    for _ in range(120):
        value = value.array_value.values.add()
    return request.SerializeToString()


@pytest.mark.parametrize(
    "payload",
    [
        a_payload(Signal.TRACES)[:-3],
        b"hello",
        b"\x0a\x03\x1a\x01\xff",
        b"\x0b",
        b"\0\0",
        too_deep(),
    ],
    ids=["truncated", "no protobuf", "bad UTF-8", "an open group", "field 0", "too deep"],
)
def test_malformed_requests_are_refused_for_good(payload: bytes) -> None:
    """
    A payload that protobuf cannot read is a permanent error that names signal and size.
    """
    with pytest.raises(PermanentError, match=f"malformed traces request of {len(payload)} bytes"):
        refuse_malformed(Signal.TRACES, payload)


def test_frame_errors_are_value_errors() -> None:
    """
    Counting and cutting what is no request says so.
    """
    for act in (count_items, lambda signal, payload: split(signal, payload, max_items=1)):
        with pytest.raises(ValueError, match="malformed logs request"):
            act(Signal.LOGS, b"\x0a\x05")


def test_limit_below_one_item_is_refused() -> None:
    """
    A part must be allowed to hold something.
    """
    with pytest.raises(ValueError, match="max_items is 0"):
        split(Signal.LOGS, b"", max_items=0)
