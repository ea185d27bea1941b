"""
Damaged payloads: an error or protobuf's own result, never anything else.
"""

from collections.abc import Callable
from random import Random
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.message import DecodeError, EncodeError

from native import reference
from native.otlp_samples import REQUESTS, damaged, field, random_request, varint

ITEMS = ("spans", "data_points", "log_records", "profiles")
MUTANTS = 1500


def decoded(signal: int, payload: bytes) -> Any:
    """
    What protobuf decodes, None where it refuses to decode, or to encode again.
    """
    try:
        request = REQUESTS[signal].FromString(payload)
        request.SerializeToString()
    except (DecodeError, EncodeError):
        return None
    return request


def is_taken(native: ModuleType, payload: bytes, signal: int) -> bool:
    """
    Whether the check lets the payload pass.
    """
    try:
        native.check(payload, signal)
    except ValueError:
        return False
    return True


def mutants(signal: int) -> list[tuple[Random, bytes]]:
    """
    Damaged payloads, each with a random generator of its own.
    """
    made = []
    for number in range(MUTANTS):
        random = Random(f"{signal} {number}")
        payload = random_request(random, signal, richness=random.random() * 0.7)
        made.append((random, damaged(random, payload.SerializeToString())))
    return made


@pytest.mark.parametrize("signal", range(4))
def test_check_takes_nothing_that_protobuf_refuses(native: ModuleType, signal: int) -> None:
    """
    In a guest that would be a trap. And what protobuf takes, the check takes, too.
    """
    results = {
        (decoded(signal, payload) is not None, is_taken(native, payload, signal))
        for _, payload in mutants(signal)
    }

    assert {(True, True), (False, False)} == results


def nested(number: int, depth: int) -> bytes:
    """
    A payload of logs with a message nested *depth* deep: lists in an attribute's value.
    """
    value = b"\x18" + varint(number)
    for _ in range((depth - 6) // 2):
        value = field(5, field(1, value))
    attribute = field(1, b"k") + field(2, value)
    return field(1, field(2, field(2, field(6, attribute))))


@pytest.mark.parametrize("depth", [*range(80, 120, 2), 5000])
def test_check_knows_how_deep_protobuf_goes(native: ModuleType, depth: int) -> None:
    """
    Nesting is refused where protobuf could not encode what it decoded, and not before.
    """
    payload = nested(1, depth)

    assert (decoded(2, payload) is not None) == is_taken(native, payload, 2)


@pytest.mark.parametrize("depth", [1, 50, 98, 99, 100, 101, 200, 50_000])
def test_check_knows_how_deep_groups_go(native: ModuleType, depth: int) -> None:
    """
    Unknown groups are refused at the latest where protobuf refuses them.
    """
    payload = b"\x7b" * depth + b"\x7c" * depth

    assert (depth <= 99) == is_taken(native, payload, 0)
    assert not is_taken(native, payload, 0) or decoded(0, payload) is not None


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"\x0a\x05\x0a", "byte 0: ExportTraceServiceRequest.resource_spans is longer than"),
        (field(1, field(3, b"\xff")), r"byte 2: ResourceSpans.schema_url is not UTF-8"),
        (field(1, b"\x00\x01"), "byte 2: ResourceSpans holds a broken tag"),
        (field(1, b"\x08"), "byte 2: ResourceSpans.resource is cut off or broken"),
        (field(1, b"\x7b"), "byte 2: ResourceSpans is cut off or broken"),
        (b"\x0c", "byte 0: ExportTraceServiceRequest.resource_spans is cut off or broken"),
    ],
)
def test_check_says_where_and_what(native: ModuleType, payload: bytes, text: str) -> None:
    """
    The message names the byte, the message and the field.
    """
    with pytest.raises(ValueError, match=f"^malformed traces payload: {text}"):
        native.check(payload, 0)


@pytest.mark.parametrize("text", ["", "a" * 7, "é" * 9, "€€", "😀" * 3, "a\0b", "\ud7ff\ue000"])
def test_check_takes_utf8(native: ModuleType, text: str) -> None:
    """
    Every text that Python encodes passes, at every alignment.
    """
    for shift in range(9):
        native.check(field(1, field(3, b"x" * shift + text.encode())), 0)


