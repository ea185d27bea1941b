"""
Changing a batch through views, at random, held against protobuf's objects.
"""

from random import Random
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from native.otlp_samples import ID_SIZES, KEYS, REQUESTS, VALUES, random_request, roughened
from native.reference import messages, plain, put
from native.test_views import CASES, assert_same


def change(random: Random, view: Any, message: Any) -> None:
    """
    Do the same random thing to a view and to a message.
    """
    field = random.choice(message.DESCRIPTOR.fields)
    name = field.name
    if field.message_type is None:
        if random.random() < 0.2:
            delattr(view, name)
            message.ClearField(name)
            return
        value = sample_scalar(random, field)
        if field.is_repeated:
            values = [value] * random.randrange(4)
            setattr(view, name, values)
            del getattr(message, name)[:]
            getattr(message, name).extend(values)
        else:
            setattr(view, name, value)
            setattr(message, name, value)
    elif field.message_type.name == "AnyValue":
        value = random.choice(VALUES)
        setattr(view, name, value)
        put(getattr(message, name), value)
    elif field.is_repeated and field.message_type.name == "KeyValue":
        change_attribute(random, getattr(view, name), getattr(message, name))
    elif field.is_repeated:
        if len(inner := getattr(message, name)):
            place = random.randrange(len(inner))
            part = getattr(view, name)[place]
            if random.random() < 0.2 and not is_container(message):
                part.drop()
                del inner[place]
            else:
                change(random, part, inner[place])
    elif not (field.containing_oneof and not message.HasField(name)):
        if random.random() < 0.2:
            delattr(view, name)
            message.ClearField(name)
        else:
            change(random, getattr(view, name), getattr(message, name))


def is_container(message: Any) -> bool:
    """
    Whether dropping the last of what it holds drops it, too.
    """
    return message.DESCRIPTOR.name in (
        "Gauge",
        "Sum",
        "Histogram",
        "ExponentialHistogram",
        "Summary",
    )


def sample_scalar(random: Random, field: FieldDescriptor) -> Any:
    """
    A value that fits any field of its type.
    """
    if field.type == FieldDescriptor.TYPE_STRING:
        return random.choice(("", "new", "ü" * 100))
    if size := ID_SIZES.get(field.name):
        return random.choice((b"", b"\xff" * size))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.choice((b"", b"new", b"\xff" * 200))
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return random.choice((0.0, 2.5))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return random.choice((False, True))
    return random.choice((0, 1, 127, 128, 2**31 - 1))


def change_attribute(random: Random, view: Any, pairs: Any) -> None:
    """
    Set, delete or take an attribute, as a mapping and as repeated pairs.
    """
    key, value = random.choice(KEYS), random.choice(VALUES)
    places = [place for place, pair in enumerate(pairs) if pair.key == key]
    match random.randrange(4):
        case 0 | 1:
            view[key] = value
            put((pairs[places[0]] if places else pairs.add(key=key)).value, value)
            for place in reversed(places[1:]):
                del pairs[place]
        case 2:
            assert (plain(pairs[places[0]].value) if places else "none") == view.pop(key, "none")
            for place in reversed(places):
                del pairs[place]
        case 3:
            view.append("appended", value)
            put(pairs.add(key="appended").value, value)


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_random_changes(native: ModuleType, signal: int, on: str) -> None:
    """
    Any sequence of changes through views ends in the payload that protobuf would make.
    """
    for number in range(40):
        random = Random(f"{signal} {on} {number}")
        request = random_request(random, signal, richness=random.random())
        payload = request.SerializeToString()
        if random.random() < 0.5:
            payload = roughened(random, payload, request.DESCRIPTOR)
            request = REQUESTS[signal].FromString(payload)
        batch = native.Batch(payload, signal)
        everything = list(zip(batch.each(on), messages(request, on), strict=True))
        random.shuffle(everything)
        for view, (_, message) in everything:
            for _ in range(random.randrange(4)):
                change(random, view, message)
                assert_same(view, message)
            if random.random() < 0.2:
                bytes(batch)
        canonical(request)
        changed = REQUESTS[signal].FromString(bytes(batch))
        canonical(changed)

        assert request == changed


def canonical(message: Any) -> None:
    """
    Take out messages that hold nothing: protobuf makes one when a default is set in it.
    """
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for inner in value if field.is_repeated else [value]:
            canonical(inner)
        is_needed = field.is_repeated or field.containing_oneof or value.ListFields()
        if not is_needed and field.message_type.name != "AnyValue":
            message.ClearField(field.name)


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_dropped_views_are_gone(native: ModuleType, signal: int, on: str) -> None:
    """
    What was dropped is gone from the batch, from its length and from later iterations.
    """
    for number in range(40):
        random = Random(f"{signal} {on} {number}")
        payload = random_request(random, signal).SerializeToString()
        batch = native.Batch(payload, signal)
        views = list(batch.each(on))
        doomed = [view for view in views if random.random() < 0.5]
        for view in doomed:
            view.drop()
        again = native.Batch(bytes(batch), signal)

        if on not in ("resources", "scopes"):
            assert len(views) - len(doomed) == len(batch.each(on))
        assert [bytes(v) for v in views if v not in doomed] == [bytes(v) for v in again.each(on)]
