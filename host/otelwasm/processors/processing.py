"""
Say what the pipeline needs of a loaded plugin, whoever made it.
"""

from concurrent.futures import Future
from typing import Protocol

from otelwasm.signals import Signal
from otelwasm.telemetry import PluginNumbers

__all__ = ["ProcessingPlugin"]


class ProcessingPlugin(Protocol):
    """
    What the pipeline needs of a loaded plugin; `otelwasm.Plugin` is one.
    """

    @property
    def world(self) -> str:
        """
        `processor`, `exporter` or `receiver`.
        """

    @property
    def signals(self) -> frozenset[Signal]:
        """
        What it handles; batches of other signals pass it by.
        """

    @property
    def stats(self) -> PluginNumbers:
        """
        Its numbers at this moment.
        """

    def submit(self, signal: Signal, payload: bytes) -> "Future[bytes | None]":
        """
        Process one batch on a worker's thread: the same bytes, others, or None to drop.
        """

    def submit_tick(self) -> "Future[None]":
        """
        Call the guest's `tick` between batches.
        """

    def submit_stop(self) -> "Future[None]":
        """
        Have the guest emit what it holds back; no batch follows.
        """

    def close(self) -> None:
        """
        End all instances; twice is safe.
        """
