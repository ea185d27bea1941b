"""
Make the folder of a new plugin: its source, cases that it passes, a pipeline that runs.

    templates/<kind>/shared/      the cases and the pipeline, the same in all languages
    templates/<kind>/<language>/  the plugin, and for Python its tests

Templates are plugins as they stand, called `my-plugin`; the new one's name takes that place.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from otelwasm.errors import SetupError

__all__ = ["KINDS", "LANGUAGES", "Kind", "Language", "new_plugin", "steps"]

Kind = Literal["processor", "exporter", "receiver"]
Language = Literal["python", "rust", "go"]

KINDS: tuple[Kind, ...] = ("processor", "exporter", "receiver")
LANGUAGES: tuple[Language, ...] = ("python", "rust", "go")

_NAME = "my-plugin"
_SHOWN = {"python": "Python", "rust": "Rust", "go": "Go"}
_OTLP = "http://127.0.0.1:4318/v1"
_JSON = "curl -H 'content-type: application/json' -d @cases/first"
_SEND: dict[Kind, str] = {
    "processor": f"{_JSON}/input-traces.json {_OTLP}/traces",
    "exporter": f"{_JSON}/input-logs.json {_OTLP}/logs",
    "receiver": "curl -d 'shop 1.2 is live' http://127.0.0.1:8088/deploys",
}


def new_plugin(kind: Kind, folder: Path, language: Language = "python") -> list[Path]:
    """
    Make *folder* with a plugin that is called like it; return the files, in order.

    SetupError if there is something in the folder already, or its name cannot be a plugin's.
    Nothing is overwritten.
    """
    name = folder.resolve().name
    _check_name(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SetupError(f"{folder} is there already, and not empty: choose another name")
    template = _templates() / kind
    made = []
    try:
        for source, place in _files(template / "shared", template / language):
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source.read_text(encoding="utf-8").replace(_NAME, name), "utf-8")
            made.append(path)
        readme = folder / "README.md"
        readme.write_text(_readme(kind, name, language), "utf-8")
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror or error}") from error
    return sorted([*made, readme])


def steps(kind: Kind, name: str, language: Language) -> list[tuple[str, str]]:
    """
    The commands to go on with inside of the folder, each with what it does.
    """
    tests = [("python -m pytest", "tests it as plain Python")] if language == "python" else []
    return [
        ("otelwasm test", "runs the cases in its sandbox"),
        *tests,
        ("otelwasm run --watch pipeline.yaml", "runs it, and again after each change"),
        (_SEND[kind], "sends it something, from another terminal"),
        (f"otelwasm build . -o {name}.wasm", "makes one file of it, for production"),
    ]


def _readme(kind: Kind, name: str, language: Language) -> str:
    article = "An" if kind == "exporter" else "A"
    lines = [
        f"# {name}",
        "",
        f"{article} {kind} for otelwasm's pipelines, in {_SHOWN[language]}. In this folder:",
        "",
        "```sh",
    ]
    for command, purpose in steps(kind, name, language):
        lines += [f"# {purpose}", command]
    return "\n".join([*lines, "```", ""])


def _check_name(name: str) -> None:
    """
    A plugin's name stands in YAML, and is a crate's and a module's.
    """
    is_good = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    if not is_good or not name[0].isalpha():
        raise SetupError(
            f"{name!r} cannot be a plugin's name: letters, digits, - and _ make one, and a letter"
            " stands first"
        )


def _files(*folders: Path) -> Iterator[tuple[Path, Path]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, path.relative_to(folder)


def _templates() -> Path:
    """
    In the wheel they lie beside this module, in a checkout among the guests.
    """
    package = Path(__file__).resolve().parent
    bundled = package / "_templates"
    return bundled if bundled.is_dir() else package.parents[1] / "guests" / "templates"
