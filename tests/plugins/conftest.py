"""
Load guests for the tests of this folder, and see that none leaves memory behind.
"""

import gc
from collections.abc import Iterator
from typing import Literal

import pytest

from otelwasm.plugins.engine import the_engine
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
