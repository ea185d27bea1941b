"""
Whole-batch operations on the wire, held against protobuf's parse, edit, serialize.
"""

from collections.abc import Iterator
from random import Random
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.message import Message

from native import otlp_samples, reference
from native.otlp_samples import KEYS, REQUESTS, VALUES, random_request, roughened
from otelwasm_sdk import text_of

LEVELS = (
    ("resources", "scopes", "spans", "events", "links", "everywhere"),
    ("resources", "scopes", "metrics", "data_points", "exemplars", "everywhere"),
    ("resources", "scopes", "log_records", "everywhere"),
    ("resources", "scopes", "everywhere"),
)
CASES = [(signal, on) for signal, levels in enumerate(LEVELS) for on in levels]
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


def encode(value: object) -> bytes:
    """
    The bytes that stand for a list or a dict where it is hashed.
    """
    return text_of(value).encode()


@pytest.mark.parametrize(("signal", "on"), CASES)
@pytest.mark.parametrize("mode", ["upsert", "insert", "update"])
def test_set_attribute(native: ModuleType, signal: int, on: str, mode: str) -> None:
    """
    Setting an attribute gives what protobuf gives, in every mode, where none was, too.
    """
    for random, request, payload in samples(signal, on):
        key, value = random.choice(KEYS), random.choice(VALUES)
        batch = native.Batch(payload, signal)
        changed = batch.set_attribute(key, value, mode=mode, on=on)
        expected = reference.set_attribute(request, key, value, mode=mode, on=on)

        assert request == REQUESTS[signal].FromString(bytes(batch))
        assert expected == changed


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_delete_attribute(native: ModuleType, signal: int, on: str) -> None:
    """
    Deleting one or several attributes gives what protobuf gives, and counts them.
    """
    for random, request, payload in samples(signal, on):
        keys = tuple(random.sample(KEYS, random.randrange(1, 4)))
        batch = native.Batch(payload, signal)
        deleted = batch.delete_attribute(keys, on=on)
        expected = reference.delete_attribute(request, keys, on=on)

        assert request == REQUESTS[signal].FromString(bytes(batch))
        assert expected == deleted


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_rename_attribute(native: ModuleType, signal: int, on: str) -> None:
    """
    Renaming an attribute keeps its value and overwrites any of the new name.
    """
    for random, request, payload in samples(signal, on):
        old, new = random.choice(KEYS), random.choice([*KEYS, "new"])
        batch = native.Batch(payload, signal)
        renamed = batch.rename_attribute(old, new, on=on)
        expected = reference.rename_attribute(request, old, new, on=on)

        assert request == REQUESTS[signal].FromString(bytes(batch))
        assert expected == renamed


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_hash_attribute(native: ModuleType, signal: int, on: str) -> None:
    """
    Hashing attributes of any type gives what hashlib makes of them.
    """
    for random, request, payload in samples(signal, on):
        keys = tuple(random.sample(KEYS, random.randrange(1, 4)))
        salt = random.choice((b"", b"salt"))
        batch = native.Batch(payload, signal)
        hashed = batch.hash_attribute(keys, salt=salt, encode=encode, on=on)
        expected = reference.hash_attribute(request, keys, salt=salt, encode=encode, on=on)

        assert request == REQUESTS[signal].FromString(bytes(batch))
        assert expected == hashed


@pytest.mark.parametrize("size", [*range(130), 1000, 100_000])
def test_hash_of_any_length(native: ModuleType, size: int) -> None:
    """
    Texts around every block's border hash as hashlib hashes them.
    """
    request = REQUESTS[0]()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.add(key="k").value.string_value = "x" * size
    batch = native.Batch(request.SerializeToString(), 0)
    batch.hash_attribute("k", salt=b"s")

    assert reference.hashed("x" * size, b"s", encode) == batch.each()[0].attributes["k"]


@pytest.mark.parametrize(("signal", "on"), CASES)
def test_map_attribute(native: ModuleType, signal: int, on: str) -> None:
    """
    The function sees each value, and what it returns takes its place.
    """
    for random, request, payload in samples(signal, on):
        key = random.choice(KEYS)
        batch = native.Batch(payload, signal)
        batch.map_attribute(key, lambda value: {"was": [value]}, on=on)
        for _, message in reference.messages(request, on):
            for pair in reference.attributes(message) or ():
                if pair.key == key:
                    reference.put(pair.value, {"was": [reference.plain(pair.value)]})

        assert request == REQUESTS[signal].FromString(bytes(batch))


