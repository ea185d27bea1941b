"""
Turn a plugin's sources into a component.

    from otelwasm.build import build

    component = build(Path("redact"))
"""

import importlib
from collections.abc import Callable
from pathlib import Path

from otelwasm.cache import write_atomically
from otelwasm.errors import BuildError

__all__ = ["build", "language_of"]

# The file that says which language a folder's plugin is written in.
_LANGUAGES = {
    "plugin.py": "python",
    "Cargo.toml": "rust",
    "go.mod": "go",
    "package.json": "javascript",
}


def build(
    source: Path, out: Path | None = None, *, report: Callable[[str], None] = lambda line: None
) -> Path:
    """
    Build the plugin at *source* and return the component's path: a Python file, or a folder with a
    plugin in Python (plugin.py), Rust (Cargo.toml), Go (go.mod) or JavaScript (package.json).

    The component is taken from the cache if it was built from the same content before, and
    copied to *out* if that is given. *report* gets a line for each step that takes time, and what
    a compiler warns of. Raises BuildError if it does not become a component.
    """
    source = Path(source)
    if out is not None and not (out := Path(out)).parent.is_dir():
        raise BuildError(f"{out}: there is no folder {out.parent} to write it to")
    if out is not None and out.is_dir():
        raise BuildError(
            f"{out}: is a folder; name the file to write, such as {out / 'plugin.wasm'}"
        )
    language = language_of(source)
    # A language's builder is imported when there is something to build with it.
    builder = importlib.import_module(f"otelwasm.build.{language}")
    built: Path = builder.build(source, report=report)
    if out is None:
        return built
    try:
        write_atomically(out, built.read_bytes())
    except OSError as error:
        raise BuildError(f"{out}: cannot be written: {error.strerror}") from error
    return out


def language_of(source: Path) -> str:
    """
    Say which language the plugin at *source* is written in; raises BuildError.
    """
    if not source.is_dir():
        return "python"
    found = {name: it for name, it in _LANGUAGES.items() if (source / name).is_file()}
    if len(found) > 1:
        raise BuildError(
            f"{source} has {' and '.join(found)}: a folder holds one plugin, in one language"
        )
    if not found:
        raise BuildError(
            f"{source} holds no plugin: there is no plugin.py (Python), Cargo.toml (Rust), go.mod"
            " (Go) or package.json (JavaScript) in it"
        )
    return next(iter(found.values()))
