"""
A queue on disk holds what it was given, for one process at a time, and says what is damaged.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from otelwasm.errors import SetupError
from otelwasm.pipeline.delivery import SendingQueueConfig
from otelwasm.pipeline.storage import Storage, Storages
from otelwasm.signals import Signal
from pipeline.fakes import a_batch

# What another program does that has the same queue.
TAKE = """
import sys, pathlib
from otelwasm.pipeline.storage import Storage
Storage(pathlib.Path(sys.argv[1]))
"""


def test_what_is_kept_is_there_for_the_next(tmp_path: Path) -> None:
    """
    Another process finds all batches as they were, in their order.
    """
    batches = [a_batch(f"span {n}") for n in range(20)] + [a_batch("a", "b", signal=Signal.LOGS)]
    before = Storage(tmp_path / "queue")
    for batch in batches:
        before.keep(batch)
    before.close()
    found = list(Storage(tmp_path / "queue").take_up())

    assert [(each.signal, each.payload) for each in batches] == [
        (each.signal, each.payload) for each in found
    ]
    assert [1] * 20 + [2] == [each.items for each in found]


def test_what_is_in_hand_is_not_taken_up(tmp_path: Path) -> None:
    """
    A batch is in one hand only: until it is left, nobody else gets it; once dropped, it is gone.
    """
    storage = Storage(tmp_path)
    kept = [storage.keep(a_batch(name)) for name in ("dropped", "left", "held")]
    storage.drop(kept[0])
    storage.leave(kept[1])
    taken = list(storage.take_up())

    assert [kept[1].payload] == [each.payload for each in taken]
    assert [] == list(storage.take_up())
    assert 2 == len(list(tmp_path.glob("*.otlp")))


def test_one_process_has_it(tmp_path: Path) -> None:
    """
    Two programs with one queue would deliver everything twice.
    """
    first = Storage(tmp_path)
    with pytest.raises(SetupError, match="another program has its queue there"):
        Storage(tmp_path)
    refused = subprocess.run([sys.executable, "-c", TAKE, tmp_path], capture_output=True, text=True)
    first.close()
    allowed = subprocess.run([sys.executable, "-c", TAKE, tmp_path], capture_output=True, text=True)

    assert "another program has its queue there" in refused.stderr
    assert (0, "") == (allowed.returncode, allowed.stderr)


def test_its_last_borrower_closes_it(tmp_path: Path) -> None:
    """
    Two versions of an exporter share a queue; it is free once both are done.
    """
    storages = Storages()
    old, new = (
        storages.lend(tmp_path, "exporter/otlp/a"),
        storages.lend(tmp_path, "exporter/otlp/a"),
    )
    storages.take_back(old)
    with pytest.raises(SetupError):
        Storage(old.folder)
    storages.take_back(new)

    assert old is new
    Storage(old.folder).close()


@pytest.mark.parametrize("name", ["notes.otlp", "1-traces-1-zz.otlp", "1-smells-1-00000000.otlp"])
def test_what_nobody_wrote_is_put_aside(tmp_path: Path, name: str) -> None:
    """
    A file that is no batch of this queue keeps none of the others, and is not deleted.
    """
    storage = Storage(tmp_path)
    storage.leave(storage.keep(a_batch("whole")))
    (tmp_path / name).write_bytes(b"")

    assert [a_batch("whole").payload] == [each.payload for each in storage.take_up()]
    assert (tmp_path / name).with_suffix(".damaged").exists()


def test_half_a_file_is_put_aside(tmp_path: Path) -> None:
    """
    What the machine had not written yet is told by its checksum.
    """
    storage = Storage(tmp_path)
    kept = storage.keep(a_batch("half"))
    storage.leave(kept)
    kept.file.write_bytes(kept.payload[:-1])

    assert [] == list(storage.take_up())
    assert kept.payload[:-1] == kept.file.with_suffix(".damaged").read_bytes()


def test_what_was_cut_short_was_not_accepted(tmp_path: Path) -> None:
    """
    A file that a process was writing when it died belongs to a batch whose sender has no answer.
    """
    (tmp_path / ".1-traces-1-00000000.otlp.abcdef").write_bytes(b"half")

    assert [] == list(Storage(tmp_path).take_up())
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written_is_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Who only checks a configuration, as an image's build does, may be another user than who runs it.
    """
    monkeypatch.setattr("os.access", lambda *_: False)
    config = SendingQueueConfig(storage=tmp_path / "queue")

    assert tmp_path / "queue" == config.storage
    with pytest.raises(SetupError, match=f"not allowed to write to {tmp_path}; name a folder"):
        Storage(tmp_path / "queue")
