"""
Call a plugin again and again, in turns with a nop of the same kind and lane, and take the time.

One instance, one call after the other, from one thread: a latency is what a program sees that
calls `Plugin.process`, the way to the instance's thread and back included.
"""

import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import attrs

from otelwasm.bench.loads import Load, made_loads
from otelwasm.bench.surroundings import AnsweringHttp, KeptState, LastError, Nowhere
from otelwasm.errors import BatchError, CaseError
from otelwasm.messages import Message
from otelwasm.plugins.lane import Lane
from otelwasm.plugins.limits import Limits
from otelwasm.plugins.plugin import Plugin
from otelwasm.plugins.sources import Sources
from otelwasm_sdk.http import Response

__all__ = ["Bench", "Figures", "Row", "measure"]

_ROUNDS = 5
_LEAST_CALLS = 10
_NOPS = {
    "processor": "from otelwasm_sdk import Batch, processor\n\n\n"
    "@processor\ndef nop(batch: Batch) -> Batch:\n    return batch\n",
    "exporter": "from otelwasm_sdk import Batch, exporter\n\n\n"
    "@exporter\ndef nop(batch: Batch) -> None:\n    pass\n",
    "receiver": "from otelwasm_sdk import Message, Reply, receiver\n\n\n"
    "@receiver\ndef nop(message: Message) -> Reply:\n    return Reply()\n",
}


@attrs.frozen
class Figures:
    """
    What calls took, in seconds; *refused* of them were answered with a failure.
    """

    calls: int
    refused: int
    elapsed_s: float
    p50_s: float
    p90_s: float
    p99_s: float
    max_s: float

    @property
    def calls_per_s(self) -> float:
        """
        How many calls went through in a second.
        """
        return self.calls / self.elapsed_s


@attrs.frozen
class Row:
    """
    One load, and what plugin and nop took for it.
    """

    load: Load
    plugin: Figures
    nop: Figures

    @property
    def ratio(self) -> float:
        """
        How many times as long as the nop the plugin takes, in the median.
        """
        return self.plugin.p50_s / self.nop.p50_s

    @property
    def items_per_s(self) -> float:
        """
        Spans, data points, log records or messages in a second.
        """
        return self.plugin.calls_per_s * self.load.items

    @property
    def megabytes_per_s(self) -> float:
        """
        Millions of bytes that are handed over in a second.
        """
        return self.plugin.calls_per_s * self.load.size_bytes / 1e6


@attrs.frozen
class Bench:
    """
    All that was measured of one plugin.
    """

    name: str
    kind: str
    lane: str
    rows: tuple[Row, ...]
    memory_bytes: int
    nop_memory_bytes: int


def measure(
    source: Path | Sources,
    *,
    config: Mapping[str, object] | None = None,
    loads: Sequence[Load] = (),
    answers: Mapping[str, Response] | None = None,
    seconds: float = 2.0,
    lane: Lane = "auto",
) -> Bench:
    """
    Measure a plugin, a path or a Python plugin's files, for so many *seconds* with each of *loads*,
    and the nop for as long; without any, with batches of 1, 100 and 1,000 items.

    HTTP requests get the *answers* for their URLs, or 200, at once. Raises SetupError if the plugin
    does not start, or refuses what it is given.
    """
    with (
        tempfile.TemporaryDirectory(prefix="otelwasm-bench-") as folder,
        _loaded(source, config, answers or {}, lane=lane) as (plugin, log),
    ):
        if plugin.world == "receiver" and not any(_is_message(load) for load in loads):
            raise CaseError(
                f"plugin '{plugin.name}' is a receiver, and what its messages are is not known:"
                " give it a case that has some, with --case"
            )
        nop_source = Path(folder) / "nop.py"
        nop_source.write_text(_NOPS[plugin.world])
        lane = "bridge" if plugin.lane == "bridge" else "auto"
        with _loaded(nop_source, None, {}, lane=lane) as (nop, _):
            rows = [
                _row(plugin, nop, load, seconds=seconds, log=log)
                for load in loads or made_loads(plugin.signals)
            ]
            return Bench(
                plugin.name,
                plugin.world,
                plugin.lane,
                tuple(rows),
                plugin.stats.memory_bytes,
                nop.stats.memory_bytes,
            )


