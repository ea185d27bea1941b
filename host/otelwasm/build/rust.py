"""
Build a Rust plugin: cargo compiles the crate to a module, which becomes a component.

    crate and lock file ──► cargo, for wasm32-unknown-unknown ──► module ──► component

The crate depends on `otelwasm-sdk`; without a path, that is the one this otelwasm brings along.
All plugins share one target folder in the cache, so that what they have in common is compiled
once. Nothing in a component says in which folder of which machine it was built.
"""

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs

from otelwasm.build import wasm_tools
from otelwasm.build.commands import succeed
from otelwasm.build.exported import exported_names
from otelwasm.build.kept import files_in, kept_component, key_of, plugin_name
from otelwasm.build.sdks import SDK_LINK, check_sdk, link_sdk, sdk_folder
from otelwasm.build.toolchains import RUST_TARGET, Rust, find_rust
from otelwasm.cache import cache_dir, making, write_atomically
from otelwasm.errors import BuildError

__all__ = ["build"]

Report = Callable[[str], None]

# Changes with everything below that changes what a component holds.
_FORMAT = "1"
_SDK = "otelwasm-sdk"
_PLAIN = re.compile(r"\^\d+(\.\d+){0,2}")
_CONTRACT = "otelwasm:plugin/"
# How a release is compiled, where the author's Cargo.toml does not say otherwise.
_PROFILE = {
    "codegen-units": "1",
    "lto": '"fat"',
    "opt-level": "3",
    "panic": '"abort"',
    "strip": "true",
}
_SETTINGS = (".cargo/config.toml", "rust-toolchain.toml", "rust-toolchain")
# What would change the bytes, if the user's shell had it.
_UNSET = {"CARGO_ENCODED_RUSTFLAGS": None, "RUSTFLAGS": None}
# cargo compiles by this, which adds flags that cargo does not know of: by those that it knows of it
# tells its results apart, so that everything would be compiled anew for each plugin and checkout.
# Crates of a folder get their names in place of a hash of the folder's, which orders functions.
_COMPILER = """\
#!/bin/sh
for argument do
  shift
  case "$argument, $OTELWASM_LOCAL_CRATES " in
    metadata=*" $CARGO_PKG_NAME "*) argument=metadata=$CARGO_PKG_NAME ;;
  esac
  set -- "$@" "$argument"
done
exec "$@" "@$OTELWASM_RUSTC_FLAGS"
"""


@attrs.frozen
class _Crate:
    """
    The plugin's crate as cargo sees it. *local* are the packages that are no registry's, the
    plugin's own among them, with their folders.
    """

    package: str
    library: str
    workspace: Path
    local: dict[str, Path]


def build(source: Path, *, report: Report = lambda line: None) -> Path:
    """
    Build the plugin in the folder *source*, which has a Cargo.toml, into the cache.
    """
    source = source.resolve()
    name = plugin_name(source)
    toolchain = find_rust(source)
    sdk = _sdk_arguments(source, toolchain)
    crate = _read_crate(source, toolchain, sdk)
    settings = {
        "format": _FORMAT,
        "language": "rust",
        "toolchain": (toolchain.version, toolchain.flags),
        "wasm-tools": wasm_tools.VERSION,
        "profile": _PROFILE,
        "name": name,
    }
    key = key_of(settings, _files(source, crate))

    def make() -> bytes:
        report(f"{name}: compiling with {toolchain.cargo}; the first time that takes minutes")
        with _module(source, crate, toolchain, sdk=sdk, report=report) as module:
            content = module.read_bytes()
        if not any(name.startswith(_CONTRACT) for name in exported_names(content)):
            raise BuildError(
                f"{source} registers no plugin: its src/lib.rs ends with"
                " otelwasm_sdk::processor!(Type), exporter!(Type) or receiver!(Type)"
            )
        return wasm_tools.make_component(content, report=report)

    return kept_component(name, key, make=make, report=report)


def _cargo(
    toolchain: Rust, *arguments: str, folder: Path, failure: str, **environment: str
) -> tuple[str, str]:
    return succeed(
        [toolchain.cargo, *arguments],
        folder,
        {**_UNSET, **toolchain.environment, "CARGO_TERM_COLOR": "never", **environment},
        failure=failure,
    )


def _metadata(source: Path, toolchain: Rust, *arguments: str) -> dict[str, Any]:
    printed, _ = _cargo(
        toolchain,
        *("metadata", "--format-version=1", *arguments),
        folder=source,
        failure=f"cargo does not understand {source / 'Cargo.toml'}:",
    )
    found: dict[str, Any] = json.loads(printed)
    return found


