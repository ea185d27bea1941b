"""
Build a Python plugin: its sources and pure-Python requirements become a component.

    source file or folder ──► app folder with an entry module ─┐
    what it requires      ──► installed by pip, pure Python ───┼──► componentize-py ──► component
    what every plugin has ──► SDK, attrs, protobuf, upb in C ──┘

componentize-py starts the plugin's Python once, imports everything, and keeps the image of its
memory. Components are cached by the content of all that goes into them.
"""

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from otelwasm.build.kept import kept_component, key_of
from otelwasm.build.native import native_modules
from otelwasm.build.requirements import install_requirements
from otelwasm.build.source import PluginSource, read_source
from otelwasm.contract import contract_dir
from otelwasm.errors import BuildError

__all__ = ["build"]

Report = Callable[[str], None]

# Changes with everything below that changes what a component holds.
_FORMAT = "2"
_TOOL = "componentize-py"
# What every plugin carries: distribution -> the packages of it that a plugin needs.
_CARRIED = {
    "attrs": ("attr", "attrs"),
    "opentelemetry-proto": ("opentelemetry.proto",),
    "protobuf": ("google.protobuf",),
}
_ENTRY = "otelwasm_entry"
_EXPORTS = {
    "processor": "Lifecycle, Processing, Direct",
    "exporter": "Lifecycle, Exporting, Direct",
    "receiver": "Lifecycle, Receiving, Direct",
}
# What the SDK's otelwasm_sdk/guest/load.py begins its refusal with.
_REFUSAL = "otelwasm-refusal:"


def build(source: Path, *, report: Report = lambda line: None) -> Path:
    """
    Build the plugin at *source*, a file or a folder with a plugin.py, into the cache.
    """
    plugin = read_source(source)
    versions = _versions()
    native = native_modules(report)
    pinned = {name: versions[name] for name in _CARRIED}
    packages = install_requirements(plugin.requirements, pinned=pinned, report=report)
    key = _key(plugin, versions, native=native, packages=packages)

    def make() -> bytes:
        report(f"{plugin.name}: making a component, which takes some seconds")
        return _componentize(plugin, native=native, packages=packages)

    return kept_component(plugin.name, key, make=make, report=report)


def _versions() -> dict[str, str]:
    versions = {}
    for name in (_TOOL, *_CARRIED):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise BuildError(
                f"building a Python plugin needs the package {name}: pip install {name}"
            ) from None
    return versions


def _key(
    plugin: PluginSource, versions: dict[str, str], *, native: Path, packages: Path | None
) -> str:
    settings = {
        "format": _FORMAT,
        "versions": versions,
        "entry": plugin.entry,
        "name": plugin.name,
        # Both folders are named by their content's hash.
        "native": native.name,
        "packages": packages.name if packages else None,
    }
    files = [
        *sorted(plugin.files.items()),
        *((path.name, path) for path in _python_files(_sdk())),
        *((path.name, path) for path in sorted(contract_dir().glob("*.wit"))),
    ]
    return key_of(settings, files)


def _sdk() -> Path:
    return _package("otelwasm_sdk")


def _package(name: str) -> Path:
    """
    Find an installed package's folder, without importing the package.
    """
    parent, _, child = name.rpartition(".")
    if parent:
        # Parents are namespace packages, which may lie in several places.
        spec = importlib.util.find_spec(parent)
        places = list(spec.submodule_search_locations or ()) if spec else []
        found = next((path for place in places if (path := Path(place, child)).is_dir()), None)
    else:
        spec = importlib.util.find_spec(child)
        found = Path(spec.origin).parent if spec and spec.origin else None
    if found is None:
        raise BuildError(f"building a Python plugin needs the package {name}, which is missing")
    return found


def _python_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def _componentize(plugin: PluginSource, *, native: Path, packages: Path | None) -> bytes:
    with tempfile.TemporaryDirectory(prefix="otelwasm-build-") as name:
        work = Path(name)
        app, site, built = work / "app", work / "packages", work / "built.wasm"
        for file, path in plugin.files.items():
            _copy(path, app / file)
        (app / f"{_ENTRY}.py").write_text(_entry(plugin))
        if packages is not None:
            shutil.copytree(packages, site)
        for carried in (name for names in _CARRIED.values() for name in names):
            folder = _package(carried)
            for path in _python_files(folder):
                _copy(path, site.joinpath(*carried.split("."), path.relative_to(folder)))
        for path in _python_files(_sdk()):
            _copy(path, site / "otelwasm_sdk" / path.relative_to(_sdk()))
        shutil.copytree(native, site, dirs_exist_ok=True)
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-c", "from componentize_py import script; script()"),
                *("--quiet", "--wit-path", str(contract_dir())),
                *("--world", f"python-{plugin.kind}"),
                *("componentize", _ENTRY, "--output", str(built)),
                *("--python-path", str(app), "--python-path", str(site)),
            ],
            # componentize-py adds the site-packages of the environment that it runs in, whose
            # modules would end up in the component. In this one there are none.
            env=os.environ | {"VIRTUAL_ENV": str(work)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode != 0 or not built.is_file():
            raise BuildError(_failure(plugin, done.stdout + done.stderr, done.returncode))
        return built.read_bytes()


def _entry(plugin: PluginSource) -> str:
    return f'''"""
Where the component begins; written by otelwasm's build.
"""

from pathlib import Path

from otelwasm_sdk.guest.worlds import {plugin.kind}

{_EXPORTS[plugin.kind]} = {plugin.kind}(str(Path(__file__).with_name({plugin.entry!r})))
'''


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _failure(plugin: PluginSource, said: str, status: int) -> str:
    """
    Say why there is no component, in the plugin's own words if it has some.
    """
    refusal = next((line for line in said.splitlines() if _REFUSAL in line), None)
    if refusal is None:
        # The traces of componentize-py's own stack say nothing to the author of a plugin.
        told = said.split("\nStack backtrace:")[0].strip()[-4000:]
        return f"{_TOOL} could not build {plugin.name} (exit status {status}):\n{told}"
    answer = json.loads(refusal.partition(_REFUSAL)[2])
    message = f"{plugin.files[plugin.entry]}: {answer['message']}"
    if answer["missing"]:
        module = answer["missing"].partition(".")[0]
        message += (
            f"\nThere is no module {module!r} in the plugin. Packages are listed in the file's"
            " `# /// script` block or the folder's requirements.txt, and have to be pure Python:"
            " compiled ones, as numpy, do not run in WebAssembly"
        )
    return message
