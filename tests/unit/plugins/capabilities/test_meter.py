"""
Numbers that plugins measure are taken if they can be; if not, the log says so once.
"""

import math

import pytest

from otelwasm.plugins.capabilities.log import PluginLog
from otelwasm.plugins.capabilities.meter import PluginMeter
from unit.plugins.capabilities.recording import Lines, Numbers


@pytest.fixture
def lines() -> Lines:
    """
    What was logged.
    """
    return Lines()


@pytest.fixture
def numbers() -> Numbers:
    """
    What was measured.
    """
    return Numbers()


@pytest.fixture
def meter(lines: Lines, numbers: Numbers) -> PluginMeter:
    """
    The meter of one plugin.
    """
    return PluginMeter(PluginLog("x", lines), numbers)


def reasons(lines: Lines) -> list[str]:
    """
    Why numbers were left out.
    """
    return [dict(attributes)["reason"] for _, _, attributes in lines]


def test_counters_and_distributions(meter: PluginMeter, numbers: Numbers, lines: Lines) -> None:
    """
    Numbers arrive with kind, name and attributes.
    """
    meter.add("http.requests", 2, (("code", "200"),))
    meter.observe("latency", -0.5, ())

    assert [
        ("add", "http.requests", 2, (("code", "200"),)),
        ("observe", "latency", -0.5, ()),
    ] == numbers
    assert [] == lines


def test_a_name_has_one_kind(meter: PluginMeter, numbers: Numbers, lines: Lines) -> None:
    """
    What was a counter first stays one; the clash is said once, however often it happens.
    """
    meter.add("n", 1, ())
    for _ in range(5):
        meter.observe("n", 1, ())

    assert [("add", "n", 1, ())] == numbers
    assert ["the plugin uses that name for a counter, not a distribution"] == reasons(lines)


@pytest.mark.parametrize("name", ["", "1st", "a b", "a\nb", "ü", "x" * 256])
def test_odd_names_are_refused(
    meter: PluginMeter, numbers: Numbers, lines: Lines, name: str
) -> None:
    """
    Names follow OpenTelemetry's syntax.
    """
    meter.add(name, 1, ())

    assert ([], 1) == (numbers, len(lines))


@pytest.mark.parametrize("amount", [-1.0, math.nan, math.inf])
def test_counters_only_go_up(
    meter: PluginMeter, numbers: Numbers, lines: Lines, amount: float
) -> None:
    """
    What would spoil a sum is left out.
    """
    meter.add("n", amount, ())

    assert ([], 1) == (numbers, len(lines))


def test_names_without_end_are_refused(meter: PluginMeter, numbers: Numbers, lines: Lines) -> None:
    """
    A plugin has 500 names; numbers under a known one still arrive.
    """
    for number in range(600):
        meter.add(f"n{number}", 1, ())
    meter.add("n0", 1, ())

    assert 501 == len(numbers)
    assert ["the plugin has 500 names already"] == reasons(lines)


def test_attributes_are_bounded(meter: PluginMeter, numbers: Numbers) -> None:
    """
    So many, and so long.
    """
    meter.add("n", 1, tuple((f"k{number}", "v" * 1000) for number in range(100)))
    [(_, _, _, attributes)] = numbers

    assert 32 == len(attributes)
    assert ("k0", "v" * 256) == attributes[0]
