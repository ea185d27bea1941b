"""
Keep a plugin's values on the disk: one SQLite file for each plugin, with a quota.
"""

import re
import sqlite3
import threading
from pathlib import Path
from typing import Any

from otelwasm.config.values import ByteSize
from otelwasm.errors import SetupError
from otelwasm.plugins._generated.types import Failure, FailurePermanent, FailureRetryable, Retry
from otelwasm.plugins.values import Err, Ok

__all__ = ["PluginState"]

_LONGEST_KEY_BYTES = 1024
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# So that a disk that is full for a moment is not asked without end.
_RETRY_MS = 1000


class PluginState:
    """
    The capability `state` of one plugin, for all its instances; it owns the file.

    *quota_bytes* counts keys and values, and may be changed. Raises SetupError when *path* cannot
    be used; a second program cannot use it at the same time. Without a path nothing outlives the
    object.
    """

    def __init__(
        self, path: Path | None, *, plugin: str = "plugin", quota_bytes: int = 16 << 20
    ) -> None:
        self._plugin = plugin
        self._path = path or ":memory:"
        self.quota_bytes = quota_bytes
        self._lock = threading.Lock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = _open(self._path)
            row = self._run("SELECT total(length(CAST(key AS BLOB)) + length(value)) FROM state")
            self._used_bytes = int(row[0])
        except (OSError, sqlite3.Error) as error:
            reason = "another program uses it" if "locked" in str(error) else str(error)
            raise SetupError(
                f"plugin '{plugin}': its state cannot be kept in {path}: {reason}"
            ) from error

    @property
    def used_bytes(self) -> int:
        """
        What keys and values take.
        """
        return self._used_bytes

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        """
        Find the value of a key.
        """
        if problem := _problem(key):
            return self._refuse(problem)
        with self._lock:
            try:
                row = self._run("SELECT value FROM state WHERE key = ?", key)
            except sqlite3.Error as error:
                return self._trouble(error)
        return Ok(None if row is None else row[0])

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        """
        Keep a value; it is on the disk when this returns.
        """
        if problem := _problem(key):
            return self._refuse(problem)
        with self._lock:
            try:
                used_bytes = self._used_bytes - self._held_bytes(key)
                used_bytes += len(key.encode()) + len(value)
                if used_bytes > self.quota_bytes:
                    return self._refuse(
                        f"{ByteSize(used_bytes)} would exceed the quota of "
                        f"{ByteSize(self.quota_bytes)}; delete something, or raise "
                        "capabilities.state.quota"
                    )
                self._run("INSERT OR REPLACE INTO state VALUES (?, ?)", key, value)
            except sqlite3.Error as error:
                return self._trouble(error)
            self._used_bytes = used_bytes
        return Ok(None)

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        """
        Forget a key.
        """
        if problem := _problem(key):
            return self._refuse(problem)
        with self._lock:
            try:
                used_bytes = self._used_bytes - self._held_bytes(key)
                self._run("DELETE FROM state WHERE key = ?", key)
            except sqlite3.Error as error:
                return self._trouble(error)
            self._used_bytes = used_bytes
        return Ok(None)

    def close(self) -> None:
        """
        Close the file; twice is safe.
        """
        with self._lock:
            self._database.close()

    def _held_bytes(self, key: str) -> int:
        row = self._run("SELECT length(value) FROM state WHERE key = ?", key)
        return 0 if row is None else len(key.encode()) + int(row[0])

    def _run(self, statement: str, *values: object) -> Any:
        return self._database.execute(statement, values).fetchone()

    def _refuse(self, problem: str) -> Err[Failure]:
        return Err(FailurePermanent(f"its state: {problem}"))

    def _trouble(self, error: sqlite3.Error) -> Err[Failure]:
        reason = f"state of plugin '{self._plugin}' in {self._path}: {error}"
        return Err(FailureRetryable(Retry(reason, _RETRY_MS)))


def _problem(key: str) -> str | None:
    """
    What is wrong with *key*, if something is.
    """
    size = len(key.encode("utf-8", "replace"))
    if not 1 <= size <= _LONGEST_KEY_BYTES:
        return f"a key has 1 to {_LONGEST_KEY_BYTES} bytes, this one has {size}"
    if _CONTROL.search(key):
        return f"the key {key[:100]!r} has control characters"
    return None


def _open(path: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
    try:
        # Its own alone: the quota is counted here, and two programs would mix their values.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN EXCLUSIVE")
        database.execute(
            "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB NOT NULL)"
        )
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database
