"""
Pair what was expected in a list with what came, however much was lost, added or moved.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

__all__ = ["Pairs", "pair"]

# How much of two items has to be the same for one to be the other, changed.
_ALIKE = 0.3
# More comparisons than this take seconds.
_MOST_COMPARED = 20_000

Key = Callable[[Any], object]


@attrs.frozen
class Pairs:
    """
    Places in both lists: those that belong together, in the order that was expected, and the rest.
    """

    both: tuple[tuple[int, int], ...]
    missing: tuple[int, ...]
    extra: tuple[int, ...]

    def moved(self) -> list[tuple[int, int]]:
        """
        As few pairs as possible without which the others are in order.
        """
        kept = _increasing([came for _, came in self.both])
        return [each for place, each in enumerate(self.both) if place not in kept]


def pair(
    expected: Sequence[Any],
    came: Sequence[Any],
    *,
    keys: Sequence[Key],
    is_likeness_enough: bool = False,
) -> Pairs:
    """
    Pair members of both lists that have the same key, by the first of the *keys* first (a key that
    is None says nothing); of the rest, those that are most alike if that *is_likeness_enough*.
    """
    both: dict[int, int] = {}
    left, right = list(range(len(expected))), list(range(len(came)))

    def settle(found: Iterator[tuple[int, int]]) -> None:
        both.update(found)
        taken = set(both.values())
        left[:] = [place for place in left if place not in both]
        right[:] = [place for place in right if place not in taken]

    for key in keys:
        if left and right:
            settle(_same(expected, came, left, right, key=key))
    if is_likeness_enough and 0 < len(left) * len(right) <= _MOST_COMPARED:
        settle(_alike(expected, came, left, right))
    return Pairs(tuple(sorted(both.items())), tuple(left), tuple(right))


def _same(
    expected: Sequence[Any], came: Sequence[Any], left: list[int], right: list[int], *, key: Key
) -> Iterator[tuple[int, int]]:
    waiting = defaultdict(list)
    for place in reversed(right):
        waiting[key(came[place])].append(place)
    for place in left:
        wanted = key(expected[place])
        if wanted is not None and waiting.get(wanted):
            yield place, waiting[wanted].pop()


def _alike(
    expected: Sequence[Any], came: Sequence[Any], left: list[int], right: list[int]
) -> Iterator[tuple[int, int]]:
    leaves = [(place, set(_leaves(came[place]))) for place in right]
    ranked = []
    for place in left:
        wanted = set(_leaves(expected[place]))
        for other, found in leaves:
            every = len(wanted | found)
            share = len(wanted & found) / every if every else 1.0
            if share >= _ALIKE:
                ranked.append((-share, place, other))
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, place, other in sorted(ranked):
        if place not in taken[0] and other not in taken[1]:
            taken[0].add(place)
            taken[1].add(other)
            yield place, other


def _leaves(tree: Any, path: str = "") -> Iterator[str]:
    if isinstance(tree, dict):
        for name, member in tree.items():
            yield from _leaves(member, f"{path}.{name}")
    elif isinstance(tree, list):
        for member in tree:
            yield from _leaves(member, f"{path}[]")
    else:
        yield from (f"{path}={word}" for word in str(tree).split(" "))


def _increasing(numbers: Sequence[int]) -> set[int]:
    """
    The places of as many *numbers* as can be kept so that they go up.
    """
    ends: list[int] = []
    places: list[int] = []
    before: dict[int, int | None] = {}
    for place, number in enumerate(numbers):
        at = bisect_left(ends, number)
        before[place] = places[at - 1] if at else None
        ends[at : at + 1] = [number]
        places[at : at + 1] = [place]
    kept = set()
    last: int | None = places[-1] if places else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return kept
