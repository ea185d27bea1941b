"""
Looking into a batch and changing it message by message, held against protobuf's objects.
"""

from random import Random
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from native.otlp_samples import REQUESTS, random_request
from native.reference import attributes, messages, plain
from otelwasm_sdk import Event

LEVELS = (
    ("resources", "scopes", "spans", "events", "links"),
    ("resources", "scopes", "metrics", "data_points", "exemplars"),
    ("resources", "scopes", "log_records"),
    ("resources", "scopes", "profiles", "samples"),
)
CASES = [(signal, on) for signal, levels in enumerate(LEVELS) for on in levels]


def pairs_of(message: Any) -> dict[str, Any]:
    """
    A message's attributes as a dict; of a repeated key the first value.
    """
    found: dict[str, Any] = {}
    for pair in attributes(message) or ():
        found.setdefault(pair.key, plain(pair.value))
    return found


def expected_value(message: Any, field: FieldDescriptor) -> Any:
    """
    What a view shows for a field that holds no message of its own.
    """
    value = getattr(message, field.name)
    if field.is_repeated:
        return list(value)
    if field.has_presence and not message.HasField(field.name):
        return None
    return value


def assert_same(view: Any, message: Any) -> None:
    """
    Every field of the view, and of what is in it, is that of the message.
    """
    for field in message.DESCRIPTOR.fields:
        value = getattr(view, field.name)
        if field.message_type is None:
            assert expected_value(message, field) == value, field.full_name
        elif field.message_type.name == "AnyValue":
            assert plain(getattr(message, field.name)) == value
        elif field.is_repeated and field.message_type.name == "KeyValue":
            assert pairs_of(message) == value
            assert list(pairs_of(message)) == list(value)
        elif field.is_repeated:
            inner = getattr(message, field.name)
            assert len(inner) == len(value)
            for part, expected in zip(value, inner, strict=True):
                assert_same(part, expected)
        elif field.containing_oneof and not message.HasField(field.name):
            assert value is None
        else:
            assert_same(value, getattr(message, field.name))


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_views_show_every_field(native: ModuleType, signal: int, on: str) -> None:
    """
    A view shows what protobuf decodes: scalars, lists, attributes, messages in it.
    """
    for number in range(40):
        random = Random(f"{signal} {on} {number}")
        request = random_request(random, signal, richness=random.random())
        batch = native.Batch(request.SerializeToString(), signal)
        expected = [message for _, message in messages(request, on)]

        assert len(expected) == len(batch.each(on))
        for view, message in zip(batch.each(on), expected, strict=True):
            assert_same(view, message)


def a_span() -> Any:
    """
    A request with one span, and the span.
    """
    request = REQUESTS[0]()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    span = group.scope_spans.add().spans.add(name="GET", kind=2)
    span.attributes.add(key="http.route").value.string_value = "/x"
    return request, span


def test_views_read_as_in_the_documentation(native: ModuleType) -> None:
    """
    Names are OTLP's; a span knows its resource and its scope, an event its span.
    """
    request, span = a_span()
    span.events.add(name="retry")
    batch = native.Batch(request.SerializeToString(), 0)
    (view,) = batch.each(having="http.route")
    (event,) = view.events

    assert ("GET", 2, "/x") == (view.name, view.kind, view.attributes["http.route"])
    assert "shop" == view.resource.attributes["service.name"]
    assert "" == view.scope.name
    assert "GET" == event.span.name
    assert isinstance(view, native.Span)
    assert [] == list(batch.each(having="other"))


