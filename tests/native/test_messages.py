"""
Messages made of dicts, as whole requests and as parts of a batch, held against protobuf.
"""

from random import Random
from types import ModuleType
from typing import Any

import pytest

from native.otlp_samples import KEYS, REQUESTS, random_request
from native.reference import plain


def fields_of(message: Any) -> dict[str, Any]:
    """
    A message as the dict that it can be made of.
    """
    fields: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is None:
            fields[field.name] = list(value) if field.is_repeated else value
        elif field.message_type.name == "AnyValue":
            fields[field.name] = plain(value)
        elif field.message_type.name == "KeyValue":
            fields[field.name] = {pair.key: plain(pair.value) for pair in value}
        elif field.is_repeated:
            fields[field.name] = [fields_of(inner) for inner in value]
        else:
            fields[field.name] = fields_of(value)
    return fields


def simple(message: Any) -> None:
    """
    Take out what dicts do not say: keys twice, indices in place of texts.
    """
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.is_repeated and field.message_type.name == "KeyValue":
            for pair in value:
                pair.key_strindex = 0
                if not pair.HasField("value"):
                    pair.value.SetInParent()
            for place in reversed(range(len(value))):
                if value[place].key in [pair.key for pair in value[:place]]:
                    del value[place]
        for inner in value if field.is_repeated else [value]:
            simple(inner)
        if field.message_type.name == "AnyValue" and not field.is_repeated:
            no_indices(value)


def no_indices(value: Any) -> None:
    """
    Make an AnyValue one that has no index into a table of texts.
    """
    kind = value.WhichOneof("value")
    if kind == "string_value_strindex":
        value.string_value = "text"
    elif kind == "array_value":
        for element in value.array_value.values:
            no_indices(element)
    elif kind == "kvlist_value":
        for pair in value.kvlist_value.values:
            pair.key_strindex = 0
            if not pair.HasField("value"):
                pair.value.SetInParent()
            no_indices(pair.value)


@pytest.mark.parametrize("signal", range(4))
def test_requests_are_what_protobuf_makes(native: ModuleType, signal: int) -> None:
    """
    A dict of a whole request, every field in it, is encoded as protobuf would.
    """
    for number in range(60):
        random = Random(f"{signal} {number}")
        request = random_request(random, signal, richness=random.random())
        simple(request)

        assert request == REQUESTS[signal].FromString(native.encode(fields_of(request), signal))


def test_what_is_appended_can_be_changed_and_dropped(native: ModuleType) -> None:
    """
    Appended messages are there at once, like those that came.
    """
    request = REQUESTS[0]()
    request.resource_spans.add().scope_spans.add().spans.add(name="a").events.add(name="came")
    batch = native.Batch(request.SerializeToString(), 0)
    (span,) = batch.each()
    for name in ("one", "two", "three"):
        span.events.append({"name": name, "attributes": {"k": name}})
    came, one, two, three = span.events
    two.drop()
    two.drop()
    one.name = "1"
    one.attributes["k"] = [1]
    came.attributes["k"] = 0
    batch.set_attribute("all", True, on="events")
    again = native.Batch(bytes(batch), 0)

    assert (
        [("came", 0, True), ("1", [1], True), ("three", "three", True)]
        == [(e.name, e.attributes["k"], e.attributes["all"]) for e in again.each("events")]
        == [(e.name, e.attributes["k"], e.attributes["all"]) for e in batch.each("events")]
    )
    assert three.span.name == "a"


def test_appending_at_random(native: ModuleType) -> None:
    """
    Spans appended, changed and dropped in any order end as in a list.
    """
    for number in range(100):
        random = Random(number)
        request = REQUESTS[0]()
        spans = request.resource_spans.add().scope_spans.add().spans
        for place in range(random.randrange(3)):
            spans.add(name=f"came {place}")
        batch = native.Batch(request.SerializeToString(), 0)
        (group,) = batch.root.resource_spans
        (scope,) = group.scope_spans
        expected = [span.name for span in spans]
        for step in range(12):
            views = list(scope.spans)
            match random.randrange(3):
                case 0:
                    scope.spans.append({"name": f"new {step}"})
                    expected.append(f"new {step}")
                case 1 if views:
                    place = random.randrange(len(views))
                    views[place].name = expected[place] = f"changed {step}"
                    views[place].attributes[random.choice(KEYS)] = step
                case 2 if len(views) > 1:
                    place = random.randrange(len(views))
                    views[place].drop()
                    del expected[place]

            assert expected == [view.name for view in scope.spans]
        assert expected == [view.name for view in native.Batch(bytes(batch), 0).each()]


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        (
            {"spam": 1},
            ValueError,
            "ExportTraceServiceRequest has no 'spam'; it has resource_spans$",
        ),
        ({1: 1}, TypeError, "a field is named by a str, not 1"),
        ([], TypeError, "ExportTraceServiceRequest is made of a dict of its fields"),
        ({"resource_spans": {}}, TypeError, "resource_spans are a list or a tuple"),
        ({"resource_spans": [{"schema_url": 5}]}, TypeError, "schema_url is a str, not 5"),
        (
            {"resource_spans": [{"resource": {"attributes": [1]}}]},
            TypeError,
            "attributes are a dict",
        ),
        (
            {"resource_spans": [{"resource": {"attributes": {1: 1}}}]},
            TypeError,
            "an attribute's key is a str, not 1",
        ),
    ],
)
def test_wrong_fields_are_named(
    native: ModuleType, fields: Any, error: type[Exception], text: str
) -> None:
    """
    What no message can be made of raises, and says why.
    """
    with pytest.raises(error, match=text):
        native.encode(fields, 0)
    with pytest.raises((TypeError, ValueError)):
        native.Batch(b"", 0).root.resource_spans.append(fields)
    with pytest.raises(TypeError, match="all spans of a batch have no one place"):
        native.Batch(b"", 0).each().append({})


class Meddling:
    """
    A number that empties what it is in when it is read.
    """

    def __init__(self, *holders: Any) -> None:
        self.holders = holders

    def __index__(self) -> int:
        for holder in self.holders:
            holder.clear()
        return 5


def test_a_number_that_meddles_does_no_harm(native: ModuleType) -> None:
    """
    Fields that change while they are encoded end in what was read, or in an error.
    """
    span: dict[str, Any] = {}
    spans = [span, {"name": "b"}]
    span.update({"kind": Meddling(spans, span), "name": "a"})
    point: dict[str, Any] = {}
    counts: list[Any] = [1]
    counts += [Meddling(counts, point), 3]
    point["bucket_counts"] = counts

    native.encode({"resource_spans": [{"scope_spans": [{"spans": spans}]}]}, 0)
    with pytest.raises(IndexError):
        native.Batch(b"", 1).root.resource_metrics.append(
            {"scope_metrics": [{"metrics": [{"histogram": {"data_points": [point]}}]}]}
        )
