"""
Look at a Python plugin's files before anything is built: what they are, and what they declare.
"""

import ast
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs

from otelwasm.build.kept import files_in, plugin_name
from otelwasm.errors import BuildError

__all__ = ["KINDS", "PluginSource", "read_source"]

KINDS = ("processor", "exporter", "receiver")
_ENTRY = "plugin.py"
_SKIPPED = {"__pycache__", "node_modules", "venv"}
_LIMIT_BYTES = 64 << 20
# CPython counts the depth of one tree at a time: where the garbage collector lets another thread go
# on in the middle of one, both may end in a SystemError (as of python/cpython#106905).
_PARSING = threading.Lock()
# Not compiled here: few plugins need them.
_DECORATED = r"(?m)^@(?:\w+\.)?(processor|exporter|receiver)\s*$"
# As PEP 723 defines it.
_INLINE_METADATA = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"


@attrs.frozen
class PluginSource:
    """
    A plugin's files. *entry* is the one that declares it, by its name within *files*.
    """

    entry: str
    kind: str
    files: dict[str, Path]
    requirements: str

    @property
    def name(self) -> str:
        """
        What to call the plugin: its file, or its folder where the file is called plugin.py.
        """
        path = self.files[self.entry]
        return plugin_name(path.parent) if path.name == _ENTRY else path.stem


def read_source(path: Path) -> PluginSource:
    """
    Read the plugin at *path*, a file or a folder with a `plugin.py`.

    Requirements are those in a file's inline metadata, or in a folder's `requirements.txt`.
    """
    if path.is_file() and path.suffix == ".py":
        text = _text(path)
        files = {path.name: path}
        return PluginSource(path.name, _kind(path, text), files, _inline_requirements(path, text))
    if not path.is_dir():
        what = "is no Python file and no folder" if path.exists() else "does not exist"
        raise BuildError(f"{path} {what}; a plugin is a .py file, or a folder with a {_ENTRY}")
    entry = path / _ENTRY
    if not entry.is_file():
        raise BuildError(f"{path} has no {_ENTRY}, the file that declares the plugin")
    files = {str(file.relative_to(path)): file for file in files_in(path, skipped=_SKIPPED)}
    size_bytes = sum(file.stat().st_size for file in files.values())
    if size_bytes > _LIMIT_BYTES:
        raise BuildError(
            f"{path} holds {size_bytes >> 20} MiB in {len(files)} files, the limit is"
            f" {_LIMIT_BYTES >> 20} MiB; a plugin's folder holds the plugin alone"
        )
    text = _text(entry)
    listed = path / "requirements.txt"
    requirements = _text(listed) if listed.is_file() else _inline_requirements(entry, text)
    return PluginSource(_ENTRY, _kind(entry, text), files, requirements)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BuildError(f"{path}: not UTF-8: {error}") from None


def _kind(path: Path, text: str) -> str:
    """
    Say which kind of plugin *text* declares: the decorator decides about the component's world.
    """
    try:
        with _PARSING:
            tree = ast.parse(text, str(path))
        found = list(_decorated(tree))
    except SyntaxError as error:
        # The Python in the component has the last word about this, and words it.
        tree = ast.Module([], [])
        found = [(kind, 0, "?") for kind in re.findall(_DECORATED, text)]
        if not found:
            line = (error.text or "").rstrip()
            raise BuildError(
                f"{path}:{error.lineno}: SyntaxError: {error.msg}\n    {line}"
            ) from None
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise BuildError(_why_none(path, tree))
    places = ", ".join(f"@{kind} {name} at line {line}" for kind, line, name in found)
    raise BuildError(f"{path}: one plugin a file, not {len(found)}: {places}")


def _decorated(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    """
    Find (kind, line, name) of what is decorated as a plugin, under any name it was imported by.
    """
    names = _names(tree)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in statement.decorator_list:
                if kind := names.get(ast.unparse(decorator)):
                    yield kind, statement.lineno, statement.name


def _names(tree: ast.Module) -> dict[str, str]:
    """
    The kinds by the names that they are imported under.
    """
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("otelwasm_sdk"):
            names |= {a.asname or a.name: a.name for a in node.names if a.name in KINDS}
            if any(a.name == "*" for a in node.names):
                names |= {kind: kind for kind in KINDS}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "otelwasm_sdk":
                    names |= {f"{alias.asname or alias.name}.{kind}": kind for kind in KINDS}
    return names


def _why_none(path: Path, tree: ast.Module) -> str:
    """
    Say why there is no plugin in a file, as well as its decorators tell.
    """
    names = _names(tree)
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", ()):
            is_called = isinstance(decorator, ast.Call)
            name = ast.unparse(decorator).partition("(")[0]
            if name not in names and name not in KINDS:
                continue
            where = f"{path}:{decorator.lineno}: @{name}"
            if name not in names:
                return f"{where} is not imported: from otelwasm_sdk import {name}"
            if is_called:
                return f"{where} is written without parentheses"
            return f"{where} stands before a function or class of the file, not inside of one"
    return (
        f"{path}: no plugin in it: put @processor, @exporter or @receiver before the function or"
        " class that is one (from otelwasm_sdk import processor)"
    )


def _inline_requirements(path: Path, text: str) -> str:
    """
    The requirements in a `# /// script` block (PEP 723), one a line.
    """
    if "# /// " not in text:
        return ""
    blocks = [
        match["content"]
        for match in re.finditer(_INLINE_METADATA, text)
        if match["type"] == "script"
    ]
    if len(blocks) > 1:
        raise BuildError(f"{path}: {len(blocks)} `# /// script` blocks, there can be one")
    if not blocks:
        return ""
    import tomllib  # here, as most plugins have no such block

    lines = (line[2:] if line.startswith("# ") else line[1:] for line in blocks[0].splitlines())
    try:
        metadata = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{path}: the `# /// script` block is no TOML: {error}") from None
    strange = sorted(metadata.keys() - {"dependencies", "requires-python", "tool"})
    if strange:
        raise BuildError(
            f"{path}: `{strange[0]}` in the `# /// script` block is no key of it; what the plugin"
            " requires is listed in `dependencies`"
        )
    requirements = metadata.get("dependencies", [])
    if not isinstance(requirements, list) or not all(
        isinstance(requirement, str) for requirement in requirements
    ):
        raise BuildError(f"{path}: `dependencies` in the `# /// script` block is a list of strings")
    return "\n".join(requirements)
