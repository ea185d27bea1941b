"""
Say which kinds of components there are: their settings, and how one is made.

A kind's module is imported when a configuration first names it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from otelwasm.otlp.endpoints import Address
from otelwasm.otlp.rejected import Rejected
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.pipeline.states import States
from otelwasm.pipeline.step import ConsumerFor, Step
from otelwasm.pipeline.storage import Storages
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = [
    "Exporter",
    "ExporterKind",
    "Processor",
    "ProcessorKind",
    "Receiver",
    "ReceiverKind",
    "Registry",
    "Surroundings",
]


@attrs.frozen
class Surroundings:
    """
    What all components of one graph share.
    """

    quarantine: Quarantine
    telemetry: Telemetry
    states: States
    storages: Storages


class Receiver(Protocol):
    """
    Takes batches from outside and answers their senders.
    """

    async def load(self) -> None:
        """
        Prepare all that needs no socket; raises SetupError.
        """

    async def start(self) -> None:
        """
        Listen, as everything downstream is ready; raises SetupError or OSError.
        """

    async def stop(self, deadline: float) -> None:
        """
        Accept no more, and finish what is in flight until *deadline* (the loop's time); safe
        without a start.
        """


class Processor(Protocol):
    """
    Stands between receivers and exporters, in one pipeline or, if it is shared, in several.
    """

    def step(self, signal: Signal, then: Step) -> Step:
        """
        Return the way in from one pipeline, whose next step is *then*.
        """

    async def start(self) -> None:
        """
        Be ready for batches; raises SetupError.
        """

    async def stop(self, deadline: float) -> None:
        """
        Hand on what is held, until *deadline* (the loop's time); safe without a start.
        """

    def part_with_all(self, reason: str) -> None:
        """
        Quarantine what is held, as far as that can be had at once; the program ends then.
        """


class Exporter(Protocol):
    """
    Delivers batches to somewhere outside.
    """

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Prepare all that needs no connection, for batches of *signals*; raises SetupError.
        """

    async def start(self) -> None:
        """
        Be ready to send; raises SetupError or OSError.
        """

    async def send(self, batch: Batch) -> Rejected | None:
        """
        Deliver *batch*, or raise PermanentError or RetryableError.

        Returns what the other side did not take of it, if it took the rest.
        """

    async def close(self) -> None:
        """
        Let go of connections and files; safe without a start.
        """


@attrs.frozen
class ReceiverKind:
    """
    A kind of receiver: the class of its settings, and what makes one of its id and them.

    *listens_at* says, of its settings, which addresses it takes telemetry at.
    """

    config: type[Any]
    make: Callable[[str, Any, ConsumerFor, Surroundings], Receiver]
    listens_at: Callable[[Any], Sequence[Address]] = lambda _: ()


@attrs.frozen
class ProcessorKind:
    """
    A kind of processor: the class of its settings, and what makes one of its name and them.

    One that *is_shared* is made once for all pipelines that list it.
    """

    config: type[Any]
    make: Callable[[str, Any, Surroundings], Processor]
    is_shared: bool = False


@attrs.frozen
class ExporterKind:
    """
    A kind of exporter: the class of its own settings, and what makes one of its id and them.

    *at_once* says, of its settings, how many batches it can send at the same time; None for any.
    *sends_to* says, of them and a signal, which addresses it sends to.
    """

    config: type[Any]
    make: Callable[[str, Any, Surroundings], Exporter]
    at_once: Callable[[Any], int | None] = lambda _: None
    sends_to: Callable[[Any, Signal], Sequence[Address]] = lambda _, __: ()


@attrs.frozen
class Registry:
    """
    Kinds by the name that a configuration calls them.
    """

    receivers: Mapping[str, Callable[[], ReceiverKind]]
    processors: Mapping[str, Callable[[], ProcessorKind]]
    exporters: Mapping[str, Callable[[], ExporterKind]]

    @classmethod
    def built_in(cls) -> "Registry":
        """
        What comes with otelwasm.
        """
        return cls(
            receivers={"otlp": _otlp_receiver, "wasm": _wasm_receiver},
            processors={"batch": _batch_processor, "wasm": _wasm_processor},
            exporters={
                "debug": _debug_exporter,
                "file": _file_exporter,
                "otlp": _otlp_grpc_exporter,
                "otlp_grpc": _otlp_grpc_exporter,
                "otlp_http": _otlp_http_exporter,
                "otlphttp": _otlp_http_exporter,
                "wasm": _wasm_exporter,
            },
        )


def _otlp_receiver() -> ReceiverKind:
    from otelwasm.receivers.otlp import OtlpConfig, OtlpReceiver

    return ReceiverKind(
        OtlpConfig,
        lambda name, config, consumer_for, _: OtlpReceiver(config, consumer_for, name=name),
        listens_at=OtlpConfig.addresses,
    )


def _wasm_receiver() -> ReceiverKind:
    from otelwasm.pipeline.loading import loader
    from otelwasm.receivers.plugin import PluginReceiver, ReceiverConfig

    return ReceiverKind(
        ReceiverConfig,
        lambda name, config, consumer_for, around: PluginReceiver(
            f"receiver/{name}",
            config,
            consumer_for,
            load=loader(f"receiver/{name}", around.states),
            quarantine=around.quarantine,
            telemetry=around.telemetry,
        ),
        listens_at=ReceiverConfig.addresses,
    )


def _batch_processor() -> ProcessorKind:
    from otelwasm.processors.batch import BatchConfig, BatchProcessor

    return ProcessorKind(
        BatchConfig,
        lambda component, config, around: BatchProcessor(
            component, config, quarantine=around.quarantine, telemetry=around.telemetry
        ),
    )


def _wasm_processor() -> ProcessorKind:
    from otelwasm.pipeline.loading import loader
    from otelwasm.processors.plugin import PluginProcessor, ProcessorConfig

    return ProcessorKind(
        ProcessorConfig,
        lambda component, config, around: PluginProcessor(
            component,
            config,
            load=loader(component, around.states),
            quarantine=around.quarantine,
            telemetry=around.telemetry,
        ),
        is_shared=True,
    )


def _debug_exporter() -> ExporterKind:
    from otelwasm.exporters.debug import DebugConfig, DebugExporter

    return ExporterKind(DebugConfig, lambda _, config, __: DebugExporter(config))


def _file_exporter() -> ExporterKind:
    from otelwasm.exporters.file import FileConfig, FileExporter

    return ExporterKind(FileConfig, lambda _, config, __: FileExporter(config))


def _otlp_grpc_exporter() -> ExporterKind:
    from otelwasm.exporters.otlp_grpc import OtlpGrpcConfig, OtlpGrpcExporter

    return ExporterKind(
        OtlpGrpcConfig,
        lambda _, config, __: OtlpGrpcExporter(config),
        sends_to=OtlpGrpcConfig.addresses,
    )


def _otlp_http_exporter() -> ExporterKind:
    from otelwasm.exporters.otlp_http import OtlpHttpConfig, OtlpHttpExporter

    return ExporterKind(
        OtlpHttpConfig,
        lambda _, config, __: OtlpHttpExporter(config),
        sends_to=OtlpHttpConfig.addresses,
    )


def _wasm_exporter() -> ExporterKind:
    from otelwasm.exporters.plugin import ExporterPluginConfig, PluginExporter
    from otelwasm.pipeline.loading import loader

    def make(name: str, config: ExporterPluginConfig, around: Surroundings) -> PluginExporter:
        component = f"exporter/{name}"
        return PluginExporter(
            component,
            config,
            load=loader(component, around.states),
            telemetry=around.telemetry,
        )

    return ExporterKind(
        ExporterPluginConfig,
        make,
        at_once=lambda config: config.instances,
        sends_to=ExporterPluginConfig.addresses,
    )
