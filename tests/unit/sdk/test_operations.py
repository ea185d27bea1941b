"""
Operations on a whole batch reach what `on` says, in every signal, and nothing else.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from otelwasm.testing import a_log_record, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import (
    Batch,
    Logs,
    Malformed,
    Metrics,
    Profiles,
    Traces,
    at_least,
    below,
    hashed,
    key_values,
)

ID = "enduser.id"


def everywhere() -> Traces:
    """
    A span with an event and a link; all of them, the resource and the scope have ID.
    """
    span = a_span("a", attributes={ID: "ada"})
    span.events.add(name="e", attributes=key_values({ID: "ada"}))
    span.links.add(attributes=key_values({ID: "ada"}))
    batch = traces(span, resource={ID: "ada"})
    batch.set_attribute(ID, "ada", on="scopes")
    return Traces(bytes(batch))


def ids(batch: Batch[Any]) -> list[Any]:
    """
    What each set of attributes says for ID: of resource, scope, span, event, link.
    """
    return [each.get(ID) for each in batch.all_attributes()]


@pytest.mark.parametrize(
    ("on", "place"),
    [("resources", 0), ("scopes", 1), ("items", 2), ("spans", 2), ("events", 3), ("links", 4)],
)
def test_an_operation_is_about_one_kind(on: str, place: int) -> None:
    """
    Setting, deleting, renaming, mapping and hashing change what `on` says and nothing else.
    """
    operations: dict[Any, Callable[[Traces], int]] = {
        "new": lambda batch: batch.set_attribute(ID, "new", on=on),
        None: lambda batch: batch.delete_attribute(ID, on=on),
        "ADA": lambda batch: batch.map_attribute(ID, str.upper, on=on),
        hashed("ada", salt="s"): lambda batch: batch.hash_attributes(ID, salt="s", on=on),
    }
    for expected, operation in operations.items():
        batch = everywhere()

        assert 1 == operation(batch)
        assert [expected if n == place else "ada" for n in range(5)] == ids(Traces(bytes(batch)))
    batch = everywhere()

    assert 1 == batch.rename_attribute(ID, "user.id", on=on)
    assert [None if n == place else "ada" for n in range(5)] == ids(batch)
    assert ["a"] * (place == 2) == [span.name for span in batch.having("user.id")]


def test_what_takes_away_looks_everywhere() -> None:
    """
    Without `on`, an attribute is set on items, and deleted, renamed, mapped, hashed anywhere.
    """
    assert 1 == everywhere().set_attribute(ID, "new")
    assert 5 == everywhere().delete_attribute(ID)
    assert 5 == everywhere().rename_attribute(ID, "user.id")
    assert 5 == everywhere().map_attribute(ID, str.upper)
    assert 5 == everywhere().hash_attributes(ID)


@pytest.mark.parametrize("batch", [Traces, Metrics, Logs, Profiles])
@pytest.mark.parametrize("on", ["resources", "scopes"])
def test_what_is_absent_is_made(batch: type[Batch[Any]], on: str) -> None:
    """
    A resource or a scope that the sender left out is there once it has an attribute.
    """
    groups, scopes, _ = batch._way
    empty = batch(bytes(batch.from_proto(batch._request(**{groups: [{scopes: [{}]}]}))))

    assert 1 == empty.set_attribute("k", "v", on=on)
    views = empty.resources() if on == "resources" else empty.scopes()
    assert ["v"] == [view.attributes["k"] for view in views]


def test_modes() -> None:
    """
    An attribute can be set only where it is, or only where it is not.
    """
    batch = traces(a_span("a", attributes={"k": 1}), a_span("b"))

    assert 1 == batch.set_attribute("k", 2, mode="insert")
    assert [1, 2] == batch.values("attributes.k")
    batch.items()[1].attributes.clear()
    assert 1 == batch.set_attribute("k", 3, mode="update")
    assert [3, None] == batch.values("attributes.k")


def test_conditions() -> None:
    """
    Items go by fields and attributes, by those of their resource, and by a function.
    """
    batch = traces(
        a_span("GET /health", attributes={"http.response.status_code": 200}),
        a_span("GET /x", attributes={"http.response.status_code": 503}, is_error=True),
        a_span("POST /x", duration_s=2),
        resource={"service.name": "shop"},
    )
    for which, left in (
        ({"name": "GET /health"}, ["GET /x", "POST /x"]),
        ({"name": re.compile("GET .*")}, ["POST /x"]),
        ({"status.code": 2}, ["GET /health", "POST /x"]),
        ({"attributes.http.response.status_code": at_least(500)}, ["GET /health", "POST /x"]),
        ({"attributes.http.response.status_code": range(200, 300)}, ["GET /x", "POST /x"]),
        ({"attributes.http.response.status_code": ...}, ["POST /x"]),
        ({"resource.attributes.service.name": "shop", "kind": below(1)}, batch.values("name")),
        (lambda span: span.duration_s > 1, ["GET /health", "GET /x"]),
    ):
        dropped, kept = Traces(bytes(batch)), Traces(bytes(batch))

        assert 3 - len(left) == dropped.drop(which)
        assert left == Traces(bytes(dropped)).values("name")
        kept.keep(which)
        gone = [name for name in batch.values("name") if name not in left]
        assert gone == Traces(bytes(kept)).values("name")


def test_events_and_metrics_can_go_alone() -> None:
    """
    What is dropped need not be what the signal counts.
    """
    batch = everywhere()

    assert 1 == batch.drop({"name": "e"}, on="events")
    assert ([], 1) == (list(batch.events()), len(batch.links()))
    points = metrics(a_metric("a"), a_metric("b"))
    assert 1 == points.drop(lambda metric: metric.name == "a", on="metrics")
    assert ["b"] == [point.metric.name for point in points.data_points()]


def test_split_by_name() -> None:
    """
    A field or an attribute says which part an item goes to; nothing is another part.
    """
    batch = logs(
        a_log_record("1", attributes={"tenant": "a"}),
        a_log_record("2"),
        a_log_record("3", attributes={"tenant": "a"}),
    )
    parts = batch.split("attributes.tenant")

    assert {"a": ["1", "3"], None: ["2"]} == {
        key: [record.body for record in part.log_records()] for key, part in parts.items()
    }
    assert batch.split(lambda record: record.attributes.get("tenant")).keys() == parts.keys()


def test_new_batches() -> None:
    """
    A batch of new items needs no protobuf.
    """
    batch = Metrics.of(
        {"name": "m", "sum": {"is_monotonic": True, "data_points": [{"as_int": 5}]}},
        resource={"service.name": "shop"},
        scope={"name": "lib"},
    )
    [point] = batch.data_points()

    assert ("m", "sum", 5, "lib", "shop") == (
        point.metric.name,
        point.metric.kind,
        point.value,
        point.scope.name,
        point.resource.attributes["service.name"],
    )
    point.metric.data_points.append({"as_double": 1.5, "attributes": {"k": [1]}})
    assert [5, 1.5] == [point.value for point in Metrics(bytes(batch)).data_points()]
    assert [5, None] == Metrics(bytes(batch)).values("as_int")
    with pytest.raises(ValueError, match="LogRecord has no 'text'"):
        Logs.of({"text": "hello"})


def test_both_ways_at_once_are_refused() -> None:
    """
    Changes through the message and through items do not overwrite one another silently.
    """
    batch = traces(a_span("a"))
    request = batch.proto
    request.resource_spans[0].scope_spans[0].spans[0].name = "b"
    assert ["b"] == batch.values("name")
    batch.items()[0].name = "c"
    assert ["c"] == Traces(bytes(batch)).values("name")
    request.resource_spans[0].scope_spans[0].spans[0].kind = 2

    with pytest.raises(RuntimeError, match=r"batch\.proto was changed"):
        bytes(batch)


def test_wrong_names_are_named() -> None:
    """
    A kind, a field or a mode that there is not raises, and the batch stays as it was.
    """
    batch = everywhere()
    payload = bytes(batch)

    with pytest.raises(ValueError, match="nothing in OTLP is called 'spam'"):
        batch.set_attribute("k", 1, on="spam")
    with pytest.raises(ValueError, match="has no data_points"):
        batch.delete_attribute(ID, on="data_points")
    with pytest.raises(ValueError, match="spans have no 'nam'"):
        batch.drop({"nam": "a"})
    assert payload is bytes(batch)


@pytest.mark.parametrize(
    "look",
    [
        lambda batch: batch.proto,
        lambda batch: batch.items(),
        lambda batch: batch.values("name"),
        lambda batch: batch.drop({"name": "a"}),
        lambda batch: batch.split("trace_id"),
        lambda batch: batch.set_attribute("k", 1),
        lambda batch: len(batch),
    ],
)
def test_malformed_batches_are_refused(look: Callable[[Traces], object]) -> None:
    """
    Whoever looks into a malformed batch gets Malformed, with the place, before any part of it.
    """
    damaged = bytes(everywhere()) + b"\x0a\x05"

    with pytest.raises(Malformed, match=r"^malformed traces payload: byte "):
        look(Traces(damaged))
