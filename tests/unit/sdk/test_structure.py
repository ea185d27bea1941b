"""
A plugin's configuration becomes its class, or one message that names the key.
"""

import enum
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
import pytest

from otelwasm_sdk.structure import ConfigError, structure


class Mode(enum.Enum):
    """
    An enumeration in a configuration.
    """

    KEEP = "keep"
    DROP = "drop"


@attrs.frozen
class Inner:
    """
    A class within a class.
    """

    name: str
    weight: float = 1.0


def positive(_: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    """
    A validator as plugins write them.
    """
    if value <= 0:
        raise ValueError(f"{attribute.name} is positive, not {value}")


@attrs.frozen
class Config:
    """
    A configuration of every kind of value.
    """

    keys: tuple[str, ...] = ()
    pair: tuple[int, str] = (0, "")
    counts: list[int] = attrs.field(factory=list)
    names: frozenset[str] = frozenset()
    inner: Inner | None = None
    inners: Sequence[Inner] = ()
    by_name: Mapping[str, Inner] = attrs.field(factory=dict)
    mode: Mode = Mode.KEEP
    level: Literal["debug", "info", 3] = "info"
    pattern: re.Pattern[str] | None = None
    ratio: float = 0.5
    is_on: bool = False
    either: int | str = 0
    anything: Any = None
    size: int = attrs.field(default=1, validator=positive)
    upper: str = attrs.field(default="", converter=lambda value: str(value).upper())
    made: int = attrs.field(default=7, init=False)


def of(**given: object) -> Config:
    """
    The configuration with these keys.
    """
    made = structure(given, Config, where="config")
    assert isinstance(made, Config)
    return made


def test_nothing_gives_the_defaults() -> None:
    """
    A class whose fields all have defaults needs no configuration.
    """
    assert Config() == of()


def test_every_kind_of_value_is_structured() -> None:
    """
    Lists, mappings, classes, enumerations, patterns and converters come out as annotated.
    """
    made = of(
        keys=["a", "b"],
        pair=[1, "x"],
        counts=[1],
        names=["n"],
        inner={"name": "i"},
        inners=[{"name": "j", "weight": 2}],
        by_name={"k": {"name": "l"}},
        mode="drop",
        level=3,
        pattern="a+",
        ratio=1,
        either="s",
        anything={"a": [1]},
        upper="up",
    )

    assert made == Config(
        keys=("a", "b"),
        pair=(1, "x"),
        counts=[1],
        names=frozenset({"n"}),
        inner=Inner("i"),
        inners=(Inner("j", 2.0),),
        by_name={"k": Inner("l")},
        mode=Mode.DROP,
        level=3,
        pattern=re.compile("a+"),
        ratio=1.0,
        either="s",
        anything={"a": [1]},
        upper="UP",
    )
    assert isinstance(made.ratio, float)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kyes": []}, "config.kyes: unknown key; known keys: keys, pair, counts, names, inner,"),
        ({"made": 1}, "config.made: unknown key"),
        ({"keys": "a"}, "config.keys: expected a list, got str"),
        ({"keys": ["a", 1]}, "config.keys[1]: expected str, got int"),
        ({"pair": [1]}, "config.pair: expected 2 values, got 1"),
        ({"pair": ["x", "y"]}, "config.pair[0]: expected int, got str"),
        ({"counts": [True]}, "config.counts[0]: expected int, got bool"),
        ({"inner": {}}, "config.inner.name: missing; expected str"),
        ({"inner": {"name": "n", "wait": 1}}, "config.inner.wait: unknown key; known keys: name,"),
        ({"inner": 5}, "config.inner: expected Inner or null, got int"),
        ({"inners": [{"name": 1}]}, "config.inners[0].name: expected str, got int"),
        ({"by_name": {"k": {}}}, "config.by_name.k.name: missing"),
        ({"by_name": []}, "config.by_name: expected a mapping, got a list"),
        ({"mode": "kep"}, "config.mode: expected one of 'keep', 'drop', got 'kep'"),
        ({"level": "loud"}, "config.level: expected one of 'debug', 'info', 3, got 'loud'"),
        ({"pattern": "("}, "config.pattern: '(' is no regular expression: missing )"),
        ({"ratio": "1"}, "config.ratio: expected float, got str"),
        ({"is_on": 1}, "config.is_on: expected bool, got int"),
        ({"either": 1.5}, "config.either: expected int or str, got float"),
        ({"size": 0}, "config: size is positive, not 0"),
        ({"ratio": None}, "config.ratio: expected float, got null"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, object], message: str) -> None:
    """
    A wrong key or value gives one message with its place, what is expected and what was found.
    """
    with pytest.raises(ConfigError) as raised:
        structure(given, Config, where="config")

    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_a_list_is_no_configuration() -> None:
    """
    The whole has to be a mapping.
    """
    with pytest.raises(ConfigError, match="config: expected a mapping, got a list"):
        structure([], Config, where="config")
