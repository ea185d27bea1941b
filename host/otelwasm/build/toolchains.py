"""
Find the compilers that build plugins on this machine, or say what is missing and how to get it.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs

from otelwasm.build.commands import attempt
from otelwasm.errors import BuildError

__all__ = ["NO_NODE", "RUST_TARGET", "Go", "Rust", "find_go", "find_rust", "missing"]

NO_NODE = (
    "building a JavaScript plugin needs npm and Node.js 20 or later: https://nodejs.org/en/download"
)
RUST_TARGET = "wasm32-unknown-unknown"
# The oldest Go that the SDK's module builds with, as its go.mod says.
_GO_AT_LEAST = (1, 26)
_DEBIAN_RUST = "apt-get install rustc-web cargo-web rust-web-src lld"
# Debian keeps its Rust with the sources of its library here, whatever is first on the PATH.
_SYSTEM_PROGRAMS = Path("/usr/bin")


@attrs.frozen
class Rust:
    """
    A Rust toolchain that compiles for WebAssembly. *flags* and *environment* are for its cargo.
    """

    cargo: str
    version: str
    flags: tuple[str, ...] = ()
    environment: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Go:
    """
    A Go toolchain.
    """

    program: str
    version: str


@attrs.frozen
class _Found:
    cargo: Path
    rustc: Path
    sysroot: Path
    version: str

    def has_target(self) -> bool:
        return any(self.sysroot.glob(f"lib/rustlib/{RUST_TARGET}/lib/libstd-*.rlib"))

    def has_library_sources(self) -> bool:
        return (self.sysroot / "lib/rustlib/src/rust/library/Cargo.lock").is_file()


def missing(language: str) -> str | None:
    """
    Why plugins in *language*, as "rust", cannot be built here, and how to get what is missing;
    None where they can.
    """
    try:
        if language == "rust":
            find_rust(Path.cwd())
        elif language == "go":
            find_go(Path.cwd())
        elif language == "javascript" and not (shutil.which("node") and shutil.which("npm")):
            return NO_NODE
    except BuildError as error:
        return str(error)
    return None


def find_rust(folder: Path) -> Rust:
    """
    The toolchain to build the Rust plugin in *folder* with, which may ask for one (as in a
    rust-toolchain.toml).

    It has the target's standard library. Failing that, it has the library's sources, which are
    compiled the first time: that is how Debian has it.
    """
    found = list(_rust_toolchains(folder))
    for one in found:
        if one.has_target():
            return Rust(str(one.cargo), one.version, environment={"RUSTC": str(one.rustc)})
    for one in found:
        if one.has_library_sources() and (linker := _linker(one, found)):
            return Rust(
                str(one.cargo),
                one.version,
                flags=("-Zbuild-std=std,panic_abort",),
                environment={
                    "RUSTC": str(one.rustc),
                    # Building the standard library is not stable yet; this allows it.
                    "RUSTC_BOOTSTRAP": "1",
                    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": linker,
                },
            )
    what = f"Rust plugins are compiled for {RUST_TARGET}"
    ways = []
    if shutil.which("rustup"):
        ways.append(f"rustup target add {RUST_TARGET}")
    elif not found:
        what += " by Rust's cargo and rustc, which are not on the PATH"
        ways.append(
            f"install Rust as https://rustup.rs says, then: rustup target add {RUST_TARGET}"
        )
    if found:
        has = ", ".join(str(one.rustc) for one in found)
        what += f", whose standard library is missing in what there is ({has})"
    if shutil.which("apt-get"):
        ways.append(_DEBIAN_RUST)
    elif not ways:
        ways.append(f"get a toolchain from https://rustup.rs, and: rustup target add {RUST_TARGET}")
    raise BuildError(f"{what}; to get it: " + ", or: ".join(ways))


def _rust_toolchains(folder: Path) -> Iterator[_Found]:
    seen = set()
    for cargo in (shutil.which("cargo"), str(_SYSTEM_PROGRAMS / "cargo")):
        if cargo is None or not Path(cargo).is_file():
            continue
        rustc = Path(cargo).with_name("rustc")
        if not rustc.is_file() and (elsewhere := shutil.which("rustc")):
            rustc = Path(elsewhere)
        if not rustc.is_file() or rustc in seen:
            continue
        seen.add(rustc)
        sysroot = attempt([str(rustc), "--print", "sysroot"], folder)
        version = attempt([str(rustc), "--version", "--verbose"], folder)
        if sysroot.returncode != 0 or version.returncode != 0:
            # As rustup says it, of a toolchain that the folder asks for, or of none at all.
            raise BuildError(f"{rustc} does not run: {(sysroot.stderr or version.stderr).strip()}")
        yield _Found(Path(cargo), rustc, Path(sysroot.stdout.strip()), version.stdout.strip())


def _linker(one: _Found, found: list[_Found]) -> str | None:
    """
    A linker for WebAssembly: what *one* brings along, or LLVM's, or what another brings along.
    """
    brought, *others = (
        next(each.sysroot.glob("lib/rustlib/*/bin/rust-lld"), None)
        for each in (one, *(each for each in found if each != one))
    )
    ways = (brought, shutil.which("wasm-ld"), *others)
    return next((str(way) for way in ways if way), None)


def find_go(folder: Path) -> Go:
    """
    The toolchain to build the Go plugin in *folder* with.
    """
    least = ".".join(map(str, _GO_AT_LEAST))
    how = f"get Go {least} or later from https://go.dev/dl"
    program = shutil.which("go")
    if program is None:
        raise BuildError(f"Go plugins are compiled by Go, and there is no go on the PATH: {how}")
    # A go.mod may ask for a newer Go, which this one then fetches.
    done = attempt([program, "env", "GOVERSION"], folder)
    version = done.stdout.strip()
    if done.returncode != 0:
        raise BuildError(f"{program} does not run: {done.stderr.strip()}")
    numbers = re.match(r"go(\d+)\.(\d+)", version)
    if numbers and (int(numbers[1]), int(numbers[2])) < _GO_AT_LEAST:
        raise BuildError(f"Go plugins need Go {least} or later, {program} is {version}: {how}")
    return Go(program, version)
