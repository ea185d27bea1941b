"""
The generated bindings speak with a guest that another implementation made, in every WIT type.
"""

import importlib
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otelwasm.plugins.component import Component
from otelwasm.plugins.sandbox import Sandbox
from otelwasm.wit import Interface, parse
from otelwasm.wit.types import Function
from plugins.every_type.building import HERE
from plugins.every_type.values import values_of

ECHO = parse(HERE / "every.wit").interface("echo")
FUNCTIONS = {function.name: function for function in ECHO.functions}
RETURNS_ITS_ARGUMENT = [
    name
    for name, function in FUNCTIONS.items()
    if [param.type for param in function.params] == [function.result]
]


class Mirror:
    """
    A host whose functions return what they are given, and note it.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    @property
    def echo(self) -> "Mirror":
        return self

    def __getattr__(self, name: str) -> Any:
        if name not in {function.replace("-", "_") for function in FUNCTIONS}:
            raise AttributeError(name)

        def method(*values: Any) -> Any:
            self.seen.append(values)
            if name == "several":
                return "answer"
            if name == "nothing":
                return None
            return values[0] if len(values) == 1 else values

        return method

    def double(self, value: int) -> int:
        return 2 * value

    def shout(self, value: bytes) -> bytes:
        return value.upper()


@attrs.frozen
class Every:
    """
    The guest, its bindings and its host.
    """

    plugin: Any
    shapes: Any
    host: Mirror


@pytest.fixture(scope="module", params=["bridge", "direct"])
def every(request: pytest.FixtureRequest, every_guest: tuple[Path, ModuleType]) -> Iterator[Every]:
    """
    One instance of the guest a lane.
    """
    path, package = every_guest
    world = importlib.import_module(f"{package.__name__}.every")
    shapes = importlib.import_module(f"{package.__name__}.shapes")
    host = Mirror()
    component = Component.load(path, name="every", lane=request.param, worlds=[world.WORLD])
    assert request.param == component.lane
    with Sandbox(component, host, memory_bytes=1 << 30, deadline_s=30.0) as sandbox:
        yield Every(world.Every(sandbox), shapes, host)


def arguments(function: Function, shapes: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """
    Random arguments of *function*.
    """
    return st.tuples(*(values_of(param.type, shapes) for param in function.params))


@pytest.mark.parametrize("name", RETURNS_ITS_ARGUMENT)
def test_values_come_back_equal(every: Every, name: str) -> None:
    """
    Any value of any type passes host, guest, host, guest and host, and stays what it is.
    """
    call = getattr(every.plugin.echo, name.replace("-", "_"))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(arguments(FUNCTIONS[name], every.shapes))
    def check(values: tuple[Any, ...]) -> None:
        every.host.seen.clear()

        assert values[0] == call(*values)
        assert [values] == every.host.seen

    check()


def test_many_parameters_go_by_pointer(every: Every) -> None:
    """
    More parameters than core functions have arrive in order and whole, both ways.
    """

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(arguments(FUNCTIONS["crowd"], every.shapes))
    def check(values: tuple[Any, ...]) -> None:
        assert values == every.plugin.echo.crowd(*values)

    check()


def test_several_parameters_keep_their_places(every: Every) -> None:
    """
    Parameters of different types, one named like a keyword, arrive in order.
    """
    assert "answer" == every.plugin.echo.several("first", import_=b"\0", third=None, memory_=7)
    assert ("first", b"\0", None, 7) == every.host.seen[-1]


def test_functions_without_anything_are_called(every: Every) -> None:
    """
    A function without parameters and result reaches the host.
    """
    assert every.plugin.echo.nothing() is None
    assert () == every.host.seen[-1]


def test_functions_of_the_world_itself_are_called(every: Every) -> None:
    """
    Functions outside of any interface cross as those inside do.
    """
    assert 28 == every.plugin.four_times(7)
    assert b"ABCABC" == every.plugin.twice(b"abc")


def test_special_numbers_arrive(every: Every) -> None:
    """
    Not-a-number, the infinities and negative zero stay what they are.
    """
    echo = every.plugin.echo
    for call in (echo.a_f32, echo.a_f64):
        assert math.isnan(call(math.nan))
        assert (math.inf, -math.inf) == (call(math.inf), call(-math.inf))
        assert -1.0 == math.copysign(1, call(-0.0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a_u8", 256),
        ("a_u8", -1),
        ("a_s8", 128),
        ("a_u32", 1 << 32),
        ("a_s64", 1 << 63),
        ("a_char", "\ud800"),
        ("a_char", "ab"),
        ("text", "\ud800"),
    ],
)
def test_values_out_of_range_are_refused(every: Every, name: str, value: Any) -> None:
    """
    What a type cannot hold is the caller's mistake; the instance lives on.
    """
    with pytest.raises((ValueError, TypeError, struct.error)):
        getattr(every.plugin.echo, name)(value)

    assert 5 == every.plugin.echo.a_u8(5)


def test_the_interface_is_the_same_in_both_directions() -> None:
    """
    Each function of the interface is covered by a test above.
    """
    assert isinstance(ECHO, Interface)
    assert {"crowd", "several", "nothing"} == set(FUNCTIONS) - set(RETURNS_ITS_ARGUMENT)
