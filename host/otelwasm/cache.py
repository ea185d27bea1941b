"""
Keep what is costly to make (builds, compiled components) in one folder of the user's.
"""

import os
import uuid
from pathlib import Path

__all__ = ["cache_dir", "write_atomically"]


def cache_dir(*parts: str) -> Path:
    """
    Make and return a folder below the cache, which nobody but the user may enter.

    The cache is `$OTELWASM_CACHE`, else `$XDG_CACHE_HOME/otelwasm`, else `~/.cache/otelwasm`.
    """
    if own := os.environ.get("OTELWASM_CACHE"):
        root = Path(own)
    elif xdg := os.environ.get("XDG_CACHE_HOME"):
        root = Path(xdg) / "otelwasm"
    else:
        root = Path.home() / ".cache" / "otelwasm"
    folder = root.joinpath(*parts)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """
    Write *data* to *path* so that any other process sees the old file or the whole new one.

    *mode* is for a new file, less the user's umask.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
