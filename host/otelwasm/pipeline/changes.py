"""
Notice that a file, or a folder's files, have other content than before.
"""

from collections.abc import Iterator
from pathlib import Path

from otelwasm.build.kept import files_in, key_of

__all__ = ["Changes"]

# What builds leave behind in a folder, and what no plugin is made of.
_SKIPPED = {"__pycache__", "node_modules", "target", "venv"}


class Changes:
    """
    The content at *path*, as it was when this was made or last asked.

    A file that is missing, as for a moment while an editor replaces it, has not changed yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamps = self._stamped()
        self._content = self._digest()

    def found(self) -> bool:
        """
        Whether the content is another one now; it reads only what was written since.
        """
        stamps = self._stamped()
        if stamps is None or stamps == self._stamps:
            return False
        content = self._digest()
        if content is None:
            return False
        self._stamps = stamps
        before, self._content = self._content, content
        return content != before

    def _files(self) -> Iterator[Path]:
        if self._path.is_dir():
            yield from files_in(self._path, skipped=_SKIPPED)
        else:
            yield self._path

    def _stamped(self) -> object:
        try:
            stats = [(path, path.stat()) for path in self._files()]
        except OSError:
            return None
        return [(path, each.st_mtime_ns, each.st_size, each.st_ino) for path, each in stats]

    def _digest(self) -> str | None:
        try:
            return key_of({}, ((str(path), path) for path in self._files()))
        except OSError:
            return None
