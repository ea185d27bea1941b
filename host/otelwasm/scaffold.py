"""
Make the folder of a new plugin: its source, cases that it passes, a pipeline that runs.

    templates/<kind>/shared/      the cases and the pipeline, the same in all languages
    templates/<kind>/<language>/  the plugin and its tests
    templates/any/<language>/     what is the same for all kinds

Templates are plugins as they stand, called `my-plugin`; the new one's name takes that place. Rust's
and Go's own tools are told where this machine has the SDK.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from otelwasm.build.kept import LANGUAGE_FOLDERS
from otelwasm.build.sdks import SDK_LINK, link_sdk
from otelwasm.bundled import bundled
from otelwasm.errors import SetupError
from otelwasm.words import with_article
from otelwasm_sdk.definition import Kind

__all__ = ["KINDS", "LANGUAGES", "Language", "new_plugin", "steps"]

Language = Literal["python", "rust", "go"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LANGUAGES: tuple[Language, ...] = get_args(Language)

_NAME = "my-plugin"
_SHOWN = {"python": "Python", "rust": "Rust", "go": "Go"}
_OTLP = "http://127.0.0.1:4318/v1"
_JSON = "curl -H 'content-type: application/json' -d @cases/first"
_SEND: dict[Kind, str] = {
    "processor": f"{_JSON}/input-traces.json {_OTLP}/traces",
    "exporter": f"{_JSON}/input-logs.json {_OTLP}/logs",
    "receiver": "curl -d 'shop 1.2 is live' http://127.0.0.1:8088/deploys",
}
_TESTS: dict[Language, tuple[str, str]] = {
    "python": ("python -m pytest", "tests it as plain Python"),
    "rust": ("cargo test", "tests it natively"),
    "go": ("go test", "tests it natively"),
}
# For people who have only these files, as from version control.
_SDK_NOTE = """
{} find otelwasm's SDK, which is in no registry, by the link `{}`,
which `otelwasm build .` puts in place where it is not.
"""
_TOOLS: dict[Language, str] = {
    "rust": "Cargo and editors",
    "go": "Go's own tools (`go test`, `go mod tidy`) and editors",
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
    files = dict(_files(kind, name, language)) | {"README.md": _readme(kind, name, language)}
    try:
        _write(folder, files)
        if language in _TOOLS:
            link_sdk(language, folder)
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror or error}") from error
    return sorted(folder / file for file in files)


def steps(kind: Kind, name: str, language: Language) -> list[tuple[str, str]]:
    """
    The commands to go on with inside of the folder, each with what it does.
    """
    return [
        ("otelwasm test", "runs the cases in its sandbox"),
        _TESTS[language],
        ("otelwasm run --watch pipeline.yaml", "runs it, and again after each change"),
        (_SEND[kind], "sends it something, from another terminal"),
        (f"otelwasm build . -o {name}.wasm", "makes one file of it, for production"),
    ]


def _readme(kind: Kind, name: str, language: Language) -> str:
    what = with_article(kind).capitalize()
    lines = [
        f"# {name}",
        "",
        f"{what} for otelwasm's pipelines, in {_SHOWN[language]}. In this folder:",
        "",
        "```sh",
    ]
    for command, purpose in steps(kind, name, language):
        lines += [f"# {purpose}", command]
    note = _SDK_NOTE.format(_TOOLS[language], SDK_LINK) if language in _TOOLS else ""
    return "\n".join([*lines, "```", ""]) + note


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
    if name in LANGUAGE_FOLDERS:
        raise SetupError(f"{name!r} is a language's name; call the plugin by what it does")


def _files(kind: Kind, name: str, language: Language) -> Iterator[tuple[str, str]]:
    templates = bundled("_templates", checkout="guests/templates")
    for folder in (f"{kind}/shared", f"{kind}/{language}", f"any/{language}"):
        for path in sorted((templates / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                place = path.relative_to(templates / folder).as_posix()
                stands = _crate(name) if place == "Cargo.toml" else name
                yield place, path.read_text(encoding="utf-8").replace(_NAME, stands)


def _crate(name: str) -> str:
    """
    A crate's name that is no word of Rust's, and not that of a crate that the plugin uses.
    """
    name = name.lower()
    return name if name.endswith("-plugin") else f"{name}-plugin"


def _write(folder: Path, files: dict[str, str]) -> None:
    """
    Write all files or none: they come into *folder* when each is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    around = folder.resolve().parent
    with tempfile.TemporaryDirectory(prefix=".otelwasm-new-", dir=around) as temporary:
        for file, text in files.items():
            path = Path(temporary, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        for path in Path(temporary).iterdir():
            path.rename(folder / path.name)