def test_absent_messages_appear_when_something_is_set(native: ModuleType) -> None:
    """
    A status, a scope or a resource that was not sent reads as empty, and is made when set.
    """
    request = REQUESTS[0]()
    request.resource_spans.add().scope_spans.add().spans.add()
    payload = request.SerializeToString()
    batch = native.Batch(payload, 0)
    span = batch.each()[0]

    assert (0, "", {}) == (span.status.code, span.scope.name, span.resource.attributes)
    assert bytes(batch) is payload

    span.status.code = 2
    span.scope.name = "lib"
    span.resource.attributes["service.name"] = "shop"
    other = batch.each()[0]
    changed = REQUESTS[0].FromString(bytes(batch)).resource_spans[0]

    assert (2, "lib") == (other.status.code, other.scope.name)
    assert {"service.name": "shop"} == other.resource.attributes
    assert 2 == changed.scope_spans[0].spans[0].status.code
    assert "lib" == changed.scope_spans[0].scope.name
    assert {"service.name": "shop"} == pairs_of(changed.resource)


def test_scope_of_many_spans(native: ModuleType) -> None:
    """
    Where a scope is, is remembered for its many spans, and looked for again once it is made.
    """
    request = REQUESTS[0]()
    spans = request.resource_spans.add().scope_spans.add().spans
    for _ in range(50):
        spans.add()
    batch = native.Batch(request.SerializeToString(), 0)
    names = []
    for number, span in enumerate(batch.each()):
        if number == 20:
            span.scope.name = "lib"
        if number == 30:
            span.scope.name = "other"
        names.append(span.scope.name)
    batch.drop({"scope.name": "lib"})
    changed = REQUESTS[0].FromString(bytes(batch)).resource_spans[0].scope_spans[0]

    assert [""] * 20 + ["lib"] * 10 + ["other"] * 20 == names
    assert ("other", 50) == (changed.scope.name, len(changed.spans))


def test_one_value_of_several_kinds(native: ModuleType) -> None:
    """
    Setting one member of a oneof ends the other; unset ones are None.
    """
    request = REQUESTS[1]()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.gauge.data_points.add(as_int=5)
    batch = native.Batch(request.SerializeToString(), 1)
    point = batch.each()[0]

    assert (5, None) == (point.as_int, point.as_double)

    point.as_double = 0.0

    assert (None, 0.0) == (point.as_int, point.as_double)
    assert point.metric.sum is None
    assert 1 == len(point.metric.gauge.data_points)


def test_several_views_of_one_message(native: ModuleType) -> None:
    """
    Views of the same message see each other's changes, however they were reached.
    """
    request, _ = a_span()
    batch = native.Batch(request.SerializeToString(), 0)
    first, second = batch.each()[0], batch.each()[0]
    first.attributes["a"] = 1
    second.attributes["b"] = 2
    first.name = "POST"
    batch.rename_attribute("a", "c")

    assert {"http.route": "/x", "c": 1, "b": 2} == first.attributes == second.attributes
    assert "POST" == second.name


def test_dropping_while_iterating(native: ModuleType) -> None:
    """
    Items can be dropped and changed while they are gone through.
    """
    request = REQUESTS[0]()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(10):
        spans.add(name=str(number))
    batch = native.Batch(request.SerializeToString(), 0)
    seen = []
    for view in batch.each():
        seen.append(view.name)
        if int(view.name) % 2:
            view.drop()
        else:
            view.name += "!"

    assert list("0123456789") == seen
    assert ["0!", "2!", "4!", "6!", "8!"] == [view.name for view in batch.each()]


