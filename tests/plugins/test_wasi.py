"""
A plugin has WASI's clocks, randomness and output; it has no files, and cannot wait for ever.
"""

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otelwasm.plugins.component import Component
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.sandbox import Sandbox


class Silent:
    """
    A host that nobody calls.
    """

    def __getattr__(self, name: str) -> Any:
        return self


@pytest.fixture
def start(
    every_guest: tuple[Path, ModuleType], lane: Any
) -> Iterator[Callable[..., tuple[Any, Sandbox]]]:
    """
    Starts a guest in Python with a deadline and somewhere for its output.
    """
    path, package = every_guest
    world = importlib.import_module(f"{package.__name__}.every")
    component = Component.load(path, name="every", lane=lane, worlds=[world.WORLD])
    opened = []

    def start(
        deadline_s: float = 30.0, output: Callable[[str, bytes], None] | None = None
    ) -> tuple[Any, Sandbox]:
        sandbox = Sandbox(
            component, Silent(), memory_bytes=1 << 28, deadline_s=deadline_s, output=output
        )
        opened.append(sandbox)
        return world.Every(sandbox), sandbox

    yield start
    for sandbox in opened:
        sandbox.close()


def test_output_reaches_the_host(start: Callable[..., Any]) -> None:
    """
    What a plugin prints arrives, by stream.
    """
    written: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    def output(stream: str, text: bytes) -> None:
        written[stream] += text

    plugin, _ = start(output=output)
    plugin.say("héllo", "wörld")

    assert {"stdout": "héllo\n".encode(), "stderr": "wörld\n".encode()} == written


def test_output_that_cannot_be_taken_is_no_fault(start: Callable[..., Any]) -> None:
    """
    An exception, of any kind, where output goes is counted and ends nothing.
    """

    def output(stream: str, text: bytes) -> None:
        raise SystemExit(3)

    plugin, sandbox = start(output=output)
    plugin.say("out", "err")

    assert sandbox.host_errors > 0
    assert not sandbox.is_dead


def test_a_plugin_may_wait(start: Callable[..., Any]) -> None:
    """
    A wait within the deadline lasts as long as it should.
    """
    plugin, _ = start()

    assert 0.2 <= plugin.doze(0.2) < 5


def test_a_wait_ends_at_the_deadline(start: Callable[..., Any]) -> None:
    """
    A plugin that waits is ended as one that loops.
    """
    plugin, sandbox = start(deadline_s=0.5)
    began = time.monotonic()

    with pytest.raises(Fault, match=r"beyond its deadline of 0.5 s") as caught:
        plugin.doze(3600)

    assert "deadline" == caught.value.kind
    assert 0.5 <= time.monotonic() - began < 10
    assert sandbox.is_dead
