"""
Name everything that a configuration says, checked and typed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from otelwasm.config.values import ByteSize, Duration, at_least
from otelwasm.pipeline.delivery import DeliveryConfig
from otelwasm.signals import Signal

__all__ = [
    "ComponentConfig",
    "Config",
    "ExporterConfig",
    "HealthConfig",
    "LogsConfig",
    "MetricsConfig",
    "PipelineConfig",
    "QuarantineConfig",
    "RouteConfig",
    "ServiceConfig",
    "StateDirectoryConfig",
    "TelemetryConfig",
]


def _address(_: object, __: object, value: str) -> None:
    host, colon, port = value.rpartition(":")
    if not (colon and port.isdecimal() and int(port) < 1 << 16) or ":" in host.strip("[]") != host:
        raise ValueError(f"expected host:port, such as localhost:8888; not {value!r}")


@attrs.frozen
class RouteConfig:
    """
    One of `service.pipelines`: which components, in which order.
    """

    receivers: tuple[str, ...] = ()
    """Ids of the receivers whose batches come in."""
    processors: tuple[str, ...] = ()
    """Ids of the processors, in order."""
    exporters: tuple[str, ...] = ()
    """Ids of the exporters; each gets every batch."""


@attrs.frozen
class LogsConfig:
    """
    What the command line's log shows; a program that embeds otelwasm sets up structlog itself.
    """

    level: Literal["debug", "info", "warn", "error"] = "info"
    """The least that a line must matter."""
    encoding: Literal["console", "json"] = "console"
    """`console` is for people; `json` is an object a line, with its time in UTC."""


@attrs.frozen
class MetricsConfig:
    """
    Where Prometheus finds the host's own metrics; nowhere by default.
    """

    address: str | None = attrs.field(default=None, validator=attrs.validators.optional(_address))
    """`host:port` that serves them; nowhere, if not given."""


@attrs.frozen
class TelemetryConfig:
    """
    The host's own telemetry.
    """

    logs: LogsConfig = LogsConfig()
    """What the log shows."""
    metrics: MetricsConfig = MetricsConfig()
    """Where Prometheus finds the host's own metrics."""


@attrs.frozen
class HealthConfig:
    """
    Where something that watches over the process can ask whether it runs; nowhere by default.
    """

    address: str | None = attrs.field(default=None, validator=attrs.validators.optional(_address))
    """`host:port` that answers any request: with 200 while all runs, with 503 before and after."""


@attrs.frozen
class QuarantineConfig:
    """
    Where batches are kept that can be neither delivered nor refused; `max_bytes` in all.
    """

    directory: Path = Path("quarantine")
    """The folder."""
    max_bytes: ByteSize = attrs.field(default=ByteSize(1 << 30))
    """What it may hold in all; what comes then is lost, counted and logged."""


@attrs.frozen
class StateDirectoryConfig:
    """
    Where the state of plugins is kept: one file for each that is granted one.
    """

    directory: Path = Path("state")
    """The folder, with one file for each plugin that is granted state."""


@attrs.frozen
class ServiceConfig:
    """
    What runs, and how the program as a whole behaves.
    """

    pipelines: Mapping[str, RouteConfig]
    """Each pipeline by its id: a signal, or a signal and a name."""
    telemetry: TelemetryConfig = TelemetryConfig()
    """The host's own log and metrics."""
    health: HealthConfig = HealthConfig()
    """Where to ask whether it runs."""
    quarantine: QuarantineConfig = QuarantineConfig()
    """Where batches are kept that can be neither delivered nor refused."""
    state: StateDirectoryConfig = StateDirectoryConfig()
    """Where the state of plugins is kept."""
    shutdown_timeout: Duration = attrs.field(
        default=Duration(20), validator=at_least(Duration(0.001))
    )
    """
    How long stopping may drain what was accepted; less than what stops the program gives it, such
    as Kubernetes' 30 s.
    """


@attrs.frozen
class ComponentConfig:
    """
    One receiver, processor or exporter: its id (`wasm/redact`), its kind and its settings.

    *where* says where it stands, for messages: `pipeline.yaml:12: processors.wasm/redact`.
    """

    id: str
    kind: str
    settings: Any
    where: str


@attrs.frozen
class ExporterConfig:
    """
    One exporter, and how it queues and tries again.
    """

    id: str
    kind: str
    settings: Any
    where: str
    delivery: DeliveryConfig


@attrs.frozen
class PipelineConfig:
    """
    One pipeline: its id (`traces/shop`), its signal and its components' ids.
    """

    id: str
    signal: Signal
    receivers: tuple[str, ...]
    processors: tuple[str, ...]
    exporters: tuple[str, ...]


@attrs.frozen
class Config:
    """
    A whole configuration; every reference in it is good.
    """

    receivers: Mapping[str, ComponentConfig]
    processors: Mapping[str, ComponentConfig]
    exporters: Mapping[str, ExporterConfig]
    pipelines: tuple[PipelineConfig, ...]
    service: ServiceConfig
    warnings: tuple[str, ...] = ()
