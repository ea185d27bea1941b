"""
Protobuf's messages do in a component what they do on the host.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal

SOURCE = Path(__file__).parent / "protobuf" / "plugin.py"


def as_plain_python() -> Any:
    """
    The plugin's module, imported here.
    """
    spec = importlib.util.spec_from_file_location("protobuf_plugin", SOURCE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = as_plain_python()
# protobuf's C core declares these with one parameter and Python calls them with two, which
# native code does not mind and Wasm traps on.
TRAPPING = {
    name
    for name in (*HERE.MESSAGE, *HERE.NUMBERS)
    if name == "Clear" or name.endswith((".reverse", ".clear"))
}


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    """
    The plugin in a runner, whose protobuf is every component's.
    """
    with Plugin(SOURCE, name="protobuf") as plugin:
        yield plugin


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason="traps") if name in TRAPPING else ())
        for name in (*HERE.MESSAGE, *HERE.NUMBERS)
    ],
)
def test_protobuf_does_the_same_in_a_component(plugin: Plugin, name: str) -> None:
    """
    What can be done to a message gives the same result in Wasm as on the host.
    """
    assert HERE.answer(name) == plugin.process(Signal.TRACES, name.encode())
