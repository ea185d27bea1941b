"""
Hold the project's own rules of layout against its files.
"""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
GENERATED = TOP / "host" / "otelwasm" / "plugins" / "_generated"
# What stands in for components' own modules where there is none, and our own packages.
OURS = {"componentize_py_types", "otelwasm", "otelwasm_native", "otelwasm_sdk", "wit_world"}
VAGUE = {"utils", "helpers", "common", "manager", "base", "misc"}


def python_files(*folders: str) -> list[Path]:
    """
    The project's own Python files below *folders*.
    """
    found = [path for folder in folders for path in sorted((TOP / folder).rglob("*.py"))]
    return [path for path in found if GENERATED not in path.parents]


SOURCES = python_files("host/otelwasm", "guests/sdk/python/otelwasm_sdk")
ALL = SOURCES + python_files("tests", "scripts", "guests")


def imports(path: Path) -> set[str]:
    """
    The top-level packages that a file imports.
    """
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def name_of(path: Path) -> str:
    """
    A file's name for messages: its path from the top.
    """
    return path.relative_to(TOP).as_posix()


def test_files_are_small_and_named_for_what_they_do() -> None:
    """
    No file has more than 400 lines or a name that says nothing.
    """
    long = {name_of(path) for path in ALL if len(path.read_text().splitlines()) > 400}
    vague = {name_of(path) for path in ALL if path.stem in VAGUE}

    assert (set(), set()) == (long, vague)


def test_modules_say_what_they_are_for() -> None:
    """
    Each module opens with a docstring.
    """
    silent = {
        name_of(path)
        for path in SOURCES
        if (text := path.read_text()).strip() and not ast.get_docstring(ast.parse(text))
    }

    assert set() == silent


def test_public_names_are_listed_and_sorted() -> None:
    """
    `__all__` has the public functions and classes of a module, in order.
    """
    unlisted = {}
    unsorted = set()
    for path in SOURCES:
        listed, public = names_of(path)
        if sorted(listed, key=order) != listed:
            unsorted.add(name_of(path))
        is_front = path.name in ("__init__.py", "__main__.py")
        if not is_front and public - set(listed):
            unlisted[name_of(path)] = public - set(listed)

    assert ({}, set()) == (unlisted, unsorted)


def test_only_plugins_know_wasmtime() -> None:
    """
    Outside of `plugins/` nothing imports wasmtime, and inside two modules alone use ctypes.
    """
    used = {path: imports(path) for path in python_files("host/otelwasm")}
    wasmtime = {path.parent.name for path, names in used.items() if "wasmtime" in names}
    ctypes = {path.name for path, names in used.items() if "ctypes" in names}

    assert {"plugins"} == wasmtime
    assert {"_ffi.py", "memory.py"} == ctypes


def names_of(path: Path) -> tuple[list[str], set[str]]:
    """
    What a module's `__all__` lists, and its public functions and classes.
    """
    listed: list[str] = []
    public: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                listed = ast.literal_eval(value)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                public.add(name)
            case ast.ClassDef(name=name):
                public.add(name)
    return listed, {name for name in public if not name.startswith("_")}


def order(name: str) -> tuple[int, str]:
    """
    Constants, then classes, then the rest: as ruff sorts `__all__`.
    """
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_what_is_imported_is_installed_with_it() -> None:
    """
    Every package that the host or the SDK imports is among the dependencies.
    """
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    names = (re.match(r"[\w.-]+", each) for each in project["dependencies"])
    declared = {name[0].lower().replace("_", "-") for name in names if name}
    known = packages_distributions()
    imported = set().union(*map(imports, SOURCES)) - OURS - sys.stdlib_module_names
    missing = {
        name
        for name in imported
        if not declared & {each.lower().replace("_", "-") for each in known.get(name, ())}
    }

    assert set() == missing
