"""
Import modules, and read the files beside them, from memory: a component has no file system.
"""

import builtins
import contextlib
import io
import linecache
import marshal
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import PurePosixPath
from types import CodeType, ModuleType
from typing import Any

from otelwasm_sdk.guest.resources import Resources

__all__ = ["Importer", "compiled", "install", "remove_all"]

# What a name may be, in the order in which Python looks: a package, then a module.
_FORMS = (("/__init__", True), ("", False))


def compiled(source: bytes, path: str) -> bytes:
    """
    The code of a module as an importer keeps it, in a file `.pyc`.
    """
    return zlib.compress(marshal.dumps(compile(source, path, "exec", dont_inherit=True)))


class Importer(Loader):
    """
    Finds and loads what is in *files*, by paths below *root*: `.pyc`, or `.py` as text.
    """

    def __init__(self, root: str, files: Mapping[str, bytes]) -> None:
        self._root = root
        self._files = files
        folders = {path.rpartition("/")[0] for path in files}
        self._folders = folders | {each for path in folders for each in _above(path)}

    def spec_of(self, name: str, path: str, *, is_package: bool = False) -> ModuleSpec:
        """
        How the file *path* becomes the module *name*.
        """
        origin = self._place(path.removesuffix("c") if path.endswith(".pyc") else path)
        spec = ModuleSpec(name, self, origin=origin, loader_state=path, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [origin.rpartition("/")[0]]
        return spec

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """
        Look for the module *name*.
        """
        base = name.replace(".", "/")
        for form, is_package in _FORMS:
            for suffix in (".pyc", ".py"):
                if (found := f"{base}{form}{suffix}") in self._files:
                    return self.spec_of(name, found, is_package=is_package)
        if base not in self._folders:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [self._place(base)]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """
        Leave it to the import system.
        """

    def exec_module(self, module: ModuleType) -> None:
        """
        Run the code of *module*.
        """
        assert module.__spec__ is not None
        exec(self._code(module.__spec__), module.__dict__)

    def get_data(self, path: str) -> bytes:
        """
        What is in the file at *path*, as its module's `__file__` spells it.
        """
        found = self._files.get(path.removeprefix(self._place("")))
        if found is None:
            raise FileNotFoundError(2, "no such file in the plugin", path)
        return found

    def get_resource_reader(self, name: str) -> Resources:
        """
        What `importlib.resources` reads the files of the package *name* with.
        """
        return Resources(self._files, name.replace(".", "/"))

    def keep_sources(self) -> None:
        """
        Keep the lines of all `.py` files for tracebacks.
        """
        for path, content in self._files.items():
            if path.endswith(".py"):
                place, text = self._place(path), content.decode(errors="replace")
                # Without a modification time the entry is never checked against a file.
                linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """
        Let `open` find the files, to read them.
        """
        real = io.open

        def open_(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
            path = str(file)
            if not path.startswith(self._place("")) or not set(mode) <= set("rbt"):
                return real(file, mode, *rest, **more)
            content = io.BytesIO(self.get_data(path))
            return content if "b" in mode else _text(content, *rest, **more)

        builtins.open = io.open = open_
        try:
            yield
        finally:
            builtins.open = io.open = real

    def _place(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _code(self, spec: ModuleSpec) -> CodeType:
        content = self._files[spec.loader_state]
        if spec.loader_state.endswith("c"):
            code: CodeType = marshal.loads(zlib.decompress(content))
            return code
        assert spec.origin is not None
        return compile(content, spec.origin, "exec", dont_inherit=True)


def install(importer: Importer) -> None:
    """
    Have *importer* asked before all others that look for files.
    """
    finders = sys.meta_path
    at = (n for n, each in enumerate(finders) if each is PathFinder or isinstance(each, Importer))
    finders.insert(next(at, len(finders)), importer)


def remove_all() -> None:
    """
    Have no importer of this kind asked any more.
    """
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, Importer)]


def _above(path: str) -> list[str]:
    return [str(each) for each in PurePosixPath(path).parents if str(each) != "."]


def _text(
    content: io.BytesIO,
    buffering: int = -1,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    **_: object,
) -> io.TextIOWrapper:
    """
    The text that `open` makes of a file.
    """
    return io.TextIOWrapper(content, encoding or "utf-8", errors, newline)
