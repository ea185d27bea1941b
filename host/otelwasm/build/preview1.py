"""
Adapt modules that Go compiles for WASI's preview 1 to what components import.

The adapter is the one that componentize-py, which builds Python plugins, carries in its library.
"""

import contextlib
import hashlib
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

from otelwasm.cache import cache_dir, write_atomically
from otelwasm.errors import BuildError
from otelwasm.plugins.binary import Reader, leb, name, section

__all__ = ["ADAPTER_SHA256", "adapted_imports"]

# Of the adapter in componentize-py 0.25.1.
ADAPTER_SHA256 = "a97cd69d0efda7e6edc69bccf78382958c9b3480cfc08e041a5fd84ff54ba0d6"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_LIMIT_BYTES = 1 << 20
_HEADER_BYTES = 8
_IMPORTS, _EXPORTS = 2, 7
_FUNCTION = 0


def adapted_imports(module: bytes) -> tuple[bytes, bytes]:
    """
    *module* with each import named once, and the adapter that has all these names.

    Go imports `fd_write` twice, once for its runtime and once for its library, which modules may
    and components may not: the second becomes `fd_write-2`, the same function of the adapter.
    """
    seen: Counter[tuple[str, str]] = Counter()
    others: dict[str, str] = {}

    def renamed(reader: Reader) -> bytes:
        module_name, function = reader.string(), reader.string()
        if reader.byte() != _FUNCTION:
            raise BuildError("Go compiled a module that imports something else than functions")
        seen[module_name, function] += 1
        if (nth := seen[module_name, function]) > 1:
            others[f"{function}-{nth}"] = function
            function = f"{function}-{nth}"
        return name(module_name) + name(function) + bytes([_FUNCTION]) + leb(reader.number())

    exported: dict[str, bytes] = {}

    def also(reader: Reader) -> bytes:
        function = reader.string()
        exported[function] = bytes([reader.byte()]) + leb(reader.number())
        return name(function) + exported[function]

    def aliases() -> Iterator[bytes]:
        for alias, function in others.items():
            yield name(alias) + exported[function]

    module = _with_items(module, _IMPORTS, renamed)
    return module, _with_items(_adapter(), _EXPORTS, also, more=aliases)


def _with_items(
    module: bytes,
    kind: int,
    item: Callable[[Reader], bytes],
    more: Callable[[], Iterator[bytes]] = lambda: iter(()),
) -> bytes:
    """
    *module* with the items of the sections of one *kind* written anew by *item*, and with *more*.
    """
    reader = Reader(module, at=_HEADER_BYTES)
    written = [module[:_HEADER_BYTES]]
    while reader.at < len(module):
        begin = reader.at
        found, size = reader.byte(), reader.number()
        end = reader.at + size
        if found == kind:
            items = [item(reader) for _ in range(reader.number())]
            written.append(section(kind, [*items, *more()]))
        else:
            written.append(module[begin:end])
        reader.at = end
    return b"".join(written)


def _adapter() -> bytes:
    kept = cache_dir("tools") / f"adapter-{ADAPTER_SHA256[:16]}.wasm"
    if not kept.is_file():
        found = next((each for each in _carried() if _is_adapter(each)), None)
        if found is None:
            raise BuildError(
                "the installed componentize-py does not carry the adapter of WASI's preview 1 that"
                " Go plugins are built with: reinstall otelwasm"
            )
        write_atomically(kept, found)
    return kept.read_bytes()


def _is_adapter(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == ADAPTER_SHA256


def _carried() -> Iterator[bytes]:
    """
    The files that componentize-py carries, compressed, in its library.
    """
    spec = importlib.util.find_spec("componentize_py")
    if spec is None or spec.origin is None:
        return
    for library in sorted(Path(spec.origin).parent.glob("componentize_py*.*")):
        data, at = library.read_bytes(), 0
        while (at := data.find(_ZSTANDARD, at)) >= 0:
            # A dozen places look like the beginning of a file, and some are none.
            with contextlib.suppress(zstandard.ZstdError):
                unpacked = zstandard.ZstdDecompressor().decompressobj()
                yield unpacked.decompress(data[at : at + _LIMIT_BYTES])
            at += len(_ZSTANDARD)
