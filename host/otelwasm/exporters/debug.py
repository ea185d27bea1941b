"""
Show batches on standard output: how many items, a line for each, or everything in them.
"""

import sys
from typing import Literal, TextIO

import attrs
from google.protobuf.message import DecodeError

from otelwasm.errors import PermanentError
from otelwasm.exporters.text import detailed, normal
from otelwasm.otlp.signals import SERVICES
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["DebugConfig", "DebugExporter"]


@attrs.frozen
class DebugConfig:
    """
    How much to show.
    """

    verbosity: Literal["basic", "normal", "detailed"] = "basic"
    """`basic` counts, `normal` has a line for each item, `detailed` shows all there is."""


class DebugExporter:
    """
    Writes what it is sent for a person to read.
    """

    def __init__(self, config: DebugConfig, *, out: TextIO | None = None) -> None:
        self._verbosity = config.verbosity
        self._out = out

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Nothing is loaded.
        """

    async def start(self) -> None:
        """
        Need nothing.
        """

    async def send(self, batch: Batch) -> None:
        """
        Write *batch*.
        """
        count = "1 item" if batch.items == 1 else f"{batch.items} items"
        lines = [f"{batch.signal.label}: {count}, {batch.size} bytes"]
        if self._verbosity != "basic":
            try:
                request = SERVICES[batch.signal].request.FromString(batch.payload)
            except DecodeError as error:
                raise PermanentError(f"no {batch.signal.label} request: {error}") from error
            lines += normal(request) if self._verbosity == "normal" else detailed(request)
        # Looked up late: a program, or a test, may put another stream in its place.
        print("\n".join(lines), file=self._out or sys.stdout, flush=True)

    async def close(self) -> None:
        """
        Need nothing.
        """
