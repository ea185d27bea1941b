"""
Build our C modules: those that every Python plugin carries, and those that the host uses.

Without protobuf's C core (upb) a Python plugin would decode OTLP a hundred times slower; without
our extension it could not check payloads, hand them to the host uncopied, or edit them on the wire.
Both are compiled for wasm32-wasi with the zig compiler that its Python package brings along, so a
plugin's author needs nothing but pip packages. The host has our extension, too, and one of its own
for its calls of plugins. The results are kept in the cache:

    native/modules/<name>-<key>.so       each module, by the hash of all that goes into it
    native/<key>/                        what `native_modules` returns
        google/_upb/_message.abi3.so
        otelwasm_native.abi3.so
    native/host-<key>/                   what `host_extension` returns

Every step writes beside its target and renames; of several processes one builds, the others wait.
"""

import hashlib
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from otelwasm.build.installed import version_of
from otelwasm.bundled import bundled
from otelwasm.cache import cache_dir, making
from otelwasm.errors import BuildError

__all__ = ["NAME", "built_host_extension", "host_extension", "native_modules"]

Report = Callable[[str], None]

COMPILE_FLAGS = (
    *("-target", "wasm32-wasi", "-O3", "-DNDEBUG", "-DPy_LIMITED_API=0x030B0000"),
    *("-fPIC", "-fvisibility=hidden", "-fno-sanitize=all"),
)
LINK_FLAGS = (
    *("-s", "--no-entry", "--experimental-pic", "-shared"),
    "--unresolved-symbols=import-dynamic",
)
HOST_COMPILE_FLAGS = ("-O2", "-g", "-fPIC", "-fvisibility=hidden", "-fno-sanitize=all")
# Python's and libc's functions are found when the module is loaded.
HOST_LINK = (
    ("cc", "-shared", "-Wl,-undefined,dynamic_lookup")
    if sys.platform == "darwin"
    else ("ld.lld", "-shared")  # zig's cc would first build a libc to link with
)
UPB_TARGET = "google/_upb/_message.abi3.so"
NAME = "otelwasm_native"
OWN_TARGET = f"{NAME}.abi3.so"


def native_modules(report: Report = lambda line: None) -> Path:
    """
    The folder to put on a Python guest's path; built first, where the cache does not hold it.

    *report* gets one line now and then that says what is being done.
    """
    sources = _own_sources()
    headers = sorted(sources.glob("include/*.h"))
    extra = sources / "multi3.c"
    own = sorted(path for path in sources.glob("*.[ch]") if path != extra)
    protobuf, zig = version_of("protobuf"), version_of("ziglang")
    tools = (zig, *COMPILE_FLAGS, *LINK_FLAGS)
    upb_key = _key((*tools, protobuf), (*headers, extra))
    own_key = _key(tools, (*headers, *own))

    target = cache_dir("native") / f"{upb_key}-{own_key}"
    if target.is_dir():
        return target
    # Here, as a program that finds it built needs no compiler.
    from otelwasm.build import compiling

    with making(target), compiling.scratch_folder() as scratch:
        if target.is_dir():
            return target
        command = compiling.Zig(
            scratch, includes=(sources / "include",), flags=COMPILE_FLAGS, report=report
        )
        modules = cache_dir("native", "modules")
        upb_module = modules / f"upb-{upb_key}.so"
        if not upb_module.exists():
            report(f"fetching the sources of protobuf {protobuf}")
            upb = compiling.upb_sources(protobuf, scratch)
            report(f"compiling protobuf {protobuf} for plugins")
            command.build(
                upb_module,
                sources=(*compiling.upb_files(upb), extra),
                includes=(upb, upb / "utf8_range"),
                link=("wasm-ld", *LINK_FLAGS, "--export=PyInit__message"),
            )
        own_module = modules / f"{NAME}-{own_key}.so"
        if not own_module.exists():
            report("compiling otelwasm's own extension for plugins")
            command.build(
                own_module,
                sources=[path for path in own if path.suffix == ".c"],
                includes=(sources,),
                link=("wasm-ld", *LINK_FLAGS, f"--export=PyInit_{NAME}"),
            )
        both = {UPB_TARGET: upb_module, OWN_TARGET: own_module}
        compiling.assemble(target, scratch / "folder", both)
    return target


def host_extension(name: str = NAME, *, report: Report = lambda line: None) -> Path:
    """
    A folder with an extension module for the Python that runs now.

    `otelwasm_native` is the one that plugins carry: the pipeline checks payloads with it, and
    plugins are tested with it outside Wasm. `otelwasm_calls` makes the host's calls of plugins.
    """
    target, includes, files = _host_extension(name)
    if target.is_dir():
        return target
    # Here, as a program that finds it built needs no compiler.
    from otelwasm.build import compiling

    with making(target), compiling.scratch_folder() as scratch:
        if target.is_dir():
            return target
        report(f"compiling {name} for this Python")
        module = scratch / f"{name}.abi3.so"
        command = compiling.Zig(scratch, includes=includes, flags=HOST_COMPILE_FLAGS, report=report)
        sources = [path for path in files if path.suffix == ".c"]
        command.build(module, sources=sources, includes=(), link=HOST_LINK)
        compiling.assemble(target, scratch / "folder", {module.name: module})
    return target


def built_host_extension(name: str = NAME) -> Path | None:
    """
    What `host_extension` would return, if that is built already.
    """
    target, _, _ = _host_extension(name)
    return target if target.is_dir() else None


def _host_extension(name: str) -> tuple[Path, tuple[Path, ...], list[Path]]:
    """
    Where an extension for this Python is, or will be; the folders of its headers; its sources.
    """
    if "t" in sys.abiflags:
        raise BuildError("otelwasm's extensions need a CPython with the global interpreter lock")
    own = _own_sources()
    sources = own if name == NAME else Path(__file__).resolve().parents[1] / "plugins" / "native"
    headers = own / "include"
    found = {*sources.rglob("*.[ch]"), *headers.glob("*.h")}
    files = sorted(path for path in found if path.name != "multi3.c")
    tools = (version_of("ziglang"), sysconfig.get_platform(), *HOST_COMPILE_FLAGS, *HOST_LINK)
    return cache_dir("native") / f"host-{_key((name, *tools), files)}", (headers, sources), files


def _own_sources() -> Path:
    """
    Our C sources, the SDK's.
    """
    return bundled("build/native_sources", checkout="guests/sdk/python/native")


def _key(words: Iterable[str], files: Iterable[Path]) -> str:
    """
    Sixteen hexadecimal digits that change with any word, file name or file content.
    """
    digest = hashlib.sha256()
    for word in words:
        digest.update(f"{word}\0".encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
