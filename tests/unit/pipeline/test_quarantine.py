"""
The quarantine keeps batches with their reasons, up to a limit, and says when it cannot.
"""

import json
import os
from pathlib import Path

import pytest

from otelwasm.errors import SetupError
from otelwasm.pipeline.quarantine import Quarantine, quarantined
from otelwasm.telemetry import Telemetry
from pipeline.fakes import a_batch


def kept(folder: Path, suffix: str) -> list[Path]:
    """
    The files with *suffix*, oldest first.
    """
    return sorted(folder.glob(f"*{suffix}"))


def test_a_batch_is_kept_with_its_reason(tmp_path: Path) -> None:
    """
    The payload lies byte for byte beside a note of where it comes from and why.
    """
    folder, telemetry, batch = tmp_path / "q", Telemetry(), a_batch("a", "b")
    quarantine = Quarantine(folder, max_bytes=1000, telemetry=telemetry)
    quarantine.keep(batch, "exporter/otlp/two", reason="bad tenant")
    (payload,), (note,) = kept(folder, ".otlp"), kept(folder, ".json")
    about = json.loads(note.read_text())

    assert batch.payload == payload.read_bytes()
    assert payload.name.endswith("Z-exporter-otlp-two-traces.otlp")
    assert payload.stem == note.stem
    assert about.pop("time").endswith("+00:00")
    assert {
        "component": "exporter/otlp/two",
        "signal": "traces",
        "bytes": batch.size,
        "items": 2,
        "reason": "bad tenant",
    } == about
    assert telemetry.total_items("quarantined") == 2


def test_a_reason_may_be_any_text(tmp_path: Path) -> None:
    """
    Half of a character, which UTF-8 cannot carry, costs neither the batch nor who keeps it.
    """
    telemetry = Telemetry()
    Quarantine(tmp_path, max_bytes=1000, telemetry=telemetry).keep(
        a_batch(), "exporter/otlp", reason="half \ud83d é"
    )
    (note,) = kept(tmp_path, ".json")

    assert "half \ud83d é" == json.loads(note.read_text())["reason"]
    assert telemetry.total_items("quarantined") == 1


def test_batches_of_one_moment_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """
    Every batch has a file of its own, in the order they were kept.
    """
    quarantine = Quarantine(tmp_path, max_bytes=1 << 20, telemetry=Telemetry())
    batches = [a_batch(f"span {number}") for number in range(50)]
    for batch in batches:
        quarantine.keep(batch, "exporter/otlp", reason="no")

    assert [batch.payload for batch in batches] == [
        path.read_bytes() for path in kept(tmp_path, ".otlp")
    ]


def test_a_full_quarantine_counts_what_is_lost(tmp_path: Path) -> None:
    """
    Beyond the limit a batch is lost, which is counted; what was kept stays.
    """
    telemetry, batch = Telemetry(), a_batch("a")
    quarantine = Quarantine(tmp_path, max_bytes=2 * batch.size, telemetry=telemetry)
    for _ in range(3):
        quarantine.keep(batch, "exporter/otlp", reason="no")

    assert len(kept(tmp_path, ".otlp")) == 2
    assert (telemetry.total_items("quarantined"), telemetry.total_items("lost")) == (2, 1)


def test_what_is_taken_out_makes_room(tmp_path: Path) -> None:
    """
    A full quarantine that was replayed takes batches again, without a restart.
    """
    telemetry, batch = Telemetry(), a_batch("a")
    quarantine = Quarantine(tmp_path, max_bytes=batch.size, telemetry=telemetry)
    for _ in range(2):
        quarantine.keep(batch, "exporter/otlp", reason="no")
    (one,) = quarantined(tmp_path)
    one.delete()
    quarantine.keep(batch, "exporter/otlp", reason="no")

    assert (telemetry.total_items("quarantined"), telemetry.total_items("lost")) == (2, 1)


def test_batches_of_earlier_runs_count(tmp_path: Path) -> None:
    """
    The limit is for the folder, not for one run of the program.
    """
    batch, telemetry = a_batch("a"), Telemetry()
    for _ in range(2):
        quarantine = Quarantine(tmp_path, max_bytes=batch.size, telemetry=telemetry)
        quarantine.keep(batch, "exporter/otlp", reason="no")

    assert (telemetry.total_items("quarantined"), telemetry.total_items("lost")) == (1, 1)


def test_a_folder_that_cannot_be_made_loses_the_batch_loudly(tmp_path: Path) -> None:
    """
    Where nothing can be written the loss is counted, and nothing is raised.
    """
    (tmp_path / "file").touch()
    telemetry = Telemetry()
    quarantine = Quarantine(tmp_path / "file" / "q", max_bytes=1000, telemetry=telemetry)
    quarantine.keep(a_batch("a"), "exporter/otlp", reason="no")

    assert telemetry.total_items("lost") == 1


def test_a_folder_that_cannot_be_written_keeps_a_pipeline_from_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whoever runs it hears so at once, and not when the first batch is lost; nothing is made yet.
    """
    quarantine = Quarantine(tmp_path / "a" / "q", max_bytes=1000, telemetry=Telemetry())
    quarantine.check()
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert [] == list(tmp_path.iterdir())
    with pytest.raises(SetupError, match=f"not allowed to write to {tmp_path}; name a folder"):
        quarantine.check()
