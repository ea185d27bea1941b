"""
Dropping and keeping by conditions, held against protobuf.
"""

import re
from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

import pytest

from native import reference
from native.otlp_samples import REQUESTS, random_request
from native.reference import attributes, plain
from otelwasm_sdk import at_least, below

ABSENT = object()


def attribute(message: Any, key: str) -> Any:
    """
    The first value of an attribute, as a Python value; ABSENT where there is none.
    """
    values = (plain(pair.value) for pair in attributes(message) if pair.key == key)
    return next(values, ABSENT)


def is_equal(value: Any, wanted: Any) -> bool:
    """
    Equality in which True is no 1.
    """
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


Predicate = Callable[[Any], bool]
SPANS: list[tuple[dict[str, Any], Predicate]] = [
    ({"name": "GET /x"}, lambda s: s.name == "GET /x"),
    ({"name": ("a", "GET /x")}, lambda s: s.name in ("a", "GET /x")),
    ({"name": str.isalpha}, lambda s: s.name.isalpha()),
    ({"name": re.compile("[a-z]|GET .*")}, lambda s: s.name in ("a", "GET /x")),
    ({"kind": re.compile("7.")}, lambda s: s.kind == 77),
    ({"kind": range(2, 100)}, lambda s: s.kind >= 2),
    ({"kind": at_least(2)}, lambda s: s.kind >= 2),
    ({"kind": below(1.5)}, lambda s: s.kind < 1.5),
    ({"name": below(5)}, lambda s: False),
    (
        {"attributes.env": at_least(0)},
        lambda s: type(attribute(s, "env")) in (int, float) and attribute(s, "env") >= 0,
    ),
    (
        {"attributes.env": re.compile("[a1-5.]+")},
        lambda s: str(attribute(s, "env")) in ("a", "1", "1.5"),
    ),
    ({"kind": 2, "name": ""}, lambda s: s.kind == 2 and s.name == ""),
    ({"status.code": 2}, lambda s: s.status.code == 2),
    ({"trace_id": b""}, lambda s: s.trace_id == b""),
    ({"attributes.env": ...}, lambda s: attribute(s, "env") is not ABSENT),
    ({"attributes.env": "GET /x"}, lambda s: is_equal(attribute(s, "env"), "GET /x")),
    ({"attributes.env": True}, lambda s: is_equal(attribute(s, "env"), True)),
    ({"attributes.env": 1}, lambda s: is_equal(attribute(s, "env"), 1)),
    ({"attributes.env": None}, lambda s: attribute(s, "env") is None),
    ({"attributes.http.route": []}, lambda s: attribute(s, "http.route") == []),
    ({"attributes.": ...}, lambda s: attribute(s, "") is not ABSENT),
    ({"attributes.not there": ...}, lambda s: False),
]
POINTS: list[tuple[dict[str, Any], Predicate]] = [
    ({"as_int": 1}, lambda p: getattr(p, "as_int", 0) == 1 and p.WhichOneof("value") == "as_int"),
    ({"count": 0}, lambda p: hasattr(p, "count") and p.count == 0),
    ({"attributes.env": ...}, lambda p: attribute(p, "env") is not ABSENT),
    ({"flags": (1, 300)}, lambda p: p.flags in (1, 300)),
]
OTHERS: list[tuple[int, str, dict[str, Any], Predicate]] = [
    (0, "events", {"name": "a"}, lambda e: e.name == "a"),
    (0, "links", {"trace_state": "a"}, lambda e: e.trace_state == "a"),
    (0, "resources", {"attributes.env": ...}, lambda r: attribute(r, "env") is not ABSENT),
    (0, "resources", {"dropped_attributes_count": 0}, lambda r: r.dropped_attributes_count == 0),
    (0, "scopes", {"name": "a"}, lambda s: s.name == "a"),
    (1, "metrics", {"name": "a"}, lambda m: m.name == "a"),
    (1, "exemplars", {"span_id": b""}, lambda e: e.span_id == b""),
    (1, "scopes", {"version": "a"}, lambda s: s.version == "a"),
    (2, "log_records", {"body": "GET /x"}, lambda r: is_equal(plain(r.body), "GET /x")),
    (2, "log_records", {"body": None}, lambda r: plain(r.body) is None),
    (2, "log_records", {"severity_number": range(3)}, lambda r: r.severity_number in range(3)),
    (3, "profiles", {"period": -1}, lambda p: p.period == -1),
    (3, "samples", {"link_index": 0}, lambda s: s.link_index == 0),
    (3, "samples", {"values": []}, lambda s: not s.values),
]
CASES = [
    *((0, "spans", *case) for case in SPANS),
    *((1, "data_points", *case) for case in POINTS),
    *OTHERS,
]