def test_attributes_are_a_mapping(native: ModuleType) -> None:
    """
    Attributes do what a dict does.
    """
    request, _ = a_span()
    batch = native.Batch(request.SerializeToString(), 0)
    attributes = batch.each()[0].attributes
    attributes.update({"a": 1, "b": [1, {"c": None}]})

    assert {"http.route", "a", "b"} == set(attributes.keys()) == set(attributes)
    assert ["/x", 1, [1, {"c": None}]] == list(attributes.values())
    assert dict(attributes) == dict(attributes.items())
    assert "{'http.route': '/x', 'a': 1, 'b': [1, {'c': None}]}" == repr(attributes)
    assert (1, None, 7) == (attributes.get("a"), attributes.get("x"), attributes.get("x", 7))
    assert (1, 9) == (attributes.setdefault("a", 9), attributes.setdefault("d", 9))
    assert "a" in attributes
    assert 1 not in attributes
    with pytest.raises(KeyError, match="x"):
        attributes["x"]
    with pytest.raises(KeyError, match="x"):
        del attributes["x"]
    with pytest.raises(KeyError, match="x"):
        attributes.pop("x")
    with pytest.raises(TypeError, match="key is a str, not 1"):
        attributes[1] = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(attributes)

    batch.each()[0].attributes = {**attributes, "a": 2}
    assert {"http.route": "/x", "a": 2, "b": [1, {"c": None}], "d": 9} == attributes
    attributes.clear()
    assert 0 == len(attributes)


def test_wrong_assignments_are_named(native: ModuleType) -> None:
    """
    What a field cannot hold is refused, and leaves it as it was.
    """
    request, _ = a_span()
    payload = request.SerializeToString()
    batch = native.Batch(payload, 0)
    span = batch.each()[0]

    with pytest.raises(
        ValueError, match="-1 does not fit into flags, which has 32 bits and no sign"
    ):
        span.flags = -1
    with pytest.raises(ValueError, match="does not fit into kind, which has 32 bits"):
        span.kind = 2**31
    with pytest.raises(TypeError, match="name is a str, not 5"):
        span.name = 5
    with pytest.raises(TypeError, match="trace_id is bytes, not 'hex'"):
        span.trace_id = "hex"
    with pytest.raises(ValueError, match="trace_id has 16 bytes, not 3: b'hex'"):
        span.trace_id = b"hex"
    with pytest.raises(ValueError, match="parent_span_id has 8 bytes, not 16"):
        span.parent_span_id = bytes(16)
    with pytest.raises(TypeError, match="kind is an int, not 'server'"):
        span.kind = "server"
    with pytest.raises(TypeError, match="status is not set as a whole"):
        span.status = 2
    with pytest.raises(AttributeError, match="nam"):
        span.nam = "x"
    with pytest.raises(AttributeError, match="Span has no metric"):
        _ = span.metric
    assert bytes(batch) is payload


def test_own_types_of_views(native: ModuleType) -> None:
    """
    Views get properties of a class's own.
    """

    class Shouting:
        __slots__ = ()

        @property
        def shouted(self) -> str:
            return str(self.name.upper())  # type: ignore[attr-defined]

    native.extend_view("Event", Shouting)
    try:
        request, span = a_span()
        span.events.add(name="retry")
        batch = native.Batch(request.SerializeToString(), 0)

        assert ["RETRY"] == [event.shouted for event in batch.each("events")]
        with pytest.raises(ValueError, match="nothing in OTLP is called 'Evnt'"):
            native.extend_view("Evnt", Shouting)
    finally:
        native.extend_view("Event", Event)


def test_texts_that_come_again_are_the_same(native: ModuleType) -> None:
    """
    Short texts that repeat are one object; many more than are kept still read as they are.
    """
    request = REQUESTS[0]()
    spans = request.resource_spans.add().scope_spans.add().spans
    names = ["GET /x", *(f"{'ü' * (n % 20)} {n}" for n in range(3000))] * 3 + ["GET /x"] * 3
    for name in names:
        spans.add(name=name)
    batch = native.Batch(request.SerializeToString(), 0)

    assert names == [view.name for view in batch.each()]
    assert batch.each()[-1].name is batch.each()[-2].name


def test_views_outlive_their_batch(native: ModuleType) -> None:
    """
    A view keeps what it shows alive.
    """
    request, _ = a_span()
    view = native.Batch(request.SerializeToString(), 0).each()[0]
    attributes = native.Batch(request.SerializeToString(), 0).each()[0].resource.attributes

    assert "GET" == view.name
    assert {"service.name": "shop"} == attributes
