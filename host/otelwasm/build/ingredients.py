"""
Find what goes into every Python plugin, and the key by which a component of it is known.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from otelwasm.build.installed import version_of
from otelwasm.build.kept import key_of
from otelwasm.build.native import native_modules
from otelwasm.contract import contract_dir
from otelwasm.errors import BuildError

__all__ = ["CARRIED", "TOOL", "Ingredients", "RequirementError", "package_folder", "python_files"]

Report = Callable[[str], None]

# Changes with everything in componentize.py that changes what a component holds.
_FORMAT = "3"
TOOL = "componentize-py"
# What every plugin carries: distribution -> the packages of it that a plugin needs.
CARRIED = {
    "attrs": ("attr", "attrs"),
    "opentelemetry-proto": ("opentelemetry.proto",),
    "protobuf": ("google.protobuf",),
}


class RequirementError(BuildError):
    """
    Something required that cannot be had; the message begins with it.
    """


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
        if not requirements.strip():
            return carried
        # Here, as most plugins require nothing.
        from otelwasm.build.requirements import install_requirements

        pinned = {name: version_of(name) for name in CARRIED}
        packages = install_requirements(requirements, pinned=pinned, report=report)
        if packages is None:  # all of it is carried anyway
            return carried
        key = key_of({"rest": carried.key, "packages": packages.name}, ())
        return cls(carried.native, packages, key)

    @property
    def modules(self) -> tuple[str, ...]:
        """
        The names by which the packages are imported.
        """
        if self.packages is None:
            return ()
        found = (path.stem for path in sorted(self.packages.iterdir()) if _is_module(path))
        return tuple(name for name in found if name.isidentifier())


# Looked for once, whoever asks: what is installed stays while a process runs.
_found: list[Ingredients] = []


def _carried(report: Report) -> Ingredients:
    """
    What every plugin carries.
    """
    if _found:
        return _found[0]
    versions = {name: version_of(name) for name in (TOOL, *CARRIED)}
    native = native_modules(report)
    files = [
        *((path.name, path) for path in python_files(package_folder("otelwasm_sdk"))),
        *((path.name, path) for path in sorted(contract_dir().glob("*.wit"))),
    ]
    key = key_of({"format": _FORMAT, "versions": versions, "native": native.name}, files)
    _found.append(Ingredients(native, None, key))
    return _found[0]


def package_folder(name: str) -> Path:
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


def python_files(folder: Path) -> Iterator[Path]:
    """
    The modules in a package's folder, and below.
    """
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
