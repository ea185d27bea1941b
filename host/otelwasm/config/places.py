"""
Check the files and folders that a configuration names, before anything starts.
"""

import difflib
import os
from pathlib import Path

__all__ = ["existing", "writable_folder"]


def existing(_: object, __: object, path: Path) -> None:
    """
    Refuse a *path* where nothing is; name what nearly is called so.
    """
    if path.exists():
        return
    if not path.parent.is_dir():
        raise ValueError(f"no such file: {path}; there is no folder {path.parent}")
    near = difflib.get_close_matches(path.name, os.listdir(path.parent), n=1, cutoff=0.75)
    guess = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"no such file: {path}{guess}")


def writable_folder(_: object, __: object, path: Path) -> None:
    """
    Refuse a *path* that is no folder to write to, nor can become one.
    """
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise ValueError(f"expected a folder, but this is a file: {place}")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"not allowed to write to {place}")
