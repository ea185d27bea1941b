"""
Find the example plugins: guests/<case>/ is a case, and <language>/ in it a plugin to hold to it.
"""

from pathlib import Path

import attrs

from otelwasm.testing import Case, read_case

__all__ = ["GUESTS", "LANGUAGES", "Example", "read_examples"]

GUESTS = Path(__file__).resolve().parents[2] / "guests"
LANGUAGES = ("python", "rust", "go", "javascript")
# What else is in there.
_OTHERS = ("sdk", "templates")


@attrs.frozen
class Example:
    """
    One example plugin's task, whatever language it is written in.
    """

    case: Case

    @property
    def name(self) -> str:
        """
        What it is called.
        """
        return self.case.name

    @property
    def languages(self) -> tuple[str, ...]:
        """
        Those in which there is a plugin for it.
        """
        return tuple(each for each in LANGUAGES if (self.case.folder / each).is_dir())

    def source(self, language: str) -> Path:
        """
        The folder with the plugin in *language*.
        """
        return self.case.folder / language


def read_examples() -> list[Example]:
    """
    Read them all.
    """
    folders = [
        each for each in sorted(GUESTS.iterdir()) if each.is_dir() and each.name not in _OTHERS
    ]
    return [Example(read_case(folder)) for folder in folders]
