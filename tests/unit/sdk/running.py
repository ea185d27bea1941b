"""
Run plugins as plain Python with a host that remembers.
"""

from collections.abc import Callable
from typing import Any

from otelwasm.testing import a_span, traces
from otelwasm_sdk import Signal
from otelwasm_sdk.definition import define
from otelwasm_sdk.host import Level, Pairs
from otelwasm_sdk.runner import Runner

PAYLOAD = bytes(traces(a_span("a"), a_span("b")))


class FakeHost:
    """
    Remembers what it is asked; refuses what is emitted if told to.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.refusal: Exception | None = None

    def emit(self, signal: Signal, payload: bytes) -> None:
        """
        Take or refuse a batch.
        """
        if self.refusal is not None:
            raise self.refusal
        self.calls.append((signal, payload))

    def log(self, level: Level, message: str, attributes: Pairs) -> None:
        """
        Take a line.
        """
        self.calls.append((level, message, tuple(attributes)))

    def add(self, name: str, amount: float, attributes: Pairs) -> None:
        """
        Count.
        """
        self.calls.append(("add", name, amount, tuple(attributes)))

    def observe(self, name: str, value: float, attributes: Pairs) -> None:
        """
        Measure.
        """
        self.calls.append(("observe", name, value, tuple(attributes)))


def started(
    target: Callable[..., Any], config: object = "{}", *, host: FakeHost | None = None
) -> Runner:
    """
    A runner whose plugin is started.
    """
    runner = Runner(define(target), "", host or FakeHost())
    runner.start(config)
    return runner
