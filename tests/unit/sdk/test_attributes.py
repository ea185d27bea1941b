"""
Attributes behave like a dict of plain values, and write into the batch.
"""

import pytest

from otelwasm.testing import a_span, traces
from otelwasm_sdk import Span, Traces
from otelwasm_sdk.values import write_value

EVERY_VALUE = {
    "text": "ü€😀",
    "empty": "",
    "true": True,
    "int": -(2**63),
    "float": 1.5,
    "bytes": b"\0\xff",
    "list": ["a", 1, [False, None]],
    "map": {"k": {"n": [1, 2.0]}},
    "none": None,
}


def the_span(batch: Traces) -> Span:
    """
    The only span of *batch*.
    """
    [span] = batch.spans()
    return span


def test_every_value_comes_back_as_it_was_set() -> None:
    """
    Whatever OTLP can hold is read as the plain value that was written, also after a round trip.
    """
    batch = traces(a_span())
    the_span(batch).attributes.update(EVERY_VALUE)

    assert EVERY_VALUE == the_span(batch).attributes
    assert EVERY_VALUE == the_span(Traces(bytes(batch))).attributes


def test_bool_and_int_stay_apart() -> None:
    """
    True does not become 1 on the way.
    """
    span = the_span(traces(a_span(attributes={"flag": True, "count": 1})))

    assert [True, 1] == list(span.attributes.values())
    assert [bool, int] == [type(value) for value in span.attributes.values()]


def test_setting_a_list_again_replaces_it() -> None:
    """
    A nested value is replaced, not merged with what was there.
    """
    span = the_span(traces(a_span(attributes={"list": [1, 2], "map": {"a": 1}})))
    span.attributes["list"] = [3]
    span.attributes["map"] = {"b": 2}

    assert {"list": [3], "map": {"b": 2}} == span.attributes


def test_attributes_have_what_a_dict_has() -> None:
    """
    Looking up, deleting, counting and defaults work as with a dict.
    """
    attributes = the_span(traces(a_span(attributes={"a": 1, "b": 2, "c": 3}))).attributes
    del attributes["b"]

    assert ["a", "c"] == list(attributes)
    assert 2 == len(attributes)
    assert "a" in attributes
    assert "b" not in attributes
    assert 9 == attributes.get("b", 9)
    assert attributes.get("b") is None
    assert 3 == attributes.pop("c")
    assert 5 == attributes.setdefault("d", 5)
    assert "{'a': 1, 'd': 5}" == repr(attributes)


def test_a_missing_key_is_a_key_error() -> None:
    """
    Reading or deleting what is not there raises KeyError with the key.
    """
    attributes = the_span(traces(a_span())).attributes

    with pytest.raises(KeyError, match="nope"):
        attributes["nope"]
    with pytest.raises(KeyError, match="nope"):
        del attributes["nope"]


def with_repeated_keys() -> Traces:
    """
    A span with three attributes of one key, as no sender should send it.
    """
    span = a_span(attributes={"id": "first", "other": 0})
    for value in ("second", "third"):
        write_value(span.attributes.add(key="id").value, value)
    return traces(span)


def keys(batch: Traces) -> list[str]:
    """
    The keys of the only span's attributes, as they are encoded.
    """
    [span] = Traces(bytes(batch)).proto.resource_spans[0].scope_spans[0].spans
    return [pair.key for pair in span.attributes]


def test_of_a_repeated_key_the_first_counts() -> None:
    """
    Where a sender repeats a key, reading gives the first value.
    """
    attributes = the_span(with_repeated_keys()).attributes

    assert "first" == attributes["id"]
    assert {"id": "first", "other": 0} == dict(attributes.items())
    assert 2 == len(attributes)


def test_setting_a_repeated_key_leaves_no_other_behind() -> None:
    """
    Nothing of a value that was to be replaced stays under a second attribute of its key.
    """
    batch = with_repeated_keys()
    the_span(batch).attributes["id"] = "new"

    assert ["id", "other"] == keys(batch)


def test_deleting_a_repeated_key_deletes_all() -> None:
    """
    Nothing of what was to be deleted stays.
    """
    batch = with_repeated_keys()
    del the_span(batch).attributes["id"]

    assert ["other"] == keys(batch)


def test_attributes_can_change_while_going_through_them() -> None:
    """
    Going through `items()` sees what was there at its beginning.
    """
    attributes = the_span(traces(a_span(attributes={"a": 1, "b": 2}))).attributes
    for key, value in attributes.items():
        attributes[f"{key}2"] = value
        del attributes[key]

    assert {"a2": 1, "b2": 2} == attributes


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (object(), TypeError, "not object"),
        ({"k": {1, 2}}, TypeError, "not set"),
        ({1: "v"}, TypeError, "a map's key is a str, not int"),
        (2**63, ValueError, "does not fit into an OTLP integer"),
    ],
)
def test_a_wrong_value_is_refused_and_leaves_nothing(
    value: object, kind: type[Exception], reason: str
) -> None:
    """
    What OTLP cannot hold raises, with the reason, and adds no attribute.
    """
    span = the_span(traces(a_span(attributes={"a": 1})))

    with pytest.raises(kind, match=reason):
        span.attributes["new"] = value
    assert {"a": 1} == span.attributes


def test_nesting_has_a_limit() -> None:
    """
    A value too deep to be serialized is refused when it is set, one at the limit is not.
    """
    batch = traces(a_span())
    deep: object = 1
    for _ in range(30):
        deep = {"k": deep}
    the_span(batch).attributes["deep"] = deep

    assert deep == the_span(Traces(bytes(batch))).attributes["deep"]
    with pytest.raises(ValueError, match="30 levels"):
        the_span(batch).attributes["deeper"] = [deep]
