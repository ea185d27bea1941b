"""
Keep on disk what a plugin's instances are made from: its machine code, and its data as an image.

    <what the plugin is>.json     which lane it took, and the names of the others
    <what was compiled>.cwasm     the composed component, or one of its large modules (hoist.py),
                                  less its data, as machine code
    <what is in it>.image         the data, whole pages (images.py); missing where there is little

wasmtime maps the code, and each fresh memory maps the image: neither is copied, and processes
share both. So these files are trusted: they are only read from a folder that belongs to this user
and that nobody else may write to, and they are replaced as a whole, never changed. Code of another
version of wasmtime is refused by wasmtime, and replaced.
"""

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import wasmtime
from wasmtime.component import Component

from otelwasm.cache import cache_dir, forget_unused, making, mark_used, write_atomically
from otelwasm.errors import SetupError
from otelwasm.plugins.engine import ENGINE_CONFIGURATION, Engine
from otelwasm.plugins.memory import Image
from otelwasm.plugins.world import World

if TYPE_CHECKING:
    from otelwasm.plugins.compose import Composed
    from otelwasm.plugins.images import Data

__all__ = ["Compiled", "Face", "Shelf", "is_private"]

# Part of the key of what is kept: count up when making.py, or what it calls, makes something else.
_MAKING = 10


@attrs.frozen
class Face:
    """
    What of a plugin decides how it is called: its *world*, and which interfaces of integers it
    exports (*shown*) and imports (*passed*).
    """

    world: str
    shown: tuple[str, ...]
    passed: tuple[str, ...]


@attrs.frozen
class Compiled:
    """
    What instances are made from: *code*, which imports *modules*. Their memory number
    *guest_memory* begins as the *image* says.
    """

    code: Component
    modules: Mapping[str, wasmtime.Module]
    face: Face
    lane: str
    guest_memory: int
    image: Image | None


@attrs.frozen
class _Record:
    """
    The file that names the others.
    """

    world: str
    shown: list[str]
    passed: list[str]
    lane: str
    guest_memory: int
    code: str
    modules: dict[str, str]
    image: str = ""
    image_offset: int = 0
    image_bytes: int = 0


class Shelf:
    """
    The place of one plugin in the cache, to be of one of *worlds* and to take one lane; *key* is
    the hash of its component.
    """

    def __init__(self, engine: Engine, key: str, worlds: Sequence[World], *, lane: str) -> None:
        self._engine = engine
        self._folder = _private_folder()
        bridges = [(world.name, world.digest) for world in worlds]
        made_from = (_MAKING, ENGINE_CONFIGURATION, os.uname().machine, bridges, lane, key)
        self._name = _digest(repr(made_from).encode())

    def find(self) -> Compiled | None:
        """
        What was kept, if all of it is there.
        """
        if self._folder is None or not is_private(path := self._path(self._name, "json")):
            return None
        try:
            record = _Record(**json.loads(path.read_bytes()))
            code = self._path(record.code, "cwasm")
            codes = {name: self._path(each, "cwasm") for name, each in record.modules.items()}
            if not all(map(is_private, (code, *codes.values()))):
                return None
            image = None
            if record.image:
                image = self._image(record)
                if image is None:
                    return None
            engine = self._engine.wasmtime
            component = Component.deserialize_file(engine, str(code))
            modules = {
                name: wasmtime.Module.deserialize_file(engine, str(each))
                for name, each in codes.items()
            }
            images = [self._path(record.image, "image")] if image else []
            for used in (path, code, *codes.values(), *images):
                mark_used(used)
        except (OSError, ValueError, TypeError, wasmtime.WasmtimeError):
            return None  # cut off, or of another build of wasmtime: made and written again
        face = Face(record.world, tuple(record.shown), tuple(record.passed))
        return Compiled(component, modules, face, record.lane, record.guest_memory, image)

    def make(self, composed: "Composed", data: "Data | None", face: Face) -> Compiled:
        """
        Compile *composed*, whose memory begins with *data*, and keep the result.

        Raises WasmtimeError where wasmtime does not take it.
        """
        component = Component(self._engine.wasmtime, composed.wasm)
        modules = {name: self._module(each) for name, each in composed.modules.items()}
        record = _Record(
            *(face.world, list(face.shown), list(face.passed)),
            *(composed.lane, composed.guest_memory, _digest(composed.wasm)),
            {name: _digest(each) for name, each in composed.modules.items()},
        )
        if data is not None:
            record = attrs.evolve(
                record,
                image=_digest(data.content),
                image_offset=data.offset,
                image_bytes=len(data.content),
            )
        image = None
        try:
            image = self._kept(record, component, data)
        except OSError as error:
            _say_not_kept(str(error))
        if image is None and data is not None:
            image = _unnamed(data)
        return Compiled(component, modules, face, composed.lane, composed.guest_memory, image)

    def _module(self, module: bytes) -> wasmtime.Module:
        """
        Compile *module* and keep it, where no other plugin did so before.
        """
        engine = self._engine.wasmtime
        if self._folder is None:
            return wasmtime.Module(engine, module)
        path = self._path(_digest(module), "cwasm")
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                stack.enter_context(making(path))
            if is_private(path):
                mark_used(path)
                with contextlib.suppress(wasmtime.WasmtimeError):
                    return wasmtime.Module.deserialize_file(engine, str(path))
            compiled = wasmtime.Module(engine, module)
            try:
                write_atomically(path, bytes(compiled.serialize()), mode=0o600)
            except OSError as error:
                _say_not_kept(str(error))
            return compiled

    def _kept(self, record: _Record, component: Component, data: "Data | None") -> Image | None:
        """
        Write all files; returns the image in its file.
        """
        if self._folder is None:
            return None
        forget_unused(self._folder)
        if data is not None:
            write_atomically(self._path(record.image, "image"), data.content, mode=0o600)
        code = self._path(record.code, "cwasm")
        write_atomically(code, bytes(component.serialize()), mode=0o600)
        # Last, as it says that the others are there.
        path = self._path(self._name, "json")
        write_atomically(path, json.dumps(attrs.asdict(record)).encode(), mode=0o600)
        return None if data is None else self._image(record)

    def _path(self, name: str, suffix: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.{suffix}"

    def _image(self, record: _Record) -> Image | None:
        path = self._path(record.image, "image")
        if not is_private(path):
            return None
        file = os.open(path, os.O_RDONLY)
        image = Image(file, offset=record.image_offset, size_bytes=record.image_bytes)
        return image if os.fstat(file).st_size == record.image_bytes else None


def is_private(path: Path) -> bool:
    """
    Is *path* there, this user's, no link, and closed to writing by others?
    """
    try:
        found = path.lstat()
    except OSError:
        return False
    is_kind = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return is_kind and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _private_folder() -> Path | None:
    try:
        folder = cache_dir("compiled")
    except SetupError as error:
        _say_not_kept(str(error))
        return None
    return folder if is_private(folder) else None


def _say_not_kept(reason: str) -> None:
    import structlog  # here, as it takes long to import

    structlog.get_logger("otelwasm").warning(
        "a compiled plugin cannot be kept; each start takes seconds to compile it", reason=reason
    )


def _unnamed(data: "Data") -> Image:
    """
    An image for this process alone, where nothing can be kept.
    """
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("otelwasm-image")
    else:
        import tempfile  # here, as it is seldom needed and takes long to import

        file, name = tempfile.mkstemp()
        os.unlink(name)
    image = Image(file, offset=data.offset, size_bytes=len(data.content))
    with open(file, "wb", closefd=False) as written:
        written.write(data.content)
    return image


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
