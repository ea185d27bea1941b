"""
Let `importlib.resources` read what lies beside modules that were imported from memory.
"""

import io
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable, TraversableResources
from typing import IO, Any

__all__ = ["Resources"]


class Resources(TraversableResources):
    """
    The files in *folder*, which is a package's.
    """

    def __init__(self, files: Mapping[str, bytes], folder: str) -> None:
        self._place = _Place(files, folder)

    def files(self) -> Traversable:
        """
        The folder.
        """
        return self._place


class _Place(Traversable):
    """
    A file or a folder.
    """

    def __init__(self, files: Mapping[str, bytes], path: str) -> None:
        self._files = files
        self._path = path

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    def is_file(self) -> bool:
        return self._path in self._files

    def is_dir(self) -> bool:
        return any(path.startswith(f"{self._path}/") for path in self._files)

    def iterdir(self) -> Iterator[Traversable]:
        inside = f"{self._path}/"
        found = (path[len(inside) :] for path in self._files if path.startswith(inside))
        for name in dict.fromkeys(path.partition("/")[0] for path in found):
            yield self.joinpath(name)

    def joinpath(self, *descendants: Any) -> Traversable:
        return _Place(self._files, "/".join((self._path, *map(str, descendants))))

    __truediv__ = joinpath

    def open(self, mode: str = "r", *rest: Any, **more: Any) -> IO[Any]:
        if not self.is_file():
            raise FileNotFoundError(2, "no such file in the plugin", self._path)
        content = io.BytesIO(self.read_bytes())
        return content if "b" in mode else io.TextIOWrapper(content, *rest, **more)

    def read_bytes(self) -> bytes:
        return self._files[self._path]

    def read_text(self, encoding: str | None = None, *rest: Any) -> str:
        return self.read_bytes().decode(encoding or "utf-8")
