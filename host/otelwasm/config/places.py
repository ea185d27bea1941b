"""
Check the files and folders that a configuration names, before anything starts.
"""

import difflib
import os
from pathlib import Path

__all__ = ["existing", "folder", "writable"]


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


def folder(path: Path) -> None:
    """
    Refuse a *path* that is no folder, nor can become one.
    """
    place = _nearest(path)
    if not place.is_dir():
        raise ValueError(f"expected a folder, but this is a file: {place}")


def writable(path: Path) -> None:
    """
    Refuse a folder that this process may not write to, nor make.
    """
    place = _nearest(path)
    if not os.access(place, os.W_OK | os.X_OK):
        raise ValueError(f"not allowed to write to {place}")


def _nearest(path: Path) -> Path:
    """
    What there is of *path* by now.
    """
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