@contextmanager
def _loaded(
    source: Path | Sources,
    config: Mapping[str, object] | None,
    answers: Mapping[str, Response],
    *,
    lane: Lane,
) -> Iterator[tuple[Plugin, LastError]]:
    log = LastError()
    with Plugin(
        source,
        config=config,
        lane=lane,
        limits=Limits(deadline_s=60.0),
        emit=Nowhere(),
        log=log,
        meter=lambda kind, name, value, attributes: None,
        http=AnsweringHttp(answers),
        state=KeptState(),
    ) as plugin:
        yield plugin, log


def _row(plugin: Plugin, nop: Plugin, load: Load, *, seconds: float, log: LastError) -> Row:
    ours, theirs = _Timer(plugin, load), _Timer(nop, load)
    _refuse_failures(plugin, load, log=log)
    for timer in (ours, theirs):
        timer.run(seconds / _ROUNDS)
        timer.forget()
    for _ in range(_ROUNDS):
        ours.run(seconds / _ROUNDS)
        theirs.run(seconds / _ROUNDS)
    return Row(load, ours.figures(), theirs.figures())


def _refuse_failures(plugin: Plugin, load: Load, *, log: LastError) -> None:
    """
    Refuse to measure how fast a plugin says no; a receiver may say it to some of its messages.
    """
    call = _call(plugin, load)
    refused = None
    for given in load.inputs:
        try:
            call(given)
        except BatchError as error:
            refused = error
        else:
            return
    text = f"\n{log.text}" if log.text else ""
    raise CaseError(f"it refuses what it is measured with ({load.name}): {refused}{text}")


class _Timer:
    """
    Calls one plugin with one load, and remembers how long each call took.
    """

    def __init__(self, plugin: Plugin, load: Load) -> None:
        self._call = _call(plugin, load)
        self._inputs = cycle(load.inputs)
        self.forget()

    def forget(self) -> None:
        """
        Begin anew: what was so far was to warm up.
        """
        self._taken_ns = array("q")
        self._elapsed_ns = 0
        self._refused = 0

    def run(self, seconds: float) -> None:
        """
        Call for so long, and a few times at least.
        """
        call, inputs, taken, clock = self._call, self._inputs, self._taken_ns, time.perf_counter_ns
        least = len(taken) + _LEAST_CALLS
        began = now = clock()
        end = began + round(seconds * 1e9)
        while now < end or len(taken) < least:
            given = next(inputs)
            before = clock()
            try:
                call(given)
            except BatchError:
                self._refused += 1
            now = clock()
            taken.append(now - before)
        self._elapsed_ns += now - began

    def figures(self) -> Figures:
        """
        What all calls took.
        """
        ordered = sorted(self._taken_ns)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e9

        return Figures(
            calls=len(ordered),
            refused=self._refused,
            elapsed_s=self._elapsed_ns / 1e9,
            p50_s=at(0.5),
            p90_s=at(0.9),
            p99_s=at(0.99),
            max_s=ordered[-1] / 1e9,
        )


def _is_message(load: Load) -> bool:
    return isinstance(load.inputs[0], Message)


def _call(plugin: Plugin, load: Load) -> Callable[..., object]:
    if _is_message(load) != (plugin.world == "receiver"):
        given = "messages are for receivers" if _is_message(load) else "a receiver takes messages"
        raise CaseError(f"plugin '{plugin.name}' is a {plugin.world}: {given}")
    if plugin.world == "receiver":
        return plugin.receive
    call = plugin.process if plugin.world == "processor" else plugin.send
    return lambda given: call(*given)
