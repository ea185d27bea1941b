"""
The contract in `wit/` is what the host and its plugins agree on.
"""

import pytest

from otelwasm.contract import contract_dir
from otelwasm.signals import Signal
from otelwasm.wit import parse
from otelwasm.wit.check import check
from otelwasm.wit.types import Enum
from unit.wit.component_text import component

CONTRACT = parse(contract_dir()).main
SHARED = ["log", "meter", "state", "http"]


def test_it_has_the_three_worlds_and_their_python_forms() -> None:
    """
    Each world has its imports and exports, and forms with what the Python SDK adds.
    """
    expected = {
        "processor": (["pipeline", *SHARED], ["lifecycle", "processing"]),
        "exporter": (SHARED, ["lifecycle", "exporting"]),
        "receiver": (["pipeline", *SHARED], ["lifecycle", "receiving"]),
        "python-processor": (
            ["pipeline", *SHARED, "direct-host"],
            ["lifecycle", "processing", "direct"],
        ),
        "python-exporter": ([*SHARED, "direct-host"], ["lifecycle", "exporting", "direct"]),
        "python-receiver": (
            ["pipeline", *SHARED, "direct-host"],
            ["lifecycle", "receiving", "direct"],
        ),
    }
    for name in ("python-processor", "python-exporter", "python-receiver"):
        imports, exports = expected[name]
        expected[f"{name}-runner"] = (imports, [*exports, "sources"])

    assert expected == {
        world.name: (
            [extern.item.name for extern in world.imports],
            [extern.item.name for extern in world.exports],
        )
        for world in CONTRACT.worlds
    }
    assert {("types",)} == {tuple(i.name for i in world.implied) for world in CONTRACT.worlds}


def test_its_signals_are_numbered_as_ours() -> None:
    """
    The number of a signal is its place in the contract's enum.
    """
    signal = CONTRACT.interface("types").type("signal")
    assert isinstance(signal, Enum)

    assert [case.name for case in signal.cases] == [signal.label for signal in Signal]


def test_everything_in_it_is_documented() -> None:
    """
    Interfaces, worlds, types, their parts and functions all have a doc comment.
    """
    bare = [item.id for item in (*CONTRACT.interfaces, *CONTRACT.worlds) if not item.docs]
    for interface in CONTRACT.interfaces:
        for item in (*interface.types, *interface.functions):
            parts = [
                *getattr(item, "fields", ()),
                *getattr(item, "cases", ()),
                *getattr(item, "flags", ()),
            ]
            bare += [f"{interface.name}: {part.name}" for part in (item, *parts) if not part.docs]

    assert [] == bare
    assert CONTRACT.docs


@pytest.mark.parametrize("name", [world.name for world in CONTRACT.worlds])
def test_a_component_of_each_world_is_recognised(name: str) -> None:
    """
    A component that a tool makes from one of the worlds fits that one.
    """
    report = check(component(CONTRACT.world(name)), CONTRACT)

    assert report.world is CONTRACT.world(name)
