"""
What is in the quarantine goes on where it was stopped; only what is delivered is deleted.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from otelwasm.errors import PermanentError, RetryableError, SetupError
from otelwasm.pipeline import replay as replay_module
from otelwasm.pipeline.batch import Batch
from otelwasm.pipeline.delivery import RetryConfig
from otelwasm.pipeline.quarantine import Quarantine, quarantined
from otelwasm.pipeline.replay import Replayed
from otelwasm.registry import ExporterKind
from otelwasm.service import Pipeline
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry
from pipeline.fakes import (
    FakePlugin,
    MemoryExporter,
    MemoryExporterConfig,
    a_batch,
    a_plugin_file,
    in_a_loop,
    names_in,
    refuse,
    registry,
)


@attrs.frozen
class Place:
    """
    A configuration with two exporters, `memory/a` and `memory/b`, a plugin `wasm/mark` that names
    every span `marked`, and a `batch`; and its quarantine.
    """

    folder: Path
    exporters: dict[str, MemoryExporter] = attrs.field(
        factory=lambda: {"memory/a": MemoryExporter(), "memory/b": MemoryExporter()}
    )

    def keep(self, component: str, *batches: Batch) -> None:
        """
        Put *batches* into the quarantine as *component* does.
        """
        quarantine = Quarantine(self.directory, max_bytes=1 << 20, telemetry=Telemetry())
        for batch in batches:
            quarantine.keep(batch, component, reason="the other side was down")

    @property
    def directory(self) -> Path:
        """
        The quarantine's folder.
        """
        return self.folder / "quarantine"

    @property
    def left(self) -> list[Path]:
        """
        All files that are in it.
        """
        return sorted(self.directory.iterdir())

    def pipeline(self) -> Pipeline:
        """
        What `otelwasm replay` makes of the configuration.
        """
        kind = ExporterKind(MemoryExporterConfig, lambda name, _, __: self.exporters[name])
        kinds = registry(mark=FakePlugin(lambda _, __, ___: a_batch("marked").payload))
        config = {
            "receivers": {"memory": {}},
            "processors": {
                "wasm/mark": {"plugin": a_plugin_file(self.folder)},
                "batch": {"timeout": "1h"},
            },
            "exporters": {"memory/a": {}, "memory/b": {}},
            "service": {
                "pipelines": {
                    "traces": {
                        "receivers": ["memory"],
                        "processors": ["wasm/mark", "batch"],
                        "exporters": ["memory/a"],
                    },
                    "traces/more": {"receivers": ["memory"], "exporters": ["memory/b"]},
                    "logs": {"receivers": ["memory"], "exporters": ["memory/b"]},
                }
            },
        }
        exporters = {**kinds.exporters, "memory": lambda: kind}
        return Pipeline(
            config, folder=self.folder, registry=attrs.evolve(kinds, exporters=exporters)
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """
    A place without patience: what is not taken is asked for once more, at once.
    """
    impatient = RetryConfig(initial_interval=0.001, max_elapsed_time=0.05)  # type: ignore[arg-type]
    monkeypatch.setattr(replay_module, "_RETRY", impatient)
    return Place(tmp_path)


@in_a_loop
async def test_nothing_to_replay_is_no_mistake(place: Place) -> None:
    """
    Where nothing was ever kept, and where nothing is left, nothing is done.
    """
    nowhere = await place.pipeline().replay()
    place.directory.mkdir()

    assert ([], []) == (nowhere, await place.pipeline().replay())


@in_a_loop
async def test_an_exporter_gets_its_batches_again(place: Place) -> None:
    """
    What one exporter left goes to that one alone, as it was, past the processors.
    """
    place.keep("exporter/memory/b", a_batch("x", "y"), a_batch("z", signal=Signal.LOGS))
    outcomes = await place.pipeline().replay()

    assert [Replayed("exporter/memory/b", delivered=2, items=3)] == outcomes
    assert ["x", "y", "z"] == sorted(place.exporters["memory/b"].names)
    assert [] == place.exporters["memory/a"].batches
    assert [] == place.left


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("receiver/memory", {"memory/a": ["marked"], "memory/b": ["x"]}),
        ("processor/wasm/mark", {"memory/a": ["x"], "memory/b": []}),
        ("processor/batch@traces", {"memory/a": ["x"], "memory/b": []}),
    ],
)
@in_a_loop
async def test_a_batch_goes_on_behind_its_component(
    place: Place, component: str, expected: dict[str, list[str]]
) -> None:
    """
    It takes the way that it would have taken, less `batch`, which has nothing to wait for.
    """
    place.keep(component, a_batch("x"))
    outcomes = await place.pipeline().replay()

    assert [Replayed(component, delivered=1, items=1)] == outcomes
    assert expected == {name: each.names for name, each in place.exporters.items()}
    assert [] == place.left


@in_a_loop
async def test_what_is_refused_stays(place: Place) -> None:
    """
    A batch that is refused again is left with its note, and the others go.
    """
    place.keep("exporter/memory/a", a_batch("good"), a_batch("bad"), a_batch("fine"))

    def answer(batch: Batch) -> None:
        if names_in(batch) == ["bad"]:
            raise PermanentError("no such tenant")

    place.exporters["memory/a"].answer = answer
    outcomes = await place.pipeline().replay()
    (one,) = quarantined(place.directory)

    assert [
        Replayed("exporter/memory/a", delivered=2, items=2, left=1, reason="no such tenant")
    ] == outcomes
    assert (["bad"], "the other side was down") == (names_in(one.read()), one.reason)


@in_a_loop
async def test_who_takes_nothing_is_not_asked_for_each(place: Place) -> None:
    """
    An exporter that is still down keeps the command some moments, however much is waiting for it.
    """
    place.keep("exporter/memory/a", *(a_batch(str(number)) for number in range(200)))
    place.exporters["memory/a"].answer = refuse(RetryableError("connection refused"))
    (outcome,) = await place.pipeline().replay()

    assert (0, 200, "connection refused") == (outcome.delivered, outcome.left, outcome.reason)
    assert 200 == len(quarantined(place.directory))
    assert place.exporters["memory/a"].attempts < 200


@in_a_loop
async def test_what_is_taken_later_is_delivered(place: Place) -> None:
    """
    A batch that is not taken at once is tried again.
    """
    place.keep("exporter/memory/a", a_batch("x"))
    answers = iter([RetryableError("busy")])

    def answer(_: Batch) -> None:
        if error := next(answers, None):
            raise error

    place.exporters["memory/a"].answer = answer
    (outcome,) = await place.pipeline().replay()

    assert (1, 0) == (outcome.delivered, outcome.left)
    assert (2, ["x"]) == (place.exporters["memory/a"].attempts, place.exporters["memory/a"].names)


@pytest.mark.parametrize(
    ("component", "missing"),
    [
        ("exporter/gone", "there is no exporter/gone for traces any more"),
        ("processor/batch@traces/gone", "there is no processor/batch@traces/gone for traces"),
        ("receiver/gone", "there is no receiver/gone for traces any more"),
    ],
)
@in_a_loop
async def test_what_has_no_way_on_stays(place: Place, component: str, missing: str) -> None:
    """
    The batches of a component that is not in the configuration any more keep nobody from going.
    """
    place.keep(component, a_batch("x"))
    place.keep("exporter/memory/a", a_batch("y"))
    gone, there = await place.pipeline().replay()

    assert (1, True) == (gone.left, gone.reason.startswith(missing))
    assert (1, 2) == (there.delivered, len(place.left))


@in_a_loop
async def test_another_exporter_can_take_it_all(place: Place) -> None:
    """
    With *to*, batches go there whoever left them; with *only*, those of others stay.
    """
    place.keep("exporter/gone", a_batch("x"))
    place.keep("receiver/memory", a_batch("y"))
    await place.pipeline().replay(only=["exporter/gone"], to="memory/b")

    assert ["x"] == place.exporters["memory/b"].names
    assert ["receiver/memory"] == [each.component for each in quarantined(place.directory)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"only": ["exporter/b"]}, "nothing of exporter/b; there is exporter/memory/a"),
        ({"to": "memory/c"}, "there is no exporter memory/c; there is memory/a, memory/b"),
    ],
)
@in_a_loop
async def test_a_name_that_is_not_there_is_a_mistake(
    place: Place, asked: dict[str, object], said: str
) -> None:
    """
    What was asked for and is not there is said, with what is; nothing moves.
    """
    place.keep("exporter/memory/a", a_batch("x"))
    with pytest.raises(SetupError, match=said):
        await place.pipeline().replay(**asked)  # type: ignore[arg-type]

    assert 2 == len(place.left)


@in_a_loop
async def test_two_replays_do_not_meet(place: Place) -> None:
    """
    While one is at work another one is refused: batches would be delivered twice.
    """
    place.keep("exporter/memory/a", a_batch("x"))
    under_way, going_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        under_way.set()
        await going_on.wait()

    place.exporters["memory/a"].answer = lambda _: wait()
    first = asyncio.create_task(place.pipeline().replay())
    await under_way.wait()
    with pytest.raises(SetupError, match="another replay is at work"):
        await place.pipeline().replay()
    going_on.set()

    assert [Replayed("exporter/memory/a", delivered=1, items=1)] == await first


@in_a_loop
async def test_an_interrupted_replay_loses_nothing(place: Place) -> None:
    """
    What is on its way when somebody stops the replay stays.
    """
    place.keep("exporter/memory/a", a_batch("x"))
    under_way = asyncio.Event()

    async def wait() -> None:
        under_way.set()
        await asyncio.Event().wait()

    place.exporters["memory/a"].answer = lambda _: wait()
    replaying = asyncio.create_task(place.pipeline().replay())
    await under_way.wait()
    replaying.cancel()
    await asyncio.gather(replaying, return_exceptions=True)

    assert 2 == len(place.left)


def _without_note(directory: Path) -> None:
    next(directory.glob("*.json")).unlink()


def _with_half_a_note(directory: Path) -> None:
    note = next(directory.glob("*.json"))
    note.write_bytes(note.read_bytes()[:20])


def _of_an_unknown_signal(directory: Path) -> None:
    note = next(directory.glob("*.json"))
    note.write_text(note.read_text().replace('"traces"', '"smells"'))


@pytest.mark.parametrize("damage", [_without_note, _with_half_a_note, _of_an_unknown_signal])
@in_a_loop
async def test_what_is_no_whole_batch_is_left_alone(
    place: Place, damage: Callable[[Path], None]
) -> None:
    """
    A file that nobody finished, or that somebody changed, is not sent, and not deleted.
    """
    place.keep("exporter/memory/a", a_batch("x"))
    damage(place.directory)
    before = place.left
    outcomes = await place.pipeline().replay()

    assert ([], before) == (outcomes, place.left)
