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
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from otelwasm.build.commands import attempt
from otelwasm.cache import cache_dir, making, write_atomically
from otelwasm.errors import BuildError

__all__ = ["VERSION", "check_wit", "make_component"]

Report = Callable[[str], None]
# Runs wasm-tools with arguments in a folder; says its exit status and what it said.
_Run = Callable[[Sequence[str], Path], tuple[int, str]]

VERSION = "1.230.0"
_MODULE = "go.bytecodealliance.org@v0.7.0"
_MODULE_FILE = "internal/wasmtools/wasm-tools.wasm.gz"
_MODULE_FILE_SHA256 = "732779402af524ca78074b953bf11932020ac7a019c8ab9fc15a9eef7fb7e090"


def make_component(
    module: bytes,
    *,
    wit: Path | None = None,
    world: str | None = None,
    adapter: bytes | None = None,
    report: Report,
) -> bytes:
    """
    Make a component of *module*.

    One that does not say itself what it imports and exports targets *world* of the file *wit*. One
    that imports WASI's preview 1 needs an *adapter* for it.
    """
    run = _wasm_tools(report)
    with tempfile.TemporaryDirectory(prefix="otelwasm-component-") as name:
        folder = Path(name)
        (folder / "module.wasm").write_bytes(module)
        if wit is not None and world is not None:
            shutil.copyfile(wit, folder / "plugin.wit")
            embed = ("component", "embed", "plugin.wit", "module.wasm", "--world", world)
            _succeed(run, (*embed, "-o", "module.wasm"), folder)
        adapted: tuple[str, ...] = ()
        if adapter is not None:
            (folder / "adapter.wasm").write_bytes(adapter)
            adapted = ("--adapt", "wasi_snapshot_preview1=adapter.wasm")
        _succeed(run, ("component", "new", "module.wasm", *adapted, "-o", "made.wasm"), folder)
        return (folder / "made.wasm").read_bytes()


def check_wit(folder: Path) -> None:
    """
    Raise BuildError if the WIT files in *folder* are not valid.
    """
    _succeed(_wasm_tools(lambda line: None), ("component", "wit", "."), folder)


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
    with making(folder):
        if not as_wasm.is_file() and not built.is_file():
            _get_wasm_tools(as_wasm, folder, report)
    if not as_wasm.is_file():
        return _native(str(built))
    # Only here is wasmtime needed.
    from otelwasm.plugins.command import run_command

    program = as_wasm.read_bytes()
    return lambda arguments, folder: run_command(program, ("wasm-tools", *arguments), folder=folder)


def _get_wasm_tools(as_wasm: Path, folder: Path, report: Report) -> None:
    if go := shutil.which("go"):
        report(f"fetching wasm-tools {VERSION} with go")
        write_atomically(as_wasm, _fetched_with_go(go))
    elif cargo := shutil.which("cargo"):
        report(f"building wasm-tools {VERSION} with cargo, once; it takes minutes")
        _build_with_cargo(cargo, folder)
    else:
        raise BuildError(
            f"wasm-tools {VERSION} makes the component: there is none on the PATH, and neither go"
            " nor cargo to get it with"
        )


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
