"""
Build a Go plugin: Go compiles the package to a module, which becomes a component.

    package, go.mod, go.sum ──► go build, for wasip1 ──► module ──► component

The module requires our SDK; without a workspace that has it, or a replacement other than the link
that `otelwasm new` makes, that is the one this otelwasm brings along. Which kind of plugin it is,
the module's exports say. Nothing in a component says in which folder of which machine it was built.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from otelwasm.build import wasm_tools
from otelwasm.build.commands import succeed
from otelwasm.build.exported import exported_names
from otelwasm.build.kept import files_in, kept_component, key_of, plugin_name
from otelwasm.build.preview1 import ADAPTER_SHA256, adapted_imports
from otelwasm.build.sdks import SDK_LINK, check_sdk, link_sdk, sdk_folder
from otelwasm.build.toolchains import Go, find_go
from otelwasm.contract import contract_dir
from otelwasm.errors import BuildError

__all__ = ["build"]

Report = Callable[[str], None]

# Changes with everything below that changes what a component holds.
_FORMAT = "1"
_SDK = "github.com/otelwasm/otelwasm/guests/sdk/go"
_TARGET = {"GOOS": "wasip1", "GOARCH": "wasm", "CGO_ENABLED": "0"}
_FLAGS = (
    *("-buildmode=c-shared", "-trimpath", "-buildvcs=false"),
    # Symbols and debug information are left out; panics name files and lines without them.
    "-ldflags=-s -w -buildid=",
)
# What the compiler's output depends on besides files.
_SETTINGS = ("GOVERSION", "GOFLAGS", "GOEXPERIMENT", "GOWASM", "GOWORK")
_INTERFACES = {"processing": "processor", "exporting": "exporter", "receiving": "receiver"}
_LOCAL = (
    "{{with .Module}}{{$version := .Version}}{{with .Replace}}{{$version = .Version}}{{end}}"
    "{{if not $version}}{{.Path}}\t{{.Dir}}{{end}}{{end}}"
)


def build(source: Path, *, report: Report = lambda line: None) -> Path:
    """
    Build the plugin in the folder *source*, which has a go.mod, into the cache.
    """
    source = source.resolve()
    name = plugin_name(source)
    toolchain = find_go(source)
    with _module_file(source, toolchain) as module_flags:
        compiled = _go(
            toolchain,
            *("env", "-json", *_SETTINGS),
            folder=source,
            failure=f"{toolchain.program} does not run:",
        )
        settings = {
            "format": _FORMAT,
            "language": "go",
            "toolchain": {**json.loads(compiled), "GOWORK": None},
            "flags": _FLAGS,
            "wasm-tools": (wasm_tools.VERSION, ADAPTER_SHA256),
            "name": name,
        }
        key = key_of(settings, _files(source, toolchain, module_flags))

        def make() -> bytes:
            report(f"{name}: compiling with {toolchain.version}")
            with tempfile.TemporaryDirectory(prefix="otelwasm-build-") as folder:
                core = Path(folder, "core.wasm")
                _go(
                    toolchain,
                    *("build", *_FLAGS, *module_flags, "-o", str(core), "."),
                    folder=source,
                    failure=f"{source} does not compile:",
                )
                module, adapter = adapted_imports(core.read_bytes())
            return wasm_tools.make_component(
                module,
                wit=contract_dir() / "plugin.wit",
                world=_world(source, module),
                adapter=adapter,
                report=report,
            )

        return kept_component(name, key, make=make, report=report)


def _go(toolchain: Go, *arguments: str, folder: Path, failure: str) -> str:
    printed, _ = succeed([toolchain.program, *arguments], folder, _TARGET, failure=failure)
    return printed


@contextlib.contextmanager
def _module_file(source: Path, toolchain: Go) -> Iterator[tuple[str, ...]]:
    """
    Flags that point a module without an SDK of its own to the one installed with otelwasm.

    They name a copy of its go.mod: the author's files stay as they are.
    """

    def go(*arguments: str) -> str:
        failure = f"go does not understand {source / 'go.mod'}:"
        return _go(toolchain, *arguments, folder=source, failure=failure)

    module: dict[str, Any] = json.loads(go("mod", "edit", "-json"))
    required = {each["Path"]: each["Version"] for each in module.get("Require") or ()}
    replaced = {each["Old"]["Path"]: each["New"]["Path"] for each in module.get("Replace") or ()}
    linked = {path for path, place in replaced.items() if place.startswith(f"./{SDK_LINK}")}
    ours = dict(_sdk_modules(required))
    missing = sorted(ours.keys() - (replaced.keys() - linked))
    if linked:
        with contextlib.suppress(OSError):  # it is for Go's own tools: this build needs none
            link_sdk("go", source)
    is_in_workspace = go("env", "GOWORK").strip() not in ("", "off")
    for path in required.keys() & (linked if is_in_workspace else set(missing)):
        if path.startswith(_SDK):
            check_sdk("go", required[path], where=source / "go.mod")
    if not required.keys() & set(missing) or is_in_workspace:
        yield ()
        return
    with tempfile.TemporaryDirectory(prefix="otelwasm-go-") as folder:
        copy = Path(folder, "go.mod")
        shutil.copyfile(source / "go.mod", copy)
        go("mod", "edit", *(f"-replace={path}={ours[path]}" for path in missing), str(copy))
        folders = (source, *(ours[path] for path in missing))
        sums = [path for each in folders if (path := each / "go.sum").is_file()]
        copy.with_suffix(".sum").write_text("".join(path.read_text("utf-8") for path in sums))
        yield ("-mod=mod", f"-modfile={copy}")


def _sdk_modules(required: Collection[str]) -> Iterator[tuple[str, Path]]:
    """
    The modules in the SDK's folder; what stands in for another's only where its user is required.
    """
    sdk = sdk_folder("go")
    for path in sorted(sdk.rglob("go.mod")):
        module = path.read_text("utf-8").split(maxsplit=2)[1]
        if module.startswith(_SDK) or f"{_SDK}/collector" in required:
            yield module, path.parent


def _files(
    source: Path, toolchain: Go, module_flags: tuple[str, ...]
) -> Iterator[tuple[str, Path]]:
    """
    The files of the modules that are no registry's: the plugin's own, the SDK's, replaced ones.
    """
    printed = _go(
        toolchain,
        *("list", *module_flags, "-deps", "-f", _LOCAL, "."),
        folder=source,
        failure=f"{source} does not compile:",
    )
    for line in sorted(set(printed.split("\n"))):
        if line:
            module, _, folder = line.partition("\t")
            for path in files_in(Path(folder), skipped=()):
                yield f"{module}/{path.relative_to(folder).as_posix()}", path
    yield "plugin.wit", contract_dir() / "plugin.wit"


def _world(source: Path, module: bytes) -> str:
    """
    The contract's world that *module* targets: the one whose interface it exports.
    """
    exported = {name.partition("@")[0].rpartition("/")[2] for name in exported_names(module)}
    worlds = [world for interface, world in _INTERFACES.items() if interface in exported]
    if len(worlds) == 1:
        return worlds[0]
    if worlds:
        raise BuildError(f"{source} registers {' and '.join(worlds)}: a component is one plugin")
    raise BuildError(
        f"{source} registers no plugin: its package main calls processor.Register,"
        " exporter.Register or receiver.Register of the SDK from init"
    )
