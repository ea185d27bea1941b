"""
Deliver batches by a Wasm plugin: its receipts and failures become what any exporter answers.

The exporter's own queue, and its trying again, are the same as for all (pipeline/delivery.py).
"""

import asyncio
from concurrent.futures import Future
from typing import Protocol

import attrs

from otelwasm.config.plugin import PluginConfig
from otelwasm.config.values import Duration, at_least
from otelwasm.errors import PermanentError
from otelwasm.otlp.endpoints import Address
from otelwasm.otlp.rejected import Rejected
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.plugin import HostedPlugin, LoadedPlugin, LoadPlugin
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["ExporterPluginConfig", "ExportingPlugin", "PluginExporter"]


class ExportingPlugin(LoadedPlugin, Protocol):
    """
    What the pipeline needs of a loaded exporter.
    """

    def submit_send(self, signal: Signal, payload: bytes) -> "Future[Rejected | None]":
        """
        Deliver one batch on a worker's thread; what was not taken, if the rest was.
        """


@attrs.frozen
class ExporterPluginConfig(PluginConfig):
    """
    One `wasm/<name>` of the exporters; it sends as many batches at once as it has instances.

    After *timeout* a batch counts as not delivered and is tried again. A call that goes on
    nevertheless is ended by its own limits, so this is longer than for other exporters.
    """

    timeout: Duration = attrs.field(default=Duration(60), validator=at_least(Duration(0.001)))
    """Time to deliver one batch, waiting for its turn included."""

    def addresses(self, _: Signal) -> list[Address]:
        """
        Whom it may send to.
        """
        http = self.capabilities.http
        places = [] if http is None else http.allow
        return [Address.of_url(place.url) for place in places if {"POST", "PUT"} & {*place.methods}]


class PluginExporter:
    """
    One plugin with its instances.
    """

    def __init__(
        self,
        component: str,
        config: ExporterPluginConfig,
        *,
        load: LoadPlugin[ExportingPlugin],
        telemetry: Telemetry,
    ) -> None:
        self.plugin = HostedPlugin(
            component, config, world="exporter", load=load, telemetry=telemetry
        )
        self._component = component
        self._telemetry = telemetry

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Load the plugin and start its instances; raises SetupError, also when it does not handle
        all of *signals*.
        """
        await self.plugin.start(needed=signals)

    async def start(self) -> None:
        """
        Nothing is left to do; the plugin is started when it is loaded.
        """

    async def send(self, batch: Batch) -> Rejected | None:
        """
        Deliver *batch*; raises PermanentError or RetryableError as the plugin says.
        """
        try:
            return await self.plugin.call(
                lambda plugin: plugin.submit_send(batch.signal, batch.payload)
            )
        except PermanentError:
            self._telemetry.count("failed", self._component, batch)
            raise

    async def close(self) -> None:
        """
        Have the plugin deliver what it holds back, and end it; twice is safe.
        """
        await self.plugin.stop(asyncio.get_running_loop().time())
