"""
Make a component of a core module with wasm-tools, in the one version that all builds use.

It is taken from where it is quickest to get: the user's PATH; the Go module proxy, where the
Bytecode Alliance keeps it compiled to WebAssembly, inside of a module of its own (Go checks the
module by its checksum database, we check the file); or it is built by cargo. The version is the
same, and so are the bytes that it makes.
"""

import contextlib
import gzip
import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import zstandard

from otelwasm.build.commands import attempt
from otelwasm.cache import cache_dir, write_atomically
from otelwasm.errors import BuildError

__all__ = ["ADAPTER_SHA256", "VERSION", "make_component"]

Report = Callable[[str], None]
# Runs wasm-tools with arguments in a folder; says its exit status and what it said.
_Run = Callable[[Sequence[str], Path], tuple[int, str]]

VERSION = "1.230.0"
_MODULE = "go.bytecodealliance.org@v0.7.0"
_MODULE_FILE = "internal/wasmtools/wasm-tools.wasm.gz"
_MODULE_FILE_SHA256 = "732779402af524ca78074b953bf11932020ac7a019c8ab9fc15a9eef7fb7e090"
# The adapter for modules of WASI's preview 1, as componentize-py 0.25.1 carries it.
ADAPTER_SHA256 = "a97cd69d0efda7e6edc69bccf78382958c9b3480cfc08e041a5fd84ff54ba0d6"
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_ADAPTER_LIMIT_BYTES = 1 << 20


def make_component(
    core: Path, *, wit: Path | None = None, world: str | None = None, report: Report
) -> bytes:
    """
    Make a component of the module *core*.

    A Rust module says itself what it imports and exports. For one of Go that is *world* in the
    file *wit*, and what it asks of WASI's preview 1 is adapted.
    """
    run = _wasm_tools(report)
    with tempfile.TemporaryDirectory(prefix="otelwasm-component-") as name:
        folder = Path(name)
        shutil.copyfile(core, folder / "core.wasm")
        adapted: tuple[str, ...] = ()
        if wit is not None and world is not None:
            shutil.copyfile(wit, folder / "plugin.wit")
            (folder / "adapter.wasm").write_bytes(_adapter())
            embed = ("component", "embed", "plugin.wit", "core.wasm", "--world", world)
            _succeed(run, (*embed, "-o", "core.wasm"), folder)
            adapted = ("--adapt", "wasi_snapshot_preview1=adapter.wasm")
        _succeed(run, ("component", "new", "core.wasm", *adapted, "-o", "made.wasm"), folder)
        return (folder / "made.wasm").read_bytes()


def _succeed(run: _Run, arguments: Sequence[str], folder: Path) -> None:
    status, said = run(arguments, folder)
    if status != 0:
        what = " ".join(arguments[:2])
        raise BuildError(f"wasm-tools {what} failed (exit status {status}):\n{said.strip()}")


def _wasm_tools(report: Report) -> _Run:
    """
    Find wasm-tools, or get it.
    """
    if (found := shutil.which("wasm-tools")) and _version(found) == VERSION:
        return _native(found)
    folder = cache_dir("tools", f"wasm-tools-{VERSION}")
    as_wasm, built = folder / "wasm-tools.wasm", folder / "bin" / "wasm-tools"
    if not as_wasm.is_file() and not built.is_file():
        if go := shutil.which("go"):
            report(f"fetching wasm-tools {VERSION} with go")
            write_atomically(as_wasm, _fetched_with_go(go))
        elif cargo := shutil.which("cargo"):
            report(f"building wasm-tools {VERSION} with cargo, once; it takes minutes")
            _build_with_cargo(cargo, folder)
        else:
            raise BuildError(
                f"wasm-tools {VERSION} makes the component, and there is none on the PATH, and"
                " neither go nor cargo to get it with"
            )
    if not as_wasm.is_file():
        return _native(str(built))
    # Only here is wasmtime needed.
    from otelwasm.plugins.command import run_command

    program = as_wasm.read_bytes()
    return lambda arguments, folder: run_command(program, ("wasm-tools", *arguments), folder=folder)


def _native(program: str) -> _Run:
    def run(arguments: Sequence[str], folder: Path) -> tuple[int, str]:
        done = attempt([program, *arguments], folder)
        return done.returncode, done.stdout + done.stderr

    return run


def _version(program: str) -> str:
    with contextlib.suppress(OSError):
        words = attempt([program, "--version"], Path.cwd()).stdout.split()
        return words[1] if len(words) > 1 else ""
    return ""


def _fetched_with_go(go: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="otelwasm-go-") as folder:
        done = attempt([go, "mod", "download", "-json", _MODULE], Path(folder), {"GOWORK": "off"})
    try:
        answer = json.loads(done.stdout or "{}")
    except ValueError:
        answer = {}
    if done.returncode != 0 or "Dir" not in answer:
        why = answer.get("Error") or done.stderr.strip()
        raise BuildError(f"go could not fetch {_MODULE}, which has wasm-tools in it: {why}")
    packed = Path(answer["Dir"], _MODULE_FILE).read_bytes()
    if hashlib.sha256(packed).hexdigest() != _MODULE_FILE_SHA256:
        raise BuildError(f"{_MODULE} holds another {_MODULE_FILE} than it should: it is not used")
    return gzip.decompress(packed)


def _build_with_cargo(cargo: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="otelwasm-cargo-") as scratch:
        done = attempt(
            [
                *(cargo, "install", "--quiet", "--locked", f"wasm-tools@{VERSION}"),
                *("--no-default-features", "--features", "component"),
                *("--root", str(folder), "--target-dir", scratch),
            ],
            Path(scratch),
        )
    if done.returncode != 0:
        raise BuildError(
            f"cargo could not build wasm-tools {VERSION}:\n{done.stderr.strip()[-4000:]}"
        )


def _adapter() -> bytes:
    """
    The adapter of preview 1 to what components import, out of componentize-py's own library.
    """
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
                yield unpacked.decompress(data[at : at + _ADAPTER_LIMIT_BYTES])
            at += len(_ZSTANDARD)
