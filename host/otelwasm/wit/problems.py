"""
Hold what keeps a component from fitting a world, one by one, each with the lines that differ.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

import attrs

from otelwasm.wit.compare import Difference
from otelwasm.wit.text import Speller
from otelwasm.wit.types import Function, NamedType

__all__ = ["Kind", "Problem", "diff_lines", "mismatch", "with_article"]

# missing: the world asks for an export, or a part of one, that is not there; extra: an import, or
# a part of one, that nobody offers; mismatch: there, but of another type; version: for another
# version of the package; world: for another place, or none at all.
Kind = Literal["missing", "extra", "mismatch", "version", "world"]

_CONTEXT = 2


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
    One line in place of another, with carets below the part that is new.
    """
    yield f"- {old}"
    yield f"+ {new}"
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    carets = [" "] * (len(new) + 1)
    for change, _, _, start, end in blocks:
        if change != "equal":
            carets[start : max(end, start + 1)] = "^" * max(end - start, 1)
    yield f"  {''.join(carets).rstrip()}"


def with_article(name: str) -> str:
    """
    `a processor`, `an exporter`.
    """
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _lines(item: Function | NamedType) -> list[str]:
    speller = Speller()
    return [speller.function(item)] if isinstance(item, Function) else speller.definition(item)