def test_operations_add_up(native: ModuleType) -> None:
    """
    Several operations on one batch see each other's changes, and end in one payload.
    """
    for signal, on in CASES:
        for random, request, payload in samples(signal, on, 8):
            batch = native.Batch(payload, signal)
            for _ in range(6):
                old, new = random.choice(KEYS), random.choice(KEYS)
                match random.randrange(3):
                    case 0:
                        batch.set_attribute(old, new, on=on)
                        reference.set_attribute(request, old, new, mode="upsert", on=on)
                    case 1:
                        batch.rename_attribute(old, new, on=on)
                        reference.rename_attribute(request, old, new, on=on)
                    case 2:
                        batch.delete_attribute(old, on=on)
                        reference.delete_attribute(request, (old,), on=on)
                if random.random() < 0.3:
                    bytes(batch)

            assert request == REQUESTS[signal].FromString(bytes(batch))


def test_nothing_changed_is_the_same_object(native: ModuleType) -> None:
    """
    A batch in which an operation found nothing to do gives back the payload object itself.
    """
    payload = random_request(Random(1), 0).SerializeToString()
    batch = native.Batch(payload, 0)
    changed = batch.delete_attribute("not there", on="everywhere")

    assert 0 == changed
    assert not batch.is_changed
    assert bytes(batch) is payload


def test_unknown_fields_survive(native: ModuleType) -> None:
    """
    Fields and groups that OTLP does not have come out byte for byte, at every depth.
    """
    group = b"\xa3\x06\x08\x05\xab\x06\xac\x06\xa4\x06"
    unknown = otlp_samples.field(1000, b"abc")
    attribute = otlp_samples.field(1, b"k") + otlp_samples.field(2, b"\x18\x05") + unknown
    span = group + otlp_samples.field(9, attribute) + unknown
    scope = group + otlp_samples.field(2, span) + unknown
    resource = group + otlp_samples.field(2, scope) + unknown
    payload = group + otlp_samples.field(1, resource) + unknown
    batch = native.Batch(payload, 0)
    batch.set_attribute("k", "v")
    batch.rename_attribute("k", "l")
    batch.set_attribute("new", 1, on="resources")
    changed = bytes(batch)

    assert 4 == changed.count(group)
    assert 5 == changed.count(unknown)
    assert "v" == batch.each()[0].attributes["l"]


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("k", object()), TypeError, "an attribute holds str"),
        (("k", {1: 2}), TypeError, "a map's key is a str"),
        (("k", 2**63), ValueError, "64 bits"),
        (("k", 1, "upset"), ValueError, "mode is upsert, insert or update, not 'upset'"),
        (("k", 1, "upsert", "data_points"), ValueError, "has no data_points"),
        (
            ("k", 1, "upsert", "spam"),
            ValueError,
            "nothing in OTLP is called 'spam'; here there are items, resources, scopes, spans, ",
        ),
        ((b"k", 1), TypeError, "str"),
        (("\ud800", 1), UnicodeEncodeError, "surrogates"),
        (("k", "\ud800"), UnicodeEncodeError, "surrogates"),
    ],
)
def test_wrong_arguments_are_named(
    native: ModuleType, arguments: tuple[Any, ...], error: type[Exception], text: str
) -> None:
    """
    What cannot be set raises, says why, and leaves the batch as it was.
    """
    payload = random_request(Random(1), 0).SerializeToString()
    batch = native.Batch(payload, 0)

    with pytest.raises(error, match=text):
        batch.set_attribute(*arguments)
    assert bytes(batch) is payload


def test_profiles_keep_attributes_elsewhere(native: ModuleType) -> None:
    """
    A profile's attributes are in the request's dictionary: an operation on them says so.
    """
    batch = native.Batch(random_request(Random(1), 3).SerializeToString(), 3)

    with pytest.raises(ValueError, match="profiles have no attributes of their own"):
        batch.set_attribute("k", 1)


def test_values_nest_as_deep_as_protobuf_reads(native: ModuleType) -> None:
    """
    The deepest value that can be set is one that protobuf decodes and encodes again.
    """
    value: Any = 1
    for _ in range(30):
        value = {"k": value}
    request = random_request(Random(2), 1, richness=1)
    batch = native.Batch(request.SerializeToString(), 1)
    batch.set_attribute("k", value, on="exemplars")
    again = REQUESTS[1].FromString(bytes(batch)).SerializeToString()

    native.check(again, 1)
    with pytest.raises(ValueError, match="nest 30 levels"):
        batch.set_attribute("k", [value])


def test_an_error_in_a_function_comes_through(native: ModuleType) -> None:
    """
    What a function for values raises reaches the caller.
    """
    request = REQUESTS[0]()
    request.resource_spans.add().scope_spans.add().spans.add().attributes.add(key="k")
    batch = native.Batch(request.SerializeToString(), 0)

    with pytest.raises(ZeroDivisionError):
        batch.map_attribute("k", lambda value: 1 // 0)
