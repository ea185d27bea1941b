"""
Keep what is costly to make (builds, compiled components) in one folder of the user's.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from otelwasm.errors import SetupError

__all__ = ["cache_dir", "forget_unused", "making", "mark_used", "write_atomically"]

# Files that nobody used for so long are deleted.
_UNUSED_S = 30 * 86_400.0


def cache_dir(*parts: str) -> Path:
    """
    Make and return a folder below the cache, which nobody but the user may enter.

    The cache is `$OTELWASM_CACHE`, else `$XDG_CACHE_HOME/otelwasm`, else `~/.cache/otelwasm`.
    SetupError if there can be no such folder.
    """
    if own := os.environ.get("OTELWASM_CACHE"):
        root = Path(own)
    elif xdg := os.environ.get("XDG_CACHE_HOME"):
        root = Path(xdg) / "otelwasm"
    else:
        root = Path.home() / ".cache" / "otelwasm"
    folder = root.joinpath(*parts)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"the cache's folder {folder} cannot be made: {error.strerror}; let OTELWASM_CACHE"
            " name a folder that can be written to"
        ) from error
    return folder


@contextlib.contextmanager
def making(path: Path, *, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """
    Let one thread of one process at a time make *path*.

    The others wait, each after a call of *waiting*; whoever gets in looks first whether *path* is
    there by now. What a process holds is let go when it ends, however it ends.
    """
    with path.with_name(f".{path.name}.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """
    Write *data* to *path* so that any other process sees the old file or the whole new one.

    *mode* is for a new file, less the user's umask.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(16).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def mark_used(path: Path) -> None:
    """
    Say that *path* was used now; file systems seldom write that down by themselves.
    """
    with contextlib.suppress(OSError):  # it may be read-only
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def forget_unused(folder: Path) -> None:
    """
    Delete the files of *folder* that were neither used nor written for 30 days.

    Whoever has one open or mapped keeps it.
    """
    oldest = time.time() - _UNUSED_S
    for path in folder.iterdir():
        try:
            found = path.lstat()
            if max(found.st_atime, found.st_mtime) < oldest:
                path.unlink()
        except OSError:
            continue  # another process was faster, or it is no file
