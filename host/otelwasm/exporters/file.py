"""
Append each batch to a file as one line of OTLP/JSON, as the Collector's file exporter does.
"""

import asyncio
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import structlog

from otelwasm.errors import PermanentError, RetryableError, SetupError
from otelwasm.otlp.json import to_json
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["FileConfig", "FileExporter"]

_log = structlog.get_logger(__name__)


def _in_existing_folder(_: object, __: object, path: Path) -> None:
    if not path.parent.is_dir():
        raise ValueError(f"no such folder: {path.parent}")
    if path.is_dir():
        raise ValueError(f"expected a file, but this is a folder: {path}")


@attrs.frozen
class FileConfig:
    """
    Where the lines go.
    """

    path: Path = attrs.field(validator=_in_existing_folder)
    """The file that lines of OTLP JSON are appended to; its folder exists."""


class FileExporter:
    """
    One open file, written by a thread of its own, so that the order of batches stays.
    """

    def __init__(self, config: FileConfig) -> None:
        self._path = config.path
        self._file: int | None = None
        # A pipe or a terminal, as /dev/stdout is, has no disk and takes nothing back.
        self._is_on_disk = True
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"file {config.path.name}")

    async def load(self, signals: frozenset[Signal]) -> None:
        """
        Nothing is loaded.
        """

    async def start(self) -> None:
        """
        Open the file, or make it.
        """
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise SetupError(f"{self._path}: cannot be written: {error.strerror}") from error
        self._is_on_disk = stat.S_ISREG(os.fstat(self._file).st_mode)

    async def send(self, batch: Batch) -> None:
        """
        Append *batch*; it is in the file, not only in a buffer, when this returns.
        """
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._append, batch)

    async def close(self) -> None:
        """
        Have everything on the disk and close the file; twice is safe.
        """
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _append(self, batch: Batch) -> None:
        if self._file is None:
            raise RetryableError(f"{self._path} is not open")
        try:
            line = to_json(batch.signal, batch.payload) + b"\n"
        except ValueError as error:
            raise PermanentError(f"{self._path}: {error}") from error
        whole_lines = os.fstat(self._file).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            if self._is_on_disk:
                # A full disk may have taken half of the line; the next attempt writes all of it.
                os.ftruncate(self._file, whole_lines)
            raise RetryableError(f"{self._path}: {error.strerror}") from error

    def _close(self) -> None:
        self._writer.shutdown(wait=True)
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            if self._is_on_disk:
                os.fsync(file)
        except OSError as error:
            _log.error("what was written last may be lost", file=str(self._path), error=str(error))
        finally:
            os.close(file)
