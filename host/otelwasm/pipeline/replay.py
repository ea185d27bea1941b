"""
Send what is in the quarantine on its way again, from the component that could not hand it on.

    exporter/otlp               the exporter itself
    processor/wasm/redact       what follows it in the pipelines of the batch's signal that list it
    processor/batch@traces      what follows it in that pipeline
    receiver/wasm/webhook       the pipelines of the batch's signal that list it

Neither queues nor `batch` hold anything meanwhile: each batch is answered by its exporters. One
that is delivered is deleted, any other stays as it is; where several exporters follow and one
refuses it, the others get it again with the next replay.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from time import monotonic

import attrs
import structlog

from otelwasm.config.settings import ComponentConfig, Config, PipelineConfig
from otelwasm.config.values import Duration
from otelwasm.errors import BatchError, RetryableError, SetupError
from otelwasm.pipeline.delivery import RetryConfig, SendingQueueConfig
from otelwasm.pipeline.graph import Graph
from otelwasm.pipeline.quarantine import Quarantined, quarantined
from otelwasm.pipeline.step import ConsumerFor
from otelwasm.registry import ReceiverKind, Registry
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["Replayed", "replay"]

_log = structlog.get_logger(__name__)

# What stands for the receivers.
_RECEIVER = "quarantine"
_NO_QUEUE = SendingQueueConfig(enabled=False)
_AT_ONCE = 10
# Somebody waits for the command: whoever takes nothing for so long is asked again another time.
_RETRY = RetryConfig(initial_interval=Duration(1), max_elapsed_time=Duration(30))


@attrs.define
class Replayed:
    """
    What became of the batches of one component: how many were *delivered*, with how many *items*,
    and how many are *left*, and why (the last reason).
    """

    component: str
    delivered: int = 0
    items: int = 0
    left: int = 0
    reason: str = ""


async def replay(
    config: Config,
    registry: Registry,
    *,
    telemetry: Telemetry,
    only: Collection[str] = (),
    to: str | None = None,
) -> list[Replayed]:
    """
    Replay the quarantine of *config*, or *only* what certain components left in it; *to* names an
    exporter that gets it all instead.

    Raises SetupError where *only* or *to* are nothing that is there, where a component does not
    start, and while another replay is at work.
    """
    directory = config.service.quarantine.directory
    if not directory.exists():  # nothing was ever kept
        return []
    with _alone(directory):
        found = quarantined(directory)
        present = dict.fromkeys(each.component for each in found)
        if unknown := [name for name in only if name not in present]:
            raise SetupError(f"{directory}: nothing of {unknown[0]}{_instead(present)}")
        if to is not None and to not in config.exporters:
            raise SetupError(f"there is no exporter {to}{_instead(config.exporters)}")
        outcomes = []
        for component in only or present:
            batches = [each for each in found if each.component == component]
            way = component if to is None else f"exporter/{to}"
            outcomes.append(Replayed(component))
            await _replay(_Way(config, way), registry, telemetry, batches, outcomes[-1])
        return outcomes


async def _replay(
    way: "_Way",
    registry: Registry,
    telemetry: Telemetry,
    batches: Sequence[Quarantined],
    outcome: Replayed,
) -> None:
    pipelines = way.pipelines({each.signal for each in batches})
    leads = {pipeline.signal for pipeline in pipelines}
    going = [each for each in batches if each.signal in leads]
    if missed := [each for each in batches if each.signal not in leads]:
        outcome.left = len(missed)
        outcome.reason = (
            f"there is no {way.component} for {missed[0].signal.label} any more; `--to` names an"
            " exporter that gets it instead"
        )
    if not going:
        return
    kinds = {_RECEIVER: lambda: ReceiverKind(object, lambda _, __, ways, ___: _Replayer(ways))}
    graph = Graph(
        way.config(pipelines), attrs.evolve(registry, receivers=kinds), telemetry=telemetry
    )
    await graph.start()
    try:
        replayer = graph.receivers[_RECEIVER]
        assert isinstance(replayer, _Replayer)
        await replayer.replay(going, outcome)
    finally:
        await graph.stop()


class _Way:
    """
    What of a configuration lies behind one component.
    """

    def __init__(self, config: Config, component: str) -> None:
        self.component = component
        self._config = config
        self._section, _, name = component.partition("/")
        self._name, _, self._pipeline = name.partition("@")

    def pipelines(self, signals: Iterable[Signal]) -> tuple[PipelineConfig, ...]:
        """
        What is left of the pipelines of *signals*; none where the component is not there any more.
        """
        if self._section == "exporter":
            if self._name not in self._config.exporters:
                return ()
            return tuple(
                PipelineConfig(signal.label, signal, (_RECEIVER,), (), (self._name,))
                for signal in sorted(signals)
            )
        found = []
        for pipeline in self._config.pipelines:
            processors = self._behind(pipeline)
            if pipeline.signal in signals and processors is not None:
                kept = tuple(
                    name for name in processors if self._config.processors[name].kind != "batch"
                )
                found.append(attrs.evolve(pipeline, receivers=(_RECEIVER,), processors=kept))
        return tuple(found)

    def config(self, pipelines: tuple[PipelineConfig, ...]) -> Config:
        """
        The configuration that replays into *pipelines*.
        """
        directory = self._config.service.quarantine.directory
        exporters = {
            name: attrs.evolve(each, delivery=attrs.evolve(each.delivery, sending_queue=_NO_QUEUE))
            for name, each in self._config.exporters.items()
        }
        receiver = ComponentConfig(_RECEIVER, _RECEIVER, None, str(directory))
        return attrs.evolve(
            self._config,
            receivers={_RECEIVER: receiver},
            exporters=exporters,
            pipelines=pipelines,
        )

    def _behind(self, pipeline: PipelineConfig) -> tuple[str, ...] | None:
        """
        The processors of *pipeline* behind the component, if that is in it.
        """
        if self._section == "receiver":
            return pipeline.processors if self._name in pipeline.receivers else None
        if self._pipeline not in ("", pipeline.id) or self._name not in pipeline.processors:
            return None
        return pipeline.processors[pipeline.processors.index(self._name) + 1 :]


class _Replayer:
    """
    A receiver that takes batches from the quarantine.
    """

    def __init__(self, consumer_for: ConsumerFor) -> None:
        self._consumer_for = consumer_for
        self._gave_up: str | None = None

    async def load(self) -> None:
        """
        There is nothing to prepare.
        """

    async def start(self) -> None:
        """
        `replay` begins.
        """

    async def stop(self, deadline: float) -> None:
        """
        `replay` has returned.
        """

    async def replay(self, batches: Iterable[Quarantined], outcome: Replayed) -> None:
        """
        Hand on all *batches*, some at the same time; the *outcome* is added to.
        """
        waiting = iter(batches)
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._hand_on_all(waiting, outcome))

    async def _hand_on_all(self, waiting: Iterator[Quarantined], outcome: Replayed) -> None:
        for each in waiting:
            reason = self._gave_up or await self._hand_on(each)
            if reason is None:
                outcome.delivered += 1
                outcome.items += each.items
            else:
                outcome.left += 1
                outcome.reason = reason

    async def _hand_on(self, one: Quarantined) -> str | None:
        """
        Hand on one batch and delete it; returns why it could not be.
        """
        consumer = self._consumer_for(one.signal)
        assert consumer is not None
        began, attempt = monotonic(), 0
        while True:
            try:
                await consumer.consume(one.read())
                break
            except RetryableError as error:
                delay_s = _RETRY.backoff(
                    attempt, after_s=error.after_s, elapsed_s=monotonic() - began
                )
                if delay_s is None or self._gave_up is not None:
                    self._gave_up = self._gave_up or str(error)
                    return self._gave_up
                if attempt == 0:
                    _log.warning(
                        "not taken now, will be tried again",
                        file=one.file.name,
                        error=str(error),
                    )
            except (BatchError, OSError) as error:
                _log.error("not delivered, and left", file=one.file.name, error=str(error))
                return str(error)
            await asyncio.sleep(delay_s)
            attempt += 1
        try:
            one.delete()
        except OSError as error:
            return f"delivered, but still there: {error}"
        return None


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """
    See to it that no other process replays *directory* meanwhile.
    """
    try:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SetupError(f"{directory}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"{directory}: another replay is at work") from None
        yield
    finally:
        os.close(folder)


def _instead(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"; there is {listed}" if listed else ""