@pytest.mark.parametrize(("signal", "on", "conditions", "predicate"), CASES)
@pytest.mark.parametrize("keeps", [False, True])
def test_drop_and_keep(
    native: ModuleType,
    signal: int,
    on: str,
    conditions: dict[str, Any],
    predicate: Predicate,
    keeps: bool,
) -> None:
    """
    What meets all conditions goes, or stays, and what is emptied by that goes with it.
    """
    for number in range(60):
        random = Random(f"{signal} {conditions} {number}")
        request = random_request(random, signal, richness=random.random())
        batch = native.Batch(request.SerializeToString(), signal)
        dropped = (batch.keep if keeps else batch.drop)(conditions, on=on)
        expected = reference.drop(request, lambda m: bool(predicate(m)) != keeps, on=on)

        assert request == REQUESTS[signal].FromString(bytes(batch))
        assert expected == dropped


def test_conditions_on_what_is_around(native: ModuleType) -> None:
    """
    A condition can be about the resource, the scope, or the metric of what is dropped.
    """
    request = REQUESTS[1]()
    for service in ("a", "b"):
        group = request.resource_metrics.add()
        group.resource.attributes.add(key="service.name").value.string_value = service
        for name in ("cpu", "disk"):
            scope = group.scope_metrics.add()
            scope.scope.name = f"scope of {name}"
            scope.metrics.add(name=name).gauge.data_points.add(as_int=1)
    request.resource_metrics.add().scope_metrics.add().metrics.add(
        name="cpu"
    ).gauge.data_points.add()
    payload = request.SerializeToString()

    def left(**conditions: Any) -> list[str]:
        batch = native.Batch(payload, 1)
        batch.keep({path.replace("__", "."): value for path, value in conditions.items()})
        return [
            f"{point.resource.attributes.get('service.name')} {point.metric.name}"
            for point in batch.each()
        ]

    assert (
        ["a cpu", "a disk"]
        == left(resource__attributes__service__name="a")
        == left(**{"resource.attributes.service.name": "a"})
    )
    assert ["a cpu", "b cpu", "None cpu"] == left(metric__name="cpu")
    assert ["a disk", "b disk"] == left(**{"scope.name": "scope of disk"})


def test_conditions_on_the_span_of_an_event(native: ModuleType) -> None:
    """
    An event's condition can be about its span.
    """
    request = REQUESTS[0]()
    spans = request.resource_spans.add().scope_spans.add().spans
    for name in ("a", "b"):
        spans.add(name=name).events.add(name="e")
    batch = native.Batch(request.SerializeToString(), 0)
    batch.drop({"span.name": "a"}, on="events")

    assert [0, 1] == [len(span.events) for span in batch.each()]


@pytest.mark.parametrize(
    ("conditions", "error", "text"),
    [
        ({}, TypeError, "at least one"),
        ("name", TypeError, "conditions are a dict"),
        ({1: 2}, TypeError, "is named by a str, not 1"),
        (
            {"nam": 2},
            ValueError,
            "spans have no 'nam'; they have .*, name, .*, resource.attributes.KEY, attributes.KEY$",
        ),
        ({"metric.name": 2}, ValueError, "spans have no 'metric'"),
        ({"a.b.c.d.e.f": 2}, ValueError, "too long"),
        ({"status": 2}, TypeError, "is no single value"),
        ({"name": lambda name: 1 // 0}, ZeroDivisionError, "by zero"),
        ({"name": 1 + 2j}, TypeError, "complex"),
    ],
)
def test_wrong_conditions_are_named(
    native: ModuleType, conditions: Any, error: type[Exception], text: str
) -> None:
    """
    A condition that no span can meet is an error, not an empty batch.
    """
    request = REQUESTS[0]()
    request.resource_spans.add().scope_spans.add().spans.add(name="a").status.code = 2
    batch = native.Batch(request.SerializeToString(), 0)

    with pytest.raises(error, match=text):
        batch.drop(conditions)


def test_bounds_are_numbers(native: ModuleType) -> None:
    """
    A bound says what it is, and takes nothing but a number.
    """
    assert ["at_least(5)", "below(1.5)"] == [repr(at_least(5)), repr(below(1.5))]
    for wrong in ("5", True, None):
        with pytest.raises(TypeError, match="a bound is a number"):
            native.at_least(wrong)


def test_a_value_can_be_held_against_a_condition(native: ModuleType) -> None:
    """
    What conditions ask of a value can be asked of one alone.
    """
    assert native.meets("GET", re.compile("[A-Z]+"))
    assert native.meets(5, at_least(5))
    assert native.meets(None, ...)
    assert not native.meets(True, 1)
