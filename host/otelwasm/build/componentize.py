"""
Have componentize-py make a component of Python modules, with all that each of them carries.

componentize-py starts the plugin's Python once, imports everything, and keeps the image of its
memory.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from otelwasm.build.ingredients import CARRIED, TOOL, Ingredients, package_folder, python_files
from otelwasm.contract import contract_dir
from otelwasm.errors import BuildError

__all__ = ["FailedError", "componentize"]

_ENTRY = "otelwasm_entry"
_LONGEST_S = 900


class FailedError(Exception):
    """
    There is no component; *said* is all that the tool wrote.
    """

    tool = TOOL

    def __init__(self, said: str, *, status: int) -> None:
        # The traces of componentize-py's own stack say nothing to the author of a plugin.
        told = said.split("\nStack backtrace:")[0].strip()[-4000:]
        super().__init__(f"(exit status {status}):\n{told}")
        self.said = said


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
        for carried in (name for names in CARRIED.values() for name in names):
            folder = package_folder(carried)
            for path in python_files(folder):
                _copy(path, site.joinpath(*carried.split("."), path.relative_to(folder)))
        for path in python_files(package_folder("otelwasm_sdk")):
            _copy(path, site / "otelwasm_sdk" / path.relative_to(package_folder("otelwasm_sdk")))
        shutil.copytree(ingredients.native, site, dirs_exist_ok=True)
        done = _done(
            [
                *(sys.executable, "-P", "-c", "from componentize_py import script; script()"),
                *("--quiet", "--wit-path", str(contract_dir()), "--world", world),
                *("componentize", _ENTRY, "--output", str(built)),
                *("--python-path", str(app), "--python-path", str(site)),
            ],
            # componentize-py adds the site-packages of the environment that it runs in, whose
            # modules would end up in the component. In this one there are none.
            env=os.environ | {"VIRTUAL_ENV": str(work)},
        )
        if done.returncode != 0 or not built.is_file():
            raise FailedError(done.stdout + done.stderr, status=done.returncode)
        return built.read_bytes()


def _done(command: Sequence[str], *, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(
            f"{TOOL} did not end within {_LONGEST_S // 60} minutes; it imports the plugin's files,"
            " which may wait or loop there"
        ) from None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