@pytest.mark.parametrize(
    "octets",
    [
        *(b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80"),
        *(b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80"),
        *(b"\xe2\x82", b"\xc3", b"\xe2\x28\xa1"),
    ],
)
def test_check_refuses_what_is_not_utf8(native: ModuleType, octets: bytes) -> None:
    """
    Overlong forms, surrogates, cut and misplaced bytes are refused, at every alignment.
    """
    for shift in range(9):
        payload = field(1, field(3, b"x" * shift + octets))

        assert not is_taken(native, payload, 0)
        assert not is_taken(native, field(1, field(3, b"x" * shift + octets + b"y" * 9)), 0)


OPERATIONS: dict[str, tuple[Callable[[Any, str], Any], Callable[[Any, str], Any]]] = {
    "set": (
        lambda batch, on: batch.set_attribute("env", "new", on=on),
        lambda request, on: reference.set_attribute(request, "env", "new", mode="upsert", on=on),
    ),
    "delete": (
        lambda batch, on: batch.delete_attribute(("env", ""), on=on),
        lambda request, on: reference.delete_attribute(request, ("env", ""), on=on),
    ),
    "rename": (
        lambda batch, on: batch.rename_attribute("env", "ü", on=on),
        lambda request, on: reference.rename_attribute(request, "env", "ü", on=on),
    ),
}


@pytest.mark.parametrize("signal", range(4))
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_damaged_payloads(native: ModuleType, signal: int, name: str) -> None:
    """
    An operation raises ValueError, or does to the bytes what protobuf does to the objects.
    """
    operate, expect = OPERATIONS[name]
    for random, payload in mutants(signal):
        on = random.choice(("resources", "scopes", ITEMS[signal] if signal < 3 else "scopes"))
        batch = native.Batch(payload, signal)
        request = decoded(signal, payload)
        try:
            operate(batch, on)
            changed = bytes(batch)
        except ValueError:
            assert request is None
            continue
        if request is not None:
            expect(request, on)

            assert request == REQUESTS[signal].FromString(changed)


def look(view: Any, native: ModuleType) -> list[Any]:
    """
    Everything that can be read of a view, and of what is in it.
    """
    seen: list[Any] = [repr(view), bytes(view)]
    for name in dir(type(view)):
        if name.startswith("_") or name in ("drop", "each", "batch"):
            continue
        try:
            value = getattr(view, name)
        except (ValueError, AttributeError) as error:
            seen.append(error)
            continue
        try:
            if isinstance(value, native.Views):
                seen.append([look(inner, native) for inner in value])
            elif isinstance(value, native.Attributes):
                seen.append(dict(value))
            elif isinstance(value, native.View) and name not in ("span", "metric"):
                seen.append(bytes(value))
        except ValueError as error:
            seen.append(error)
    return seen


@pytest.mark.parametrize("signal", range(4))
def test_views_of_damaged_payloads(native: ModuleType, signal: int) -> None:
    """
    Looking at, and changing, all that is in a damaged payload raises ValueError at worst.
    """
    for random, payload in mutants(signal):
        batch = native.Batch(payload, signal)
        try:
            for view in batch.each(random.choice(("items", "resources", "scopes"))):
                look(view, native)
                match random.randrange(4):
                    case 0:
                        view.drop()
                    case 1 if isinstance(getattr(view, "attributes", None), native.Attributes):
                        view.attributes["new"] = 1
                    case 2 if hasattr(type(view), "name"):
                        view.name = "new"
            bytes(batch)
        except ValueError:
            assert decoded(signal, payload) is None


def test_messages_sent_in_parts_are_one(native: ModuleType) -> None:
    """
    A resource, a status or a metric's data given in parts is merged, as protobuf does.
    """
    resource = field(1, field(1, field(1, b"a"))) + field(1, field(1, field(1, b"b")))
    span = field(15, field(2, b"message")) + field(15, b"\x18\x02")
    payload = field(1, resource + field(2, field(2, span)))
    batch = native.Batch(payload, 0)
    view = batch.each()[0]

    assert {"a": None, "b": None} == view.resource.attributes
    assert ("message", 2) == (view.status.message, view.status.code)
    assert bytes(batch) is payload

    view.resource.attributes["b"] = 1
    view.status.code = 1
    changed = REQUESTS[0].FromString(bytes(batch)).resource_spans[0]

    assert [("a", 0), ("b", 1)] == [(p.key, p.value.int_value) for p in changed.resource.attributes]
    assert ("message", 1) == (
        changed.scope_spans[0].spans[0].status.message,
        changed.scope_spans[0].spans[0].status.code,
    )


def test_the_last_of_a_oneof_counts(native: ModuleType) -> None:
    """
    A metric that was sent as a gauge and then as a sum is a sum.
    """
    gauge, total = field(5, field(1, b"\x31" + b"\1" * 8)), field(7, field(1, b"\x31" + b"\2" * 8))
    payload = field(1, field(2, field(2, gauge + total)))
    batch = native.Batch(payload, 1)

    assert [2] == [point.as_int & 0xFF for point in batch.each()]
    assert batch.each("metrics")[0].gauge is None

    batch.drop({"as_int": int})
    assert not REQUESTS[1].FromString(bytes(batch)).resource_metrics
