"""
Whoever follows a tutorial word by word sees what it says.
"""

from pathlib import Path

import pytest

from docs.pages import blocks
from docs.terminals import Reader


@pytest.mark.parametrize("name", ["processor", "receiver", "exporter"])
def test_a_tutorial_does_what_it_says(name: str, tmp_path: Path) -> None:
    """
    Each file and command in order; commands print, and the running pipeline shows, what is there.
    """
    reader = Reader(tmp_path)
    try:
        for block in blocks(f"tutorials/{name}.md"):
            if block.title:
                reader.save(block.title, block.text)
            elif block.language == "console":
                for command, shown in block.commands:
                    printed = reader.type(command)
                    assert [] == [line for line in shown if line not in printed], printed
            elif block.language == "text":
                for line in block.text.splitlines():
                    reader.wait_for(line.strip())
        reader.stop()
    finally:
        reader.kill()
