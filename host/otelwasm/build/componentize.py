"""
Have componentize-py make a component of Python modules, with all that each of them carries.

componentize-py starts the plugin's Python once, imports everything, and keeps the image of its
memory.
"""

import functools
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs

from otelwasm.build.kept import key_of
from otelwasm.build.native import native_modules
from otelwasm.build.requirements import install_requirements
from otelwasm.contract import contract_dir
from otelwasm.errors import BuildError

__all__ = ["FailedError", "Ingredients", "componentize"]

Report = Callable[[str], None]

# Changes with everything below that changes what a component holds.
_FORMAT = "3"
_TOOL = "componentize-py"
# What every plugin carries: distribution -> the packages of it that a plugin needs.
_CARRIED = {
    "attrs": ("attr", "attrs"),
    "opentelemetry-proto": ("opentelemetry.proto",),
    "protobuf": ("google.protobuf",),
}
_ENTRY = "otelwasm_entry"


class FailedError(Exception):
    """
    There is no component; *said* is all that the tool wrote.
    """

    tool = _TOOL

    def __init__(self, said: str, *, status: int) -> None:
        # The traces of componentize-py's own stack say nothing to the author of a plugin.
        told = said.split("\nStack backtrace:")[0].strip()[-4000:]
        super().__init__(f"(exit status {status}):\n{told}")
        self.said = said


@attrs.frozen
class Ingredients:
    """
    What goes into a component besides the plugin's own files; *key* changes with all of it.

    The folders, of modules in C and of the plugin's packages, are named by their content's hash.
    """

    native: Path
    packages: Path | None
    key: str

    @classmethod
    def of(cls, requirements: str, report: Report) -> "Ingredients":
        """
        Find, or make, what a plugin with *requirements* needs.
        """
        carried = _carried(report)
        packages = install_requirements(requirements, pinned=carried.pinned, report=report)
        settings = {"rest": carried.key, "packages": packages.name if packages else None}
        return cls(carried.native, packages, key_of(settings, ()))

    @property
    def modules(self) -> tuple[str, ...]:
        """
        The names by which the packages are imported.
        """
        if self.packages is None:
            return ()
        found = (path.stem for path in sorted(self.packages.iterdir()) if _is_module(path))
        return tuple(name for name in found if name.isidentifier())


@attrs.frozen
class _Carried:
    native: Path
    pinned: dict[str, str]
    key: str


# Looked for once: what is installed stays while a process runs.
@functools.cache
def _carried_before() -> dict[str, _Carried]:
    return {}


def _carried(report: Report) -> _Carried:
    """
    What every plugin carries.
    """
    found = _carried_before()
    if "" not in found:
        versions = _versions()
        native = native_modules(report)
        files = [
            *((path.name, path) for path in _python_files(_sdk())),
            *((path.name, path) for path in sorted(contract_dir().glob("*.wit"))),
        ]
        key = key_of({"format": _FORMAT, "versions": versions, "native": native.name}, files)
        found[""] = _Carried(native, {name: versions[name] for name in _CARRIED}, key)
    return found[""]


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


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))


def componentize(
    ingredients: Ingredients, *, world: str, entry: str, files: Mapping[str, Path]
) -> bytes:
    """
    Make a component of the world *world*: *entry* is the text of the module that has its exports,
    *files* lie beside that. Raises FailedError.
    """
    with tempfile.TemporaryDirectory(prefix="otelwasm-build-") as name:
        work = Path(name)
        app, site, built = work / "app", work / "packages", work / "built.wasm"
        app.mkdir()
        for file, path in files.items():
            _copy(path, app / file)
        (app / f"{_ENTRY}.py").write_text(
            f'"""\nWhere the component begins; written by otelwasm\'s build.\n"""\n\n{entry}'
        )
        if ingredients.packages is not None:
            shutil.copytree(ingredients.packages, site)
        for carried in (name for names in _CARRIED.values() for name in names):
            folder = _package(carried)
            for path in _python_files(folder):
                _copy(path, site.joinpath(*carried.split("."), path.relative_to(folder)))
        for path in _python_files(_sdk()):
            _copy(path, site / "otelwasm_sdk" / path.relative_to(_sdk()))
        shutil.copytree(ingredients.native, site, dirs_exist_ok=True)
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-c", "from componentize_py import script; script()"),
                *("--quiet", "--wit-path", str(contract_dir()), "--world", world),
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
            raise FailedError(done.stdout + done.stderr, status=done.returncode)
        return built.read_bytes()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
