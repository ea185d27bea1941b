"""
Read the documentation's pages: their files, their commands, and what those show.
"""

import re
from pathlib import Path
from typing import Literal

import attrs

__all__ = ["Block", "blocks", "page"]

TOP = Path(__file__).resolve().parents[2]
DOCS = TOP / "host" / "docs"
_BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SNIPPET = re.compile(r'^--8<-- "(.+)"\n', re.MULTILINE)


@attrs.frozen
class Block:
    """
    A block of code: a file if it has a *title*; commands, or what a running pipeline shows.
    """

    language: Literal["console", "text"] | str
    title: str
    text: str

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """
        Each command with the lines that it is shown to print.
        """
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
        return found


def page(name: str) -> str:
    """
    A page's Markdown, with the repository's files that it shows.
    """
    text = (DOCS / name).read_text()
    return _SNIPPET.sub(lambda match: (TOP / match[1]).read_text(), text)


def blocks(name: str) -> list[Block]:
    """
    The blocks of a page that are not inside of a tab, in order.
    """
    return [Block(*match.groups(default="")) for match in _BLOCK.finditer(page(name))]
