"""
Differences between batches are said per span, metric or log record, and per attribute.
"""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otelwasm.testing import (
    a_log_record,
    a_metric,
    a_span,
    differences,
    logs,
    metrics,
    traces,
)

SHOP = {"service.name": "shop"}


def numbered(name: str, number: int, **attributes: object) -> Span:
    """
    A span with an id of its own.
    """
    return a_span(name, span_id=f"{number:016x}", attributes=attributes)


def test_equal_batches_do_not_differ() -> None:
    """
    The same telemetry in other bytes is the same.
    """
    batch = traces(numbered("a", 1, user="ada"), resource=SHOP)

    assert [] == differences(batch, type(batch)(bytes(batch)))


def test_attributes_are_named_with_both_values() -> None:
    """
    A changed, a missing and an added attribute are told apart, types included.
    """
    expected = traces(numbered("GET /cart", 1, user="ada", n=5, gone=True), resource=SHOP)
    actual = traces(numbered("GET /cart", 1, user="…", n="5", new=[1, "a"]), resource=SHOP)
    where = 'span "GET /cart", resource service.name=shop: attribute'

    assert [
        f'{where} user: expected "ada", got "…"',
        f'{where} n: expected 5, got "5"',
        f"{where} gone: missing, expected true",
        f'{where} new: not expected, got [1, "a"]',
    ] == differences(expected, actual)


def test_a_lost_span_is_one_difference() -> None:
    """
    Spans after a lost one are compared with themselves; one that is new is said, too.
    """
    spans = [numbered(f"s{number}", number) for number in range(1, 5)]
    expected = traces(*spans, resource=SHOP)
    actual = traces(spans[0], *spans[2:], numbered("other", 9), resource=SHOP)

    assert [
        'span "s2" (2 of 4), resource service.name=shop: missing',
        'span "other" (4 of 4), resource service.name=shop: not expected',
    ] == differences(expected, actual)


def test_a_moved_span_is_one_difference() -> None:
    """
    Of what is in another order, as few as possible are said to have moved.
    """
    spans = [numbered(f"s{number}", number) for number in range(1, 5)]
    expected = traces(*spans, resource=SHOP)
    actual = traces(spans[3], *spans[:3], resource=SHOP)

    assert [
        'span "s4" (4 of 4), resource service.name=shop: '
        "out of order: expected as number 4, got as number 1"
    ] == differences(expected, actual)
    assert [] == differences(expected, actual, any_order=["spans"])


def test_a_changed_span_is_recognised() -> None:
    """
    A span with the same id is the same one, whatever else changed; enums are shown with names.
    """
    expected = traces(numbered("a", 1), numbered("b", 2), resource=SHOP)
    changed = a_span("c", span_id=f"{1:016x}", kind="server")
    actual = traces(changed, numbered("b", 2), resource=SHOP)
    where = 'span "a" (1 of 2), resource service.name=shop'

    assert [
        f'{where}: name: expected "a", got "c"',
        f"{where}: kind: expected 1 (INTERNAL), got 2 (SERVER)",
    ] == differences(expected, actual)


def test_resources_and_scopes_are_compared() -> None:
    """
    What changed on a resource or a scope is said once, and not of its spans.
    """
    span = numbered("a", 1)
    expected = traces(span, resource={**SHOP, "host": "x"}, scope="s")
    actual = traces(span, resource={**SHOP, "host": "y"}, scope="t")

    assert [
        'resource service.name=shop: attribute host: expected "x", got "y"',
        'scope "s", resource service.name=shop: name: expected "s", got "t"',
    ] == differences(expected, actual)


def test_a_lost_resource_is_said_with_what_it_held() -> None:
    """
    A whole resource that is missing is one difference.
    """
    both = traces(numbered("a", 1), resource=SHOP)
    both.proto.resource_spans.extend(
        traces(
            numbered("b", 2), numbered("c", 3), resource={"service.name": "bank"}
        ).proto.resource_spans
    )
    one = traces(numbered("a", 1), resource=SHOP)

    assert ["resource service.name=bank (2 of 2): missing, with 2 spans"] == differences(both, one)


def test_data_points_are_named_by_their_attributes() -> None:
    """
    A data point is found by its attributes, within its metric.
    """
    expected = metrics(a_metric("hits", value=5, attributes={"route": "/a"}), a_metric("other"))
    actual = metrics(a_metric("hits", value=6, attributes={"route": "/a"}), a_metric("more"))

    assert [
        'data point {route=/a}, metric "hits" (1 of 2): asInt: expected 5, got 6',
        'metric "other" (2 of 2): name: expected "other", got "more"',
    ] == differences(expected, actual)


def test_log_records_are_paired_by_likeness() -> None:
    """
    A record has no id: the one with the most in common is taken for it.
    """
    expected = logs(a_log_record("card of ada"), a_log_record("started"))
    actual = logs(a_log_record("card of <user>", severity_number=13), a_log_record("started"))
    where = 'log record "card of ada" (1 of 2)'

    assert [
        f"{where}: severityNumber: expected 9 (INFO), got 13 (WARN)",
        f'{where}: body: expected "card of ada", got "card of <user>"',
    ] == differences(expected, actual)


def test_long_values_are_cut_to_where_they_differ() -> None:
    """
    Of long texts the part is shown in which they begin to differ.
    """
    same = "x" * 500
    expected = logs(a_log_record("a", attributes={"url": f"{same}ada{same}"}))
    actual = logs(a_log_record("a", attributes={"url": f"{same}bob{same}"}))
    [told] = differences(expected, actual)

    assert len(told) < 500
    assert "xada" in told and "xbob" in told


def test_attributes_in_another_order_are_told() -> None:
    """
    The order of attributes counts, unless a case says that it does not.
    """
    expected = logs(a_log_record(attributes={"a": 1, "b": 2}))
    actual = logs(a_log_record(attributes={"b": 2, "a": 1}))

    assert [
        'log record "hello": attributes in another order: expected a, b, got b, a'
        ' (any_order = ["attributes"] allows that)'
    ] == differences(expected, actual)
    assert [] == differences(expected, actual, any_order=["attributes"])


def test_what_is_ignored_is_not_compared() -> None:
    """
    Members and attributes with the names given may differ, or be missing.
    """
    expected = logs(a_log_record(attributes={"id": 1, "b": 2}, severity_number=9))
    actual = logs(a_log_record(attributes={"b": 2}, severity_number=13))

    assert [] == differences(expected, actual, ignore=["id", "severityNumber"])


def test_many_differences_are_found_in_little_time() -> None:
    """
    Batches of thousands that have nothing in common are compared without comparing all with all.
    """
    expected = logs(*(a_log_record(f"a{number}") for number in range(2_000)))
    actual = logs(*(a_log_record(f"b{number}") for number in range(2_000)))

    assert 4_000 == len(differences(expected, actual))
