"""
The Rust SDK's operations and views, held against protobuf's parse, edit, serialize.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message

from native import reference
from native.otlp_samples import (
    KEYS,
    REQUESTS,
    VALUES,
    damaged,
    random_request,
    roughened,
)
from otelwasm_sdk import text_of
from rust.applied import Apply, RefusedError

LEVELS = (
    ("items", "resources", "scopes", "events", "links", "everywhere"),
    ("items", "resources", "scopes", "metrics", "exemplars", "everywhere"),
    ("items", "resources", "scopes", "everywhere"),
)
ITEMS = ("spans", "data_points", "log_records")
CASES = [(signal, on) for signal, levels in enumerate(LEVELS) for on in levels]
VIEWED = [case for case in CASES if case[1] != "everywhere"]
# Those that JSON can say.
SIMPLE = [value for value in VALUES if not isinstance(value, bytes)]
ROUNDS = 40


def samples(signal: int, on: str, rounds: int = ROUNDS) -> Iterator[tuple[Random, Message, bytes]]:
    """
    Random requests and their bytes, oddly encoded now and then; with a random generator each.
    """
    for number in range(rounds):
        random = Random(f"{signal} {on} {number}")
        request = random_request(random, signal, richness=random.random())
        payload = request.SerializeToString()
        if random.random() < 0.5:
            payload = roughened(random, payload, request.DESCRIPTOR)
            request = REQUESTS[signal].FromString(payload)
        yield random, request, payload


def named(signal: int, on: str) -> str:
    """
    What the reference calls the level.
    """
    return ITEMS[signal] if on == "items" else on


def encode(value: object) -> bytes:
    """
    The bytes that stand for a list or a dict where it is hashed.
    """
    return text_of(value).encode()


@pytest.mark.parametrize(("signal", "on"), CASES)
@pytest.mark.parametrize("mode", ["upsert", "insert", "update"])
def test_set_attribute(apply: Apply, signal: int, on: str, mode: str) -> None:
    """
    Setting an attribute gives what protobuf gives, in every mode, where none was, too.
    """
    for random, request, payload in samples(signal, on):
        key, value = random.choice(KEYS), random.choice(SIMPLE)
        applied = apply(mode, signal, payload, key=key, value=value, on=on)
        expected = reference.set_attribute(request, key, value, mode=mode, on=named(signal, on))

        assert request == REQUESTS[signal].FromString(applied.payload)
        assert expected == applied.count


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_delete_attributes(apply: Apply, signal: int, on: str) -> None:
    """
    Deleting one or several attributes gives what protobuf gives, and counts them.
    """
    for random, request, payload in samples(signal, on):
        keys = tuple(random.sample(KEYS, random.randrange(1, 4)))
        applied = apply("delete", signal, payload, keys=keys, on=on)
        expected = reference.delete_attribute(request, keys, on=named(signal, on))

        assert request == REQUESTS[signal].FromString(applied.payload)
        assert expected == applied.count


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_rename_attribute(apply: Apply, signal: int, on: str) -> None:
    """
    Renaming an attribute gives what protobuf gives, also over another of that name.
    """
    for random, request, payload in samples(signal, on):
        old, new = random.sample(KEYS, 2)
        applied = apply("rename", signal, payload, key=old, new=new, on=on)
        expected = reference.rename_attribute(request, old, new, on=named(signal, on))

        assert request == REQUESTS[signal].FromString(applied.payload)
        assert expected == applied.count


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_hash_attributes(apply: Apply, signal: int, on: str) -> None:
    """
    Hashes are those that the Python SDK makes, of every kind of value.
    """
    for random, request, payload in samples(signal, on):
        keys = tuple(random.sample(KEYS, 2))
        salt = random.choice(("", "pepper"))
        applied = apply("hash", signal, payload, keys=keys, new=salt, on=on)
        expected = reference.hash_attribute(
            request, keys, salt=salt.encode(), encode=encode, on=named(signal, on)
        )

        assert request == REQUESTS[signal].FromString(applied.payload)
        assert expected == applied.count


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_map_attributes(apply: Apply, signal: int, on: str) -> None:
    """
    A function's values take the place of those that are there.
    """
    for random, request, payload in samples(signal, on):
        key, value = random.choice(KEYS), random.choice(SIMPLE)
        applied = apply("map", signal, payload, key=key, value=value, on=on)
        for _, message in reference.messages(request, named(signal, on)):
            for pair in reference.attributes(message) or ():
                if pair.key == key:
                    reference.put(pair.value, value)

        assert request == REQUESTS[signal].FromString(applied.payload)


@pytest.mark.parametrize("signal", range(3))
def test_dropped_items_take_along_what_they_empty(apply: Apply, signal: int) -> None:
    """
    Items that are not kept are gone, with scopes, resources and metrics that held nothing else.
    """
    for random, request, payload in samples(signal, "drop", 80):
        key = random.choice(KEYS)
        applied = apply("drop", signal, payload, key=key)

        def has_key(message: Any, key: str = key) -> bool:
            return any(pair.key == key for pair in message.attributes)

        expected = reference.drop(request, has_key, on=ITEMS[signal])

        assert request == REQUESTS[signal].FromString(applied.payload)
        assert expected == applied.count


@pytest.mark.parametrize(("signal", "on"), VIEWED)
def test_views_do_what_operations_do(apply: Apply, signal: int, on: str) -> None:
    """
    Setting an attribute in a loop over views gives what the operation gives; so does removing.
    """
    for random, request, payload in samples(signal, on):
        key, value = random.choice(KEYS), random.choice(SIMPLE)
        applied = apply("view", signal, payload, key=key, value=value, on=on)
        reference.set_attribute(request, key, value, mode="upsert", on=named(signal, on))

        assert request == REQUESTS[signal].FromString(applied.payload)

        applied = apply("view-remove", signal, applied.payload, key=key, on=on)
        reference.delete_attribute(request, (key,), on=named(signal, on))

        assert request == REQUESTS[signal].FromString(applied.payload)


@pytest.mark.parametrize("signal", range(3))
def test_views_within_views_are_changed_with_them(apply: Apply, signal: int) -> None:
    """
    What is in a span or in a metric can be changed by way of it, and it itself before.
    """
    levels = {0: ("spans", "events", "links"), 1: ("metrics", "data_points", "exemplars")}
    for random, request, payload in samples(signal, "inside"):
        key, value = random.choice(KEYS), random.choice(SIMPLE)
        applied = apply("inside", signal, payload, key=key, value=value)
        for on in levels.get(signal, ("log_records",)):
            reference.set_attribute(request, key, value, mode="upsert", on=on)

        assert request == REQUESTS[signal].FromString(applied.payload)


@pytest.mark.parametrize("signal", range(3))
def test_parts_have_every_item_once_with_what_is_around_it(apply: Apply, signal: int) -> None:
    """
    The parts of a batch hold its items, each with its resource, its scope and its metric.
    """

    def flat(request: Any) -> list[str]:
        return sorted(
            f"{group.resource} {scope.scope} {getattr(metric, 'name', '')} {item}"
            for group in reference._groups(request)
            for scope in reference._scopes(group)
            for metric in reference._members(scope)
            for item in items(metric)
        )

    def items(member: Any) -> list[Any]:
        if member.DESCRIPTOR.name != "Metric":
            return [member]
        kind = member.WhichOneof("data")
        return list(getattr(member, kind).data_points) if kind else []

    for random, request, payload in samples(signal, "split"):
        key = random.choice(KEYS)
        parts = [
            REQUESTS[signal].FromString(p)
            for p in apply("split", signal, payload, key=key).payloads
        ]

        assert flat(request) == sorted(line for part in parts for line in flat(part))


@pytest.mark.parametrize(
    "op", ["read", "upsert", "rename", "hash", "drop", "view", "inside", "split"]
)
@pytest.mark.parametrize("signal", range(3))
def test_damaged_payloads_are_refused_or_good(apply: Apply, signal: int, op: str) -> None:
    """
    Whatever the bytes are, the SDK does not panic: it refuses them, or makes what protobuf takes
    of what protobuf takes.
    """
    arguments = {"key": "env", "new": "ü", "keys": ["env", "enduser.id"], "value": 5}
    for number in range(400):
        random = Random(f"{signal} {op} {number}")
        request = random_request(random, signal, richness=random.random() / 2)
        payload = damaged(random, request.SerializeToString())
        try:
            REQUESTS[signal].FromString(payload)
            is_good = True
        except DecodeError:
            is_good = False
        try:
            applied = apply(
                op, signal, payload, on="items" if op == "view" else "everywhere", **arguments
            )
        except RefusedError as error:
            assert not is_good, error
            assert str(error).startswith("malformed")
            continue
        if op in ("read", "drop", "view", "inside", "split"):
            # These look into what they give out, and so refuse all that protobuf refuses.
            assert is_good
        for result in applied.payloads if is_good else ():
            REQUESTS[signal].FromString(result)
