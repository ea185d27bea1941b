"""
The file exporter writes one line of OTLP/JSON for each batch, and never half of one.
"""

import errno
import json
import os
from pathlib import Path

import pytest

from otelwasm.errors import PermanentError, RetryableError, SetupError
from otelwasm.exporters.file import FileConfig, FileExporter
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal
from pipeline.fakes import a_batch, in_a_loop


def lines(path: Path) -> list[dict[str, object]]:
    """
    The lines of *path*, decoded.
    """
    return [json.loads(line) for line in path.read_text().splitlines()]


@in_a_loop
async def test_each_batch_is_a_line(tmp_path: Path) -> None:
    """
    Batches of all signals are appended in the order they are sent, behind what is there.
    """
    path = tmp_path / "out.jsonl"
    path.write_text("{}\n")
    exporter = FileExporter(FileConfig(path))
    await exporter.start()
    await exporter.send(a_batch("a"))
    await exporter.send(a_batch("b", signal=Signal.LOGS))
    found = lines(path)
    await exporter.close()
    await exporter.close()

    assert [[*line] for line in found] == [[], ["resourceSpans"], ["resourceLogs"]]


@in_a_loop
async def test_what_is_no_request_is_refused_for_good(tmp_path: Path) -> None:
    """
    Bytes that cannot be decoded are a permanent failure, and leave no trace in the file.
    """
    path = tmp_path / "out.jsonl"
    exporter = FileExporter(FileConfig(path))
    await exporter.start()
    with pytest.raises(PermanentError, match=str(path)):
        await exporter.send(Batch(Signal.TRACES, b"\xff\xff"))
    await exporter.close()

    assert path.read_bytes() == b""


@in_a_loop
async def test_a_full_disk_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When the disk is full in the middle of a line, the file ends with the last whole one.
    """
    path = tmp_path / "out.jsonl"
    exporter = FileExporter(FileConfig(path))
    await exporter.start()
    await exporter.send(a_batch("a"))
    write, calls = os.write, iter(range(2))

    def fill_up(file: int, data: memoryview) -> int:
        if next(calls):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[:10])

    with monkeypatch.context() as full, pytest.raises(RetryableError, match="No space left"):
        full.setattr(os, "write", fill_up)
        await exporter.send(a_batch("b"))
    await exporter.send(a_batch("b"))
    await exporter.close()

    assert len(lines(path)) == 2


@in_a_loop
async def test_a_file_that_cannot_be_opened_is_a_set_up_error(tmp_path: Path) -> None:
    """
    The message names the file and the reason.
    """
    (tmp_path / "gone").mkdir()
    config = FileConfig(tmp_path / "gone" / "out.jsonl")
    (tmp_path / "gone").rmdir()

    with pytest.raises(SetupError, match=r"out.jsonl: cannot be written: No such file"):
        await FileExporter(config).start()


@in_a_loop
async def test_what_is_no_file_on_a_disk_takes_lines_too(tmp_path: Path) -> None:
    """
    The path may be a pipe, as a container's /dev/stdout is: it is written, and closed in peace.
    """
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    exporter = FileExporter(FileConfig(path))
    await exporter.start()
    await exporter.send(a_batch("a"))
    await exporter.close()
    line = os.read(reader, 1 << 16)
    os.close(reader)

    assert ["resourceSpans"] == [*json.loads(line)]


@in_a_loop
async def test_a_device_that_is_full_is_tried_again() -> None:
    """
    What takes nothing back, either, is a retryable failure with its reason.
    """
    exporter = FileExporter(FileConfig(Path("/dev/full")))
    await exporter.start()
    with pytest.raises(RetryableError, match="/dev/full: No space left"):
        await exporter.send(a_batch("a"))
    await exporter.close()


@in_a_loop
async def test_closing_without_a_start_is_safe(tmp_path: Path) -> None:
    """
    A pipeline that does not start closes what it made.
    """
    await FileExporter(FileConfig(tmp_path / "out.jsonl")).close()

    assert not (tmp_path / "out.jsonl").exists()
