"""
Plain values become typed settings, strictly.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from otelwasm.config.environment import Substituted
from otelwasm.config.structure import SHORT_FORM, structure
from otelwasm.config.values import ByteSize, Duration, at_least


@attrs.frozen
class Inner:
    """
    Settings inside settings.
    """

    size: ByteSize = attrs.field(default=ByteSize(1))


@attrs.frozen
class Listener:
    """
    Settings with a short form.
    """

    port: str = attrs.field(metadata=SHORT_FORM, validator=attrs.validators.matches_re("[0-9]+"))
    size: ByteSize = attrs.field(default=ByteSize(1))


@attrs.frozen
class Settings:
    """
    One field of each type that settings may have.
    """

    name: str
    count: int = attrs.field(default=1, validator=at_least(1))
    ratio: float = 1.0
    is_on: bool = False
    wait: Duration = attrs.field(default=Duration(1))
    path: Path | None = None
    level: Literal["low", "high"] = "low"
    inner: Inner | None = None
    listener: Listener | None = None
    many: Mapping[str, Inner] = attrs.field(factory=dict)
    words: tuple[str, ...] = ()
    free: Mapping[str, object] = attrs.field(factory=dict)


def made(**values: object) -> Settings:
    """
    Structure *values*, which are good.
    """
    settings, mistakes = structure({"name": "x", **values}, Settings, path=(), folder=Path("/etc"))

    assert mistakes == []
    assert settings is not None
    return settings


def mistakes_of(value: object) -> list[tuple[str, str]]:
    """
    Structure *value*, which is not good; return paths and texts.
    """
    settings, mistakes = structure(value, Settings, path=("top",), folder=Path())

    assert settings is None
    return [(".".join(map(str, mistake.path)), mistake.text) for mistake in mistakes]


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("count", 3, 3),
        ("count", Substituted("3"), 3),
        ("ratio", 2, 2.0),
        ("ratio", 2.5, 2.5),
        ("is_on", Substituted("true"), True),
        ("wait", "5s", Duration(5)),
        ("wait", Substituted("5s"), Duration(5)),
        ("wait", Duration(5), Duration(5)),
        ("path", "a/b", Path("/etc/a/b")),
        ("path", "/a/b", Path("/a/b")),
        ("path", Path("a/b"), Path("/etc/a/b")),
        ("path", None, None),
        ("level", "high", "high"),
        ("inner", None, Inner()),
        ("inner", {"size": "1KiB"}, Inner(ByteSize(1024))),
        ("listener", "80", Listener("80")),
        ("listener", Substituted("80"), Listener("80")),
        ("listener", {"port": "80", "size": "5B"}, Listener("80", ByteSize(5))),
        ("many", {"a": None}, {"a": Inner()}),
        ("many", None, {}),
        ("words", ["a", Substituted("1")], ("a", "1")),
        ("words", None, ()),
        ("free", {"a": [Substituted("1"), {"b": Substituted("x")}]}, {"a": [1, {"b": "x"}]}),
    ],
)
def test_good_values_are_taken(key: str, given: object, expected: object) -> None:
    """
    Each type takes the values that it should.
    """
    assert expected == getattr(made(**{key: given}), key)


def test_text_stays_text_whatever_it_looks_like() -> None:
    """
    A value of the environment that looks like a number is text where text is asked for.
    """
    assert made(name=Substituted("12")).name == "12"


@pytest.mark.parametrize(
    ("key", "given", "text"),
    [
        ("name", 5, "expected text, not 5"),
        ("name", None, "expected text, not nothing"),
        ("count", "3", "expected a whole number, not '3'"),
        ("count", True, "expected a whole number, not true"),
        ("count", 1.5, "expected a whole number, not 1.5"),
        ("count", 0, "expected at least 1, not 0"),
        ("ratio", "much", "expected a number, not 'much'"),
        ("is_on", "yes", "expected true or false, not 'yes'"),
        (
            "wait",
            5,
            "expected a duration with its unit, such as 200ms, 5s or 1m; not 5",
        ),
        ("path", ["a"], "expected text, not a list"),
        ("level", "hihg", "expected one of low, high, not 'hihg'; did you mean high?"),
        ("level", "HIGH", "expected one of low, high, not 'HIGH'; did you mean high?"),
        ("level", 3, "expected one of low, high, not 3"),
        ("inner", "x", "expected keys and values (size), not 'x'"),
        ("listener", 80, "expected text, for the port, or keys and values (port, size), not 80"),
        ("many", [1], "expected keys and values, not a list"),
        ("words", "a", "expected a list, not 'a'"),
        ("words", {"a": 1}, "expected a list, not keys and values"),
    ],
)
def test_wrong_values_are_refused(key: str, given: object, text: str) -> None:
    """
    Nothing is converted silently: the message has what was expected, and what was there.
    """
    value: Any = {"name": "x", key: given}

    assert [(f"top.{key}", text)] == mistakes_of(value)


def test_every_mistake_is_noted() -> None:
    """
    One wrong key does not hide the others.
    """
    given = {"cuont": 1, "many": {"a": {"size": -1}}, "words": ["x", 2]}

    assert mistakes_of(given) == [
        (
            "top.cuont",
            "unknown key; did you mean count? known keys: count, free, inner, is_on, level, "
            "listener, many, name, path, ratio, wait, words",
        ),
        ("top.name", "missing; this key has no default"),
        (
            "top.many.a.size",
            "expected a size, such as 64MiB, 512KiB or a whole number of bytes; not -1",
        ),
        ("top.words.1", "expected text, not 2"),
    ]


def test_long_values_are_cut_in_messages() -> None:
    """
    A message quotes no more of a value than it needs.
    """
    ((_, text),) = mistakes_of({"name": "x", "level": "a" * 500})

    assert f"expected one of low, high, not '{'a' * 56}…" == text


def test_a_short_form_is_checked_like_its_key() -> None:
    """
    Text in place of the keys that does not fit is noted for the key that it stands for, and
    nothing at all is not taken for text.
    """
    ((path, text),) = mistakes_of({"name": "x", "listener": "eighty"})

    assert ("top.listener.port", True) == (path, "must match regex" in text)
    assert [("top.listener.port", "missing; this key has no default")] == mistakes_of(
        {"name": "x", "listener": None}
    )


def test_keys_that_are_not_given_stay_as_the_default_has_them() -> None:
    """
    A default with values of its own is what the keys beside it begin from.
    """

    @attrs.frozen
    class Pair:
        one: int = 1
        two: int = 2

    @attrs.frozen
    class Outer:
        pair: Pair = Pair(one=10)

    outer, mistakes = structure({"pair": {"two": 20}}, Outer, path=(), folder=Path())

    assert [] == mistakes
    assert Outer(Pair(10, 20)) == outer
