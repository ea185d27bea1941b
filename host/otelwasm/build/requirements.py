"""
Install what a Python plugin requires, as far as it is pure Python.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from otelwasm.build.ingredients import RequirementError
from otelwasm.build.modules import instead_of
from otelwasm.cache import cache_dir
from otelwasm.errors import BuildError

__all__ = ["install_requirements"]

_GUEST_PYTHON = "3.14"
_OURS = re.compile(r"otelwasm([-_]sdk)?(?![-\w.])", re.IGNORECASE)
_NOT_FOUND = re.compile(r"No matching distribution found for (.+?)( \(from .*)?$", re.MULTILINE)
_VERSIONS = re.compile(r"\(from versions: (.+)\)$", re.MULTILINE)
_MOST_VERSIONS = 5
# Said of files of the package that pip found and did not take, at two levels of verbosity.
_NOT_TAKEN = ("none of the wheel's tags", "No binaries permitted", "No sources permitted")
_NOT_UNDERSTOOD = re.compile(r"Invalid requirement: (.+?)( \(from line .*)?$", re.MULTILINE)
_NAME = re.compile(r"[\w.-]+")
_UNREACHABLE = re.compile(r"Retrying|ConnectionError|NewConnectionError|Temporary failure|Timeout")


def install_requirements(
    requirements: str, *, pinned: Mapping[str, str], report: Callable[[str], None]
) -> Path | None:
    """
    Install *requirements*, lines as in a requirements.txt, and return the folder; None for none.

    *pinned* are the versions of what every plugin carries. Folders are cached by all of this.
    """
    wanted = "".join(
        f"{line}\n"
        for raw in requirements.splitlines()
        if (line := raw.strip()) and not line.startswith("#") and not _OURS.match(line)
    )
    if not wanted:
        return None
    constraints = "".join(f"{name}=={version}\n" for name, version in sorted(pinned.items()))
    key = hashlib.sha256(f"{_GUEST_PYTHON}\0{wanted}\0{constraints}".encode()).hexdigest()[:32]
    target = cache_dir("requirements") / key
    if target.is_dir():
        return target
    names = ", ".join(wanted.split("\n")[:-1])
    report(f"installing {names}")
    with tempfile.TemporaryDirectory(prefix=".build-", dir=target.parent) as name:
        work = Path(name)
        (work / "requirements.txt").write_text(wanted)
        (work / "constraints.txt").write_text(constraints)
        _pip_install(work)
        _refuse_native(work / "packages")
        try:
            os.rename(work / "packages", target)
        except OSError:
            if not target.is_dir():
                raise
    return target


def _pip_install(work: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise BuildError(
            f"pip is missing in {sys.prefix}; it installs what the plugin requires:"
            f" {sys.executable} -m ensurepip"
        )
    command = [
        *(sys.executable, "-m", "pip", "install", "-vv"),
        *("--disable-pip-version-check", "--no-input"),
        # Only wheels that run anywhere.
        *("--only-binary", ":all:", "--platform", "any", "--implementation", "py"),
        *("--abi", "none", "--python-version", _GUEST_PYTHON, "--no-compile"),
        *("--target", str(work / "packages")),
        *("-r", str(work / "requirements.txt"), "-c", str(work / "constraints.txt")),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if not _UNREACHABLE.search(said) and (reason := _reason(said)):
        raise RequirementError(reason)
    lines = said.strip().splitlines()
    # What follows the errors are pip's own frames.
    told = [line for line in lines if line.startswith("ERROR: ")] or lines[-8:]
    text = "\n".join(dict.fromkeys(told)).replace(str(work), "")[-2000:]
    raise RequirementError(f"pip could not install the plugin's requirements:\n{text}")


def _reason(said: str) -> str | None:
    """
    What pip's words mean, if it is one of the usual things.
    """
    if strange := _NOT_UNDERSTOOD.search(said):
        return (
            f"requirement {strange[1]} is not understood; one is written as idna, idna==3.10 or"
            ' "idna>=3,<4"'
        )
    if not (missing := _NOT_FOUND.search(said)):
        return None
    wanted = missing[1]
    name = _NAME.match(wanted)
    if name and (instead := instead_of(name[0])):
        return f"requirement {wanted}: {instead}"
    versions = _VERSIONS.search(said)
    if versions and versions[1] != "none":
        known = versions[1].split(", ")
        more = "… " if len(known) > _MOST_VERSIONS else ""
        return (
            f"requirement {wanted}: no version of it fits; there are:"
            f" {more}{', '.join(known[-_MOST_VERSIONS:])}"
        )
    if any(words in said for words in _NOT_TAKEN):
        return (
            f"requirement {wanted}: the package index has no pure-Python wheel of it; plugins run"
            " in WebAssembly, where a package's compiled parts cannot, and packages that come as"
            " sources only are not built"
        )
    return f"requirement {wanted}: the package index has no package of that name"


def _refuse_native(folder: Path) -> None:
    """
    Refuse packages with compiled parts, whatever their wheel says.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".so", ".pyd", ".dylib", ".dll"):
            name = path.relative_to(folder)
            raise RequirementError(
                f"requirement {name.parts[0]} has a compiled part, {name}; plugins run in"
                " WebAssembly, where it cannot"
            )
