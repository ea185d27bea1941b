"""
The page about bindings for any world works as it is written.
"""

import hashlib
import re
import shlex
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

from otelwasm.cache import cache_dir, making, write_atomically

PAGE = (Path(__file__).resolve().parents[2] / "host" / "docs" / "bindgen.md").read_text()
FILES = dict(re.findall(r"^`([a-z.]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
CONSOLE = re.findall(r"^```console\n\$ (.+)\n((?:.+\n)*?)```$", PAGE, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A folder with the page's files.
    """
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(command: str, folder: Path) -> str:
    """
    What a command of the page prints.
    """
    program, *arguments = shlex.split(command)
    path = sys.executable if program == "python" else Path(sysconfig.get_path("scripts")) / program
    done = subprocess.run(
        [path, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
    )

    assert 0 == done.returncode, done.stderr
    return done.stdout


def build(command: str, folder: Path) -> None:
    """
    Run the command that makes the component, or take what it made before.
    """
    sources = [version("componentize-py"), command, FILES["shop.wit"], FILES["app.py"]]
    key = hashlib.sha256("\0".join(sources).encode()).hexdigest()[:32]
    kept = cache_dir("tests") / f"rule-{key}.wasm"
    with making(kept):
        if not kept.exists():
            run(command, folder)
            write_atomically(kept, (folder / "rule.wasm").read_bytes())
    (folder / "rule.wasm").write_bytes(kept.read_bytes())


def test_the_page_does_what_it_says(folder: Path) -> None:
    """
    Each command works, in order, and prints what the page shows.
    """
    assert ["app.py", "shop.py", "shop.wit"] == sorted(FILES)
    assert ["componentize-py", "otelwasm", "otelwasm", "python"] == [
        command.split()[0] for command, _ in CONSOLE
    ]
    for command, shown in CONSOLE:
        if command.startswith("componentize-py"):
            build(command, folder)
        else:
            printed = run(command, folder)
            assert not shown or shown == printed