def _sdk_arguments(source: Path, toolchain: Rust) -> tuple[str, ...]:
    """
    Point a dependency on the SDK to the one that is installed with otelwasm, if it has no path, and
    no patch but the link that `otelwasm new` makes.
    """
    metadata = _metadata(source, toolchain, "--no-deps")
    wanted = [
        each["req"]
        for package in metadata["packages"]
        for each in package["dependencies"]
        if each["name"] == _SDK and (each["source"] or "").startswith("registry+")
    ]
    manifest = tomllib.loads(Path(metadata["workspace_root"], "Cargo.toml").read_text("utf-8"))
    patch = manifest.get("patch", {}).get("crates-io", {}).get(_SDK)
    is_linked = patch is not None and patch.get("path") == SDK_LINK
    if not wanted or not (patch is None or is_linked):
        return ()
    if is_linked:
        with contextlib.suppress(OSError):  # it is for cargo and editors: this build needs none
            link_sdk("rust", Path(metadata["workspace_root"]))
    for version in wanted:
        # Of ranges and the like cargo says itself what does not fit.
        if _PLAIN.fullmatch(version):
            check_sdk("rust", version.removeprefix("^"), where=source / "Cargo.toml")
    return ("--config", f"patch.crates-io.{_SDK}.path={json.dumps(str(sdk_folder('rust')))}")


def _read_crate(source: Path, toolchain: Rust, sdk: tuple[str, ...]) -> _Crate:
    metadata = _metadata(source, toolchain, "--filter-platform", RUST_TARGET, *sdk)
    manifest = source / "Cargo.toml"
    local = {each["name"]: each for each in metadata["packages"] if each["source"] is None}
    package = next(
        (each for each in local.values() if Path(each["manifest_path"]) == manifest), None
    )
    if package is None:
        raise BuildError(
            f"{manifest} is a workspace's: name the folder of the plugin's own package in it"
        )
    libraries = [each for each in package["targets"] if "cdylib" in each["crate_types"]]
    if not libraries:
        raise BuildError(
            f"{manifest}: the crate is no library that is a module of its own; that takes\n"
            '    [lib]\n    crate-type = ["cdylib"]'
        )
    return _Crate(
        package["name"],
        libraries[0]["name"],
        Path(metadata["workspace_root"]),
        {name: Path(each["manifest_path"]).parent for name, each in sorted(local.items())},
    )


def _files(source: Path, crate: _Crate) -> Iterator[tuple[str, Path]]:
    for package, folder in crate.local.items():
        for path in files_in(folder, skipped={"target"}):
            yield f"{package}/{path.relative_to(folder).as_posix()}", path
    for folder in sorted({source, crate.workspace}):
        for name in ("Cargo.toml", "Cargo.lock", *_SETTINGS):
            if (path := folder / name).is_file():
                yield name, path


@contextlib.contextmanager
def _module(
    source: Path, crate: _Crate, toolchain: Rust, *, sdk: tuple[str, ...], report: Report
) -> Iterator[Path]:
    """
    Compile the crate; the module lies in the shared folder, which is ours until the block ends.
    """
    target = cache_dir("cargo")
    where = ("--release", "--target", RUST_TARGET, "--target-dir", str(target))
    compiler, flags = target / "compiler", target / "compiler-flags"
    with making(
        target / "module",
        waiting=lambda: report(
            f"waiting for another Rust plugin's build, which also uses {target}"
        ),
    ):
        write_atomically(compiler, _COMPILER.encode(), mode=0o777)
        write_atomically(flags, "".join(f"{flag}\n" for flag in _remaps(crate)).encode())
        # cargo goes by names and times of files. Another folder's crate of the same name, with
        # older files, would pass for this one: so these are always compiled.
        _cargo(
            toolchain,
            *("clean", "--quiet", *where, *sdk),
            *(word for name in crate.local for word in ("--package", name)),
            folder=source,
            failure=f"cargo could not tidy {target}:",
        )
        _, said = _cargo(
            toolchain,
            *("build", "--quiet", "--lib", *where, *sdk, *toolchain.flags),
            *_profile_arguments(crate.workspace / "Cargo.toml"),
            folder=source,
            failure=f"{source} does not compile:",
            RUSTC_WRAPPER=str(compiler),
            OTELWASM_RUSTC_FLAGS=str(flags),
            OTELWASM_LOCAL_CRATES=" ".join(crate.local),
        )
        for line in said.strip().splitlines():
            report(line)
        yield target / RUST_TARGET / "release" / f"{crate.library.replace('-', '_')}.wasm"


def _profile_arguments(manifest: Path) -> Iterator[str]:
    given = tomllib.loads(manifest.read_text("utf-8")).get("profile", {}).get("release", {})
    for name, value in _PROFILE.items():
        if name not in given:
            yield from ("--config", f"profile.release.{name}={value}")


def _remaps(crate: _Crate) -> list[str]:
    """
    Name folders of this machine, as panics do that say their place, the same on every machine.
    """
    home = os.environ.get("CARGO_HOME") or Path.home() / ".cargo"
    folders = {Path(home): "/cargo", crate.workspace: "/workspace"}
    folders |= {folder: f"/{name}" for name, folder in crate.local.items()}
    return [f"--remap-path-prefix={folder}={name}" for folder, name in folders.items()]
