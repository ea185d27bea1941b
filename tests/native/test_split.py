"""
Taking a batch apart by a key for each item, held against protobuf.
"""

from random import Random
from types import ModuleType
from typing import Any

import pytest

from native import reference
from native.otlp_samples import KEYS, REQUESTS, field, random_request, roughened

ITEMS = ("spans", "data_points", "log_records", "profiles")


def part_of(request: Any, keys: list[Any], key: Any) -> Any:
    """
    A copy of the request with the items of one key, and without what holds none.
    """
    part = type(request)()
    part.CopyFrom(request)
    left = iter(keys)
    reference.drop(part, lambda item: next(left) != key, on=ITEMS[REQUESTS.index(type(request))])
    prune(part)
    return part


def prune(message: Any) -> bool:
    """
    Take out what holds no item; whether the message holds one.
    """
    way = [
        inner
        for inner in message.DESCRIPTOR.fields
        if inner.message_type is not None
        and inner.name.startswith(("resource_", "scope_", "metrics", "data_points"))
    ]
    if message.DESCRIPTOR.name == "Metric":
        data = message.WhichOneof("data")
        return bool(data and getattr(message, data).data_points)
    for inner in way:
        holders = getattr(message, inner.name)
        for place in reversed(range(len(holders))):
            if not prune(holders[place]):
                del holders[place]
        return bool(holders)
    members = getattr(message, message.DESCRIPTOR.fields_by_number[2].name)
    return len(members) > 0


@pytest.mark.parametrize("signal", range(4))
def test_parts_are_what_protobuf_makes(native: ModuleType, signal: int) -> None:
    """
    Each part has its items in order, below what they are in; also of a batch that was changed.
    """
    for number in range(60):
        random = Random(f"{signal} {number}")
        request = random_request(random, signal, richness=random.random())
        payload = roughened(random, request.SerializeToString(), request.DESCRIPTOR)
        request = REQUESTS[signal].FromString(payload)
        batch = native.Batch(payload, signal)
        if random.random() < 0.5:
            key = random.choice(KEYS)
            for on in ("everywhere", "resources"):
                batch.set_attribute(key, "new", on=on)
                reference.set_attribute(request, key, "new", mode="upsert", on=on)
        keys = [random.randrange(4) for _ in batch.each()]
        parts = batch.split(keys)

        assert list(dict.fromkeys(keys)) == list(parts)
        for key, part in parts.items():
            assert part_of(request, keys, key) == REQUESTS[signal].FromString(part)


def test_what_nobody_knows_goes_along(native: ModuleType) -> None:
    """
    Unknown fields and groups of the request, its resources and scopes are in every part.
    """
    group = b"\xa3\x06\x08\x05\xab\x06\xac\x06\xa4\x06"
    spans = field(2, field(5, b"a")) + group + field(2, field(5, b"b"))
    payload = group + field(1, group + field(2, spans)) + field(1, field(2, field(2, b"")))
    parts = native.Batch(payload, 0).split(["x", "y", "x"])

    assert {"x": 3, "y": 3} == {key: part.count(group) for key, part in parts.items()}
    assert [["a", ""], ["b"]] == [
        [view.name for view in native.Batch(part, 0).each()] for part in parts.values()
    ]


def test_a_long_part(native: ModuleType) -> None:
    """
    Lengths of any size are right.
    """
    request = REQUESTS[0]()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(3000):
        spans.add(name=str(number) * (number % 40))
    parts = native.Batch(request.SerializeToString(), 0).split([n % 2 for n in range(3000)])

    for key, part in parts.items():
        assert part_of(request, [n % 2 for n in range(3000)], key) == REQUESTS[0].FromString(part)


class Meddling:
    """
    A key that empties the list of keys when it is hashed.
    """

    def __init__(self, keys: list[Any]) -> None:
        self.keys = keys

    def __hash__(self) -> int:
        self.keys.clear()
        return 1


def test_wrong_keys_are_refused(native: ModuleType) -> None:
    """
    There is one key for each item, and it can be hashed.
    """
    request = REQUESTS[0]()
    request.resource_spans.add().scope_spans.add().spans.add(name="a")
    request.resource_spans[0].scope_spans[0].spans.add(name="b")
    batch = native.Batch(request.SerializeToString(), 0)
    keys: list[Any] = []
    keys += [Meddling(keys), Meddling(keys)]

    with pytest.raises(ValueError, match="fewer keys than items"):
        batch.split(["a"])
    with pytest.raises(ValueError, match="more keys than items"):
        batch.split(["a", "b", "c"])
    with pytest.raises(TypeError, match="unhashable"):
        batch.split([[], []])
    with pytest.raises(TypeError, match="keys are a list"):
        batch.split(("a", "b"))
    with pytest.raises(IndexError):
        batch.split(keys)


@pytest.mark.parametrize(
    ("signal", "name", "expected"),
    [
        (0, "trace_id", lambda span: span.trace_id),
        (0, "kind", lambda span: span.kind),
        (0, "status.code", lambda span: span.status.code),
        (2, "body", lambda record: reference.plain(record.body)),
        (2, "event_name", lambda record: record.event_name),
    ],
)
def test_values_of_a_field(native: ModuleType, signal: int, name: str, expected: Any) -> None:
    """
    One value for each item, as a view would give it.
    """
    for number in range(30):
        request = random_request(Random(f"{signal} {name} {number}"), signal)
        items = [item for _, item in reference.messages(request, ITEMS[signal])]
        values = native.Batch(request.SerializeToString(), signal).values(name)

        assert [expected(item) for item in items] == values


def test_values_of_attributes(native: ModuleType) -> None:
    """
    Attributes of the items and of what is around them, None where there is none.
    """
    request = REQUESTS[0]()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    spans = group.scope_spans.add().spans
    spans.add().attributes.add(key="http.route").value.string_value = "/x"
    spans.add(name="b")
    batch = native.Batch(request.SerializeToString(), 0)

    assert ["/x", None] == batch.values("attributes.http.route")
    assert ["shop", "shop"] == batch.values("resource.attributes.service.name")
    assert ["shop"] == batch.values("attributes.service.name", on="resources")
    with pytest.raises(ValueError, match="spans have no 'nam'"):
        batch.values("nam")
