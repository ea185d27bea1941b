"""
Keep batches that can neither be delivered nor refused to their sender, for a later replay.

    <time>-<component>-<signal>.otlp     the payload
    <time>-<component>-<signal>.json     where it comes from, and why it is here

The `.json` is written last and deleted last: a batch without one was cut short, one without a
batch was delivered meanwhile.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import structlog

from otelwasm.cache import write_atomically
from otelwasm.config.places import writable
from otelwasm.config.values import ByteSize
from otelwasm.errors import SetupError
from otelwasm.pipeline.batch import Batch
from otelwasm.signals import Signal
from otelwasm.telemetry import Telemetry

__all__ = ["Quarantine", "Quarantined", "quarantined"]

_log = structlog.get_logger(__name__)


@attrs.frozen
class Quarantined:
    """
    One batch in the folder, a *file*: which *component* had it at the *time*, and the *reason* why
    it could not hand it on.
    """

    file: Path
    component: str
    signal: Signal
    size_bytes: int
    items: int
    time: datetime
    reason: str

    def read(self) -> Batch:
        """
        The batch itself; raises OSError.
        """
        return Batch(self.signal, self.file.read_bytes(), self.items)

    def delete(self) -> None:
        """
        Forget it, as it is where it should go.
        """
        self.file.unlink()
        self.file.with_suffix(".json").unlink()


def quarantined(directory: Path) -> list[Quarantined]:
    """
    All batches in *directory*, the oldest first; what is no whole batch is logged.
    """
    found = []
    for file in sorted(directory.glob("*.otlp")):
        try:
            note = json.loads(file.with_suffix(".json").read_bytes())
            found.append(
                Quarantined(
                    file,
                    component=note["component"],
                    signal=Signal[note["signal"].upper()],
                    size_bytes=note["bytes"],
                    items=note["items"],
                    time=datetime.fromisoformat(note["time"]),
                    reason=note["reason"],
                )
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("no whole batch; it is left alone", file=str(file), error=repr(error))
    return found


class Quarantine:
    """
    The folder, up to *max_bytes* of payloads.

    Writing is synchronous, so that a batch in the hand of a task that is being cancelled is never
    half kept.
    """

    def __init__(self, directory: Path, *, max_bytes: int, telemetry: Telemetry) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._telemetry = telemetry
        self._used_bytes: int | None = None
        self._counted_ns = 0

    def check(self) -> None:
        """
        Raise SetupError if nothing can be kept here; the folder is made with its first batch.
        """
        try:
            writable(self.directory)
        except ValueError as error:
            raise SetupError(
                "service.quarantine.directory: what cannot be delivered would be lost, as "
                f"{self.directory} cannot be used: {error}; name a folder that this user may write"
            ) from error

    def keep(self, batch: Batch, component: str, *, reason: str) -> bool:
        """
        Write *batch* down; if that cannot be, count and log that it is lost, and return False.
        """
        try:
            if self.used_bytes + batch.size > self.max_bytes:
                self._count_again()
            if self.used_bytes + batch.size > self.max_bytes:
                limit = ByteSize(self.max_bytes)
                raise OSError(f"the quarantine {self.directory} is full; the limit is {limit}")
            path = self._write(batch, component, reason=reason)
        except OSError as error:
            self._telemetry.count("lost", component, batch)
            _log.error(
                "batch lost",
                component=component,
                signal=batch.signal.label,
                items=batch.items,
                reason=reason,
                error=str(error),
            )
            return False
        self._telemetry.count("quarantined", component, batch)
        _log.error(
            "batch quarantined",
            component=component,
            signal=batch.signal.label,
            items=batch.items,
            reason=reason,
            file=str(path),
        )
        return True

    @property
    def used_bytes(self) -> int:
        """
        What the folder holds, batches of earlier runs included.
        """
        if self._used_bytes is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._used_bytes = sum(map(_size, self.directory.glob("*.otlp")))
        return self._used_bytes

    def _count_again(self) -> None:
        """
        Count anew if somebody, a replay say, changed the folder since.
        """
        changed_ns = self.directory.stat().st_mtime_ns
        if changed_ns != self._counted_ns:
            self._used_bytes, self._counted_ns = None, changed_ns

    def _write(self, batch: Batch, component: str, *, reason: str) -> Path:
        now = datetime.now(UTC)
        safe = re.sub(r"[^A-Za-z0-9._]+", "-", component)
        while True:
            stem = f"{now:%Y%m%dT%H%M%S.%fZ}-{safe}-{batch.signal.label}"
            path = self.directory / f"{stem}.otlp"
            if not path.exists():
                break
            now += timedelta(microseconds=1)
        write_atomically(path, batch.payload)
        self._used_bytes = self.used_bytes + batch.size
        note = {
            "time": now.isoformat(),
            "component": component,
            "signal": batch.signal.label,
            "bytes": batch.size,
            "items": batch.items,
            "reason": reason,
        }
        text = json.dumps(note, indent=2, ensure_ascii=False) + "\n"
        # Of half a character that somebody's words end in, JSON has room for the escape.
        content = text.encode("utf-8", "backslashreplace")
        write_atomically(self.directory / f"{stem}.json", content)
        return path


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # replayed just now
        return 0
