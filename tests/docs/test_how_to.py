"""
What the how-to pages show can be run: configurations pass their check, with the plugins they name.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import DOCS, TOP, blocks

PAGES = sorted(path.stem for path in (DOCS / "howto").glob("*.md"))


@pytest.mark.parametrize("name", PAGES)
def test_configurations_pass_their_check(name: str, tmp_path: Path) -> None:
    """
    `otelwasm check` finds nothing wrong with a page's configurations.
    """
    (tmp_path / "guests").symlink_to(TOP / "guests")
    files = [block for block in blocks(f"howto/{name}.md") if block.title]
    for file in files:
        (tmp_path / file.title).write_text(file.text)
    configurations = [file.title for file in files if file.title.endswith(".yaml")]

    assert configurations
    for configuration in configurations:
        done = subprocess.run(
            [sys.executable, "-m", "otelwasm", "check", configuration],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
