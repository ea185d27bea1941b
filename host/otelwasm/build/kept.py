"""
Keep components by the content of all that went into them, so that each is made once; those that
nobody uses any more are deleted when another is made.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from otelwasm.cache import cache_dir, forget_unused, making, mark_used, write_atomically

__all__ = [
    "LANGUAGE_FOLDERS",
    "files_in",
    "find_component",
    "kept_component",
    "key_of",
    "plugin_name",
]

Report = Callable[[str], None]

# A plugin in a folder that is called so goes by the name of the folder above.
LANGUAGE_FOLDERS = ("python", "rust", "go", "javascript")

# What `otelwasm new` puts beside a plugin; a change of it is none of the plugin's.
_PIPELINE = "pipeline.yaml"
# Folders that pipelines make beside their configuration; a package of that name has sources.
_KEPT_BY_PIPELINES = ("queue", "quarantine", "state")
_SOURCES = (".py", ".rs", ".go", ".js")
# Components, and the batches of queues on disk, which may lie anywhere.
_NO_SOURCES = (".wasm", ".otlp")


def plugin_name(folder: Path) -> str:
    """
    What to call the plugin in *folder*: as the folder, or the one above if that is a language's.
    """
    folder = folder.resolve()
    return folder.parent.name if folder.name in LANGUAGE_FOLDERS else folder.name


def files_in(folder: Path, *, skipped: Collection[str]) -> Iterator[Path]:
    """
    A folder's files, in order, less those that are hidden or components, and *skipped* folders.

    Nor is a plugin made of what lies beside it: test cases, a pipeline that runs it, what the
    pipeline keeps, and what this process writes, as its log.
    """
    written = _being_written()
    for path in _files_in(folder, skipped):
        found = path.stat()
        if (found.st_dev, found.st_ino) not in written:
            yield path


def _files_in(folder: Path, skipped: Collection[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in skipped or path.suffix in _NO_SOURCES:
            continue
        if path.is_dir():
            if not _is_beside(path):
                yield from _files_in(path, skipped)
        elif path.is_file() and path.name != _PIPELINE:
            yield path


def _is_beside(folder: Path) -> bool:
    """
    Whether `otelwasm test` or a pipeline, and no plugin, has a use for a folder.
    """
    if folder.name == "cases":
        return all(each.is_dir() for each in folder.iterdir())
    return folder.name in _KEPT_BY_PIPELINES and not any(
        each.suffix in _SOURCES for each in folder.rglob("*")
    )


def _being_written() -> set[tuple[int, int]]:
    """
    The files, by device and number, that this process has open to write to.
    """
    found = set()
    for number in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # it was the listing's own
            if fcntl.fcntl(int(number), fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                file = os.fstat(int(number))
                found.add((file.st_dev, file.st_ino))
    return found


def key_of(settings: Mapping[str, object], files: Iterable[tuple[str, Path]]) -> str:
    """
    Thirty-two hexadecimal digits that change with any setting, file name or file content.
    """
    digest = hashlib.sha256()

    def add(name: str, content: bytes) -> None:
        digest.update(f"{len(name)} {name} {len(content)} ".encode() + content)

    add("settings", json.dumps(settings, sort_keys=True).encode())
    for name, path in files:
        add(name, path.read_bytes())
    return digest.hexdigest()[:32]


def find_component(name: str, key: str) -> Path | None:
    """
    The component *name* that is kept under *key*, if there is one.
    """
    built = _place(name, key)
    if not built.is_file():
        return None
    mark_used(built)
    return built


def kept_component(name: str, key: str, *, make: Callable[[], bytes], report: Report) -> Path:
    """
    The component *name* that is kept under *key*; where there is none, *make* makes it.
    """
    began = time.monotonic()
    built = _place(name, key)
    with making(built):
        if find_component(name, key) is not None:
            report(f"{name}: built before from the same sources")
            return built
        component = make()
        for folder in cache_dir("components").glob("*/"):
            forget_unused(folder)
        write_atomically(built, component)
    seconds = time.monotonic() - began
    report(f"{name}: {len(component) / 1e6:.1f} MB in {seconds:.1f} s")
    return built


def _place(name: str, key: str) -> Path:
    return cache_dir("components", key) / f"{name}.wasm"
