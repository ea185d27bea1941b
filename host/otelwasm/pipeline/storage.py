"""
Keep what is in exporters' queues on disk, for the process that comes after a restart or a crash.

    <storage>/<exporter>/<when>-<signal>-<items>-<CRC-32>.otlp     a payload each

A file is there before its batch is accepted, and goes once that is delivered or in the quarantine.
So a process may die at any time; a batch that was being sent then is sent again. Nothing is forced
onto the disk (the Collector's file_storage does not either, unless it is told to): what the machine
itself had not written yet when it lost its power is lost, and the checksum tells half a file.
"""

import fcntl
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from time import time_ns
from urllib.parse import quote

import attrs
import structlog

from otelwasm.cache import write_atomically
from otelwasm.config.places import writable
from otelwasm.errors import SetupError
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal

__all__ = ["Storage", "Storages", "StoredBatch"]

_log = structlog.get_logger(__name__)


@attrs.frozen
class StoredBatch(Batch):
    """
    A batch that is in a *file* of a *storage*, too.
    """

    file: Path = attrs.field(kw_only=True, eq=False)
    storage: "Storage" = attrs.field(kw_only=True, eq=False)


class Storage:
    """
    The *folder* of one exporter's queue; no other process has it meanwhile.

    Two versions of an exporter, while the new takes over, have the same: each batch is in the hand
    of one of them. Raises SetupError where another process has it, or this user may not write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            writable(folder)
        except ValueError as error:
            raise SetupError(
                f"sending_queue.storage: {folder} cannot be used: {error}; name a folder that this"
                " user may write"
            ) from error
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise SetupError(f"{folder}: another program has its queue there") from None
        for cut_short in folder.glob(".*.otlp.*"):
            cut_short.unlink()
        self._in_hand: set[Path] = set()
        self._latest_ns = 0

    def keep(self, batch: Batch) -> StoredBatch:
        """
        Write *batch* down; raises OSError.
        """
        self._latest_ns = max(time_ns(), self._latest_ns + 1)
        parts = (
            self._latest_ns,
            batch.signal.label,
            batch.items,
            f"{zlib.crc32(batch.payload):08x}",
        )
        file = self.folder / f"{'-'.join(map(str, parts))}.otlp"
        write_atomically(file, batch.payload, mode=0o600)
        self._in_hand.add(file)
        return StoredBatch(batch.signal, batch.payload, batch.items, file=file, storage=self)

    def drop(self, batch: StoredBatch) -> None:
        """
        Forget *batch*, as it is where it should go.
        """
        self._in_hand.discard(batch.file)
        try:
            batch.file.unlink()
        except OSError as error:
            _log.warning("delivered, but still there", file=str(batch.file), error=str(error))

    def leave(self, batch: StoredBatch) -> None:
        """
        Let go of *batch*, for whoever takes it up next.
        """
        self._in_hand.discard(batch.file)

    def take_up(self) -> Iterator[StoredBatch]:
        """
        The batches that are in nobody's hand, the oldest first; OSError where one cannot be read.
        """
        for file in sorted(self.folder.glob("*.otlp")):
            if file in self._in_hand:
                continue
            payload = file.read_bytes()
            try:
                _, signal, items, checksum = file.stem.split("-")
                if int(checksum, 16) != zlib.crc32(payload):
                    raise ValueError("its checksum is another")
                batch = StoredBatch(
                    Signal[signal.upper()], payload, int(items), file=file, storage=self
                )
            except (ValueError, KeyError) as error:
                damaged = file.replace(file.with_suffix(".damaged"))
                _log.error("damaged on disk, and put aside", file=str(damaged), error=str(error))
                continue
            self._in_hand.add(file)
            yield batch

    def close(self) -> None:
        """
        Let another process have it.
        """
        os.close(self._lock)


class Storages:
    """
    Lends exporters their storages; each is closed by its last borrower.
    """

    def __init__(self) -> None:
        self._open: dict[Path, tuple[Storage, int]] = {}

    def lend(self, directory: Path, exporter: str) -> Storage:
        """
        The storage of *exporter* below *directory*; raises SetupError or OSError.
        """
        folder = directory / quote(exporter, safe="")
        storage, borrowers = self._open.get(folder) or (Storage(folder), 0)
        self._open[folder] = storage, borrowers + 1
        return storage

    def take_back(self, storage: Storage) -> None:
        """
        Take what `lend` gave.
        """
        _, borrowers = self._open.pop(storage.folder)
        if borrowers > 1:
            self._open[storage.folder] = storage, borrowers - 1
        else:
            storage.close()
