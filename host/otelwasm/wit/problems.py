"""
Hold what keeps a component from fitting a world, one by one, each with the lines that differ.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Literal

import attrs

from otelwasm.wit.compare import Difference
from otelwasm.wit.text import Speller
from otelwasm.wit.types import Function, NamedType

__all__ = ["Kind", "Problem", "diff_lines", "mismatch"]

# missing: the world asks for an export, or a part of one, that is not there; extra: an import, or
# a part of one, that nobody offers; mismatch: there, but of another type; version: for another
# version of the package; world: for another place, or none at all.
Kind = Literal["missing", "extra", "mismatch", "version", "world"]

_CONTEXT = 2
_WORD = re.compile(r"[\w-]+|\W")


@attrs.frozen
class Problem:
    """
    One thing that is wrong: in words, with the import or export it is about, if it is about one.

    *diff* shows it: `-` lines are the contract's, `+` lines the component's, with carets below
    what differs.
    """

    kind: Kind
    name: str
    text: str
    diff: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.text, *(f"    {line}" for line in self.diff)])


def mismatch(name: str, where: str, difference: Difference) -> Problem:
    """
    The problem that *difference* makes at *where*, in the import or export *name*.
    """
    return Problem(
        "mismatch",
        name,
        f"{where}: {difference.text}",
        tuple(diff_lines(_lines(difference.wanted), _lines(difference.found))),
    )


def diff_lines(wanted: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    """
    Where two texts differ, with two lines of what is around it.
    """
    matcher = SequenceMatcher(None, wanted, found, autojunk=False)
    for place, group in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if place:
            yield "  …"
        for change, a, b, c, d in group:
            if change == "equal":
                yield from (f"  {line}" for line in wanted[a:b])
            elif b - a == d - c:
                for old, new in zip(wanted[a:b], found[c:d], strict=True):
                    yield from _changed(old, new)
            else:
                yield from (f"- {line}" for line in wanted[a:b])
                yield from (f"+ {line}" for line in found[c:d])


def _changed(old: str, new: str) -> Iterator[str]:
    """
    One line in place of another, with carets below the words that are new.

    What is only missing is pointed at where it would be.
    """
    yield f"- {old}"
    yield f"+ {new}"
    words = _WORD.findall(new)
    starts = [0, *accumulate(map(len, words))]
    marks = [" "] * (len(new) + 1)
    matcher = SequenceMatcher(None, _WORD.findall(old), words, autojunk=False)
    for change, _, _, first, end in matcher.get_opcodes():
        if change != "equal":
            for place in range(starts[first], max(starts[end], starts[first] + 1)):
                marks[place] = "^"
    yield f"  {''.join(marks).rstrip()}"


def _lines(item: Function | NamedType) -> list[str]:
    speller = Speller()
    return [speller.function(item)] if isinstance(item, Function) else speller.definition(item)
