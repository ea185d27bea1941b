"""
Keep what is costly to make (builds, compiled components) in one folder of the user's.
"""

import os
import tempfile
from pathlib import Path

__all__ = ["cache_dir", "write_atomically"]


def cache_dir(*parts: str) -> Path:
    """
    Make and return a folder below the cache.

    The cache is `$OTELWASM_CACHE`, else `$XDG_CACHE_HOME/otelwasm`, else `~/.cache/otelwasm`.
    """
    if own := os.environ.get("OTELWASM_CACHE"):
        root = Path(own)
    elif xdg := os.environ.get("XDG_CACHE_HOME"):
        root = Path(xdg) / "otelwasm"
    else:
        root = Path.home() / ".cache" / "otelwasm"
    folder = root.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_atomically(path: Path, data: bytes) -> None:
    """
    Write *data* to *path* so that any other process sees the old file or the whole new one.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
