"""
Keep batches that can neither be delivered nor refused to their sender, for a later replay.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from otelwasm.cache import write_atomically
from otelwasm.config.places import writable
from otelwasm.config.values import ByteSize
from otelwasm.errors import SetupError
from otelwasm.pipeline.batch import Batch
from otelwasm.telemetry import Telemetry

__all__ = ["Quarantine"]

_log = structlog.get_logger(__name__)


class Quarantine:
    """
    A folder with one `.otlp` file for each batch, and beside it a `.json` that says why.

    The `.json` is written last: a batch without one was cut short. Writing is synchronous, so
    that a batch in the hand of a task that is being cancelled is never half kept.
    """

    def __init__(self, directory: Path, *, max_bytes: int, telemetry: Telemetry) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._telemetry = telemetry
        self._used_bytes: int | None = None

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

    def keep(self, batch: Batch, component: str, *, reason: str) -> None:
        """
        Write *batch* down; if that cannot be, count and log that it is lost.
        """
        try:
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
            return
        self._telemetry.count("quarantined", component, batch)
        _log.error(
            "batch quarantined",
            component=component,
            signal=batch.signal.label,
            items=batch.items,
            reason=reason,
            file=str(path),
        )

    @property
    def used_bytes(self) -> int:
        """
        What the folder holds, batches of earlier runs included.
        """
        if self._used_bytes is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._used_bytes = sum(file.stat().st_size for file in self.directory.glob("*.otlp"))
        return self._used_bytes

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
