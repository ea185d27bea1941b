"""
Load guests for the tests of this folder, and see that none leaves memory behind.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

from otelwasm.plugins.engine import the_engine
from otelwasm.plugins.native_calls import load_native_calls
from plugins.direct_guests import Running
from plugins.every_type.building import bindings, guest
from plugins.hosts import Notes
from plugins.opening import Opening


@pytest.fixture(params=["bridge", "direct"])
def lane(request: pytest.FixtureRequest) -> Literal["bridge", "direct"]:
    """
    Both ways for bytes to cross; each test passes on both.
    """
    found: Literal["bridge", "direct"] = request.param
    return found


@pytest.fixture
def host() -> Notes:
    """
    A host that takes everything.
    """
    return Notes()


@pytest.fixture(params=["C", "Python"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """
    Opens instances of the direct form, called by the C module and without it; each test passes
    with both. Closes them after the test.
    """
    native = load_native_calls() if request.param == "C" else None
    assert native is not None or request.param == "Python"
    running = Running(native)
    yield running
    for instance in running.instances:
        instance.close()


@pytest.fixture
def opening(lane: Literal["bridge", "direct"], host: Notes) -> Iterator[Opening]:
    """
    Opens instances on one lane; closes them after the test.
    """
    with Opening(lane, host) as opening:
        yield opening


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """
    After each test the engine holds no more memories and instances than before.
    """
    engine = the_engine()
    before = (engine.memories.count, engine.dispatcher.count)
    yield
    gc.collect()

    assert before == (engine.memories.count, engine.dispatcher.count)


@pytest.fixture(scope="session")
def every_guest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ModuleType]:
    """
    A guest in Python for every WIT type, made by componentize-py, and bindings for it.
    """
    folder = tmp_path_factory.mktemp("every")
    return guest(folder), bindings(folder)
