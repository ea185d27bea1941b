"""
Say how telemetry differs from what was expected: per span, per attribute.

    span "GET /cart" (2 of 14), resource service.name=shop: attribute enduser.id: expected "ada",
    got "3f2c…"

What came is paired with what was expected first, so that one lost span is one difference, and not
one in each span after it.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

import attrs

from otelwasm.otlp.json import to_json
from otelwasm.signals import Signal
from otelwasm.testing.pairing import Pairs, pair
from otelwasm.testing.recognising import keys_of
from otelwasm.testing.wording import ATTRIBUTES, LISTS, any_value, count, label, unlike, value
from otelwasm_sdk.batch import Batch

__all__ = ["Difference", "differences", "tree_differences", "without"]

_MISSING = object()
# What a resource or a scope is told by already.
_SELF = ("resource", "scope")
_ANY_VALUES = ("body", "value")
# Of these, another id and another name make another one.
_IDENTIFIED = ("span", "link")


@attrs.frozen
class Difference:
    """
    What differs, and *where*: the span, the resource, …, from the inside.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def differences(
    expected: Batch[Any],
    actual: Batch[Any],
    *,
    ignore: Collection[str] = (),
    any_order: Collection[str] = (),
) -> list[str]:
    """
    Say how *actual* differs from what was *expected*, a line for each difference; none if they are
    the same.

    Members of OTLP/JSON and attributes named in *ignore* are not compared; lists named in
    *any_order*, as "attributes" or "spans", hold the same in any order.
    """
    trees = [
        without(json.loads(to_json(Signal(batch.signal), bytes(batch))), ignore)
        for batch in (expected, actual)
    ]
    return [str(each) for each in tree_differences(*trees, unordered=any_order)]


def tree_differences(
    expected: Any, actual: Any, *, unordered: Collection[str] = ()
) -> list[Difference]:
    """
    What differs between two trees of JSON, which may be OTLP's.
    """
    comparison = _Comparison(frozenset(unordered))
    comparison.values(expected, actual, _Place())
    return comparison.found


def without(tree: Any, ignored: Collection[str]) -> Any:
    """
    The tree less the members, and the attributes, whose names are *ignored*.
    """
    if isinstance(tree, dict):
        return {
            name: without(member, ignored) for name, member in tree.items() if name not in ignored
        }
    if isinstance(tree, list):
        return [without(each, ignored) for each in tree if not _is_pair(each, ignored)]
    return tree


def _is_pair(tree: Any, keys: Collection[str]) -> bool:
    return isinstance(tree, dict) and tree.keys() <= {"key", "value"} and tree.get("key") in keys


@attrs.frozen
class _Level:
    """
    One of what a comparison is in. What *is_quiet* goes without saying, unless it's the innermost.
    """

    label: str
    is_quiet: bool


@attrs.frozen
class _Place:
    """
    Where a comparison is: what it is in, from the outside, and the path within that.
    """

    around: tuple[_Level, ...] = ()
    path: str = ""

    def member(self, name: str) -> "_Place":
        return attrs.evolve(self, path=f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> "_Place":
        return attrs.evolve(self, path=f"{self.path}[{index}]")

    def within(self, level: _Level) -> "_Place":
        return _Place((*self.around, level))

    @property
    def where(self) -> str:
        *outer, inner = self.around or (_Level("", is_quiet=False),)
        told = [inner, *(each for each in reversed(outer) if not each.is_quiet)]
        return ", ".join(each.label for each in told)

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


class _Comparison:
    """
    Goes through two trees side by side and notes what differs.
    """

    def __init__(self, unordered: frozenset[str]) -> None:
        self.found: list[Difference] = []
        self._unordered = unordered

    def values(self, expected: Any, actual: Any, place: _Place) -> None:
        """
        Compare what stands at one place.
        """
        if self._text(expected, place.name) == self._text(actual, place.name):
            return
        name = place.name
        if expected is _MISSING or actual is _MISSING or type(expected) is not type(actual):
            self._note_values(expected, actual, place)
        elif name in ATTRIBUTES and isinstance(expected, list):
            self._attributes(expected, actual, place)
        elif name in LISTS and isinstance(expected, list):
            self._members(expected, actual, place)
        elif isinstance(expected, list) and not all(map(_is_scalar, (*expected, *actual))):
            self._items(expected, actual, place)
        elif isinstance(expected, dict) and not (place.around and name in _ANY_VALUES):
            for key in dict.fromkeys((*expected, *actual)):
                inner = place if key in _SELF and not place.path else place.member(key)
                # A list that is not there is one without members.
                nothing = [] if key in ATTRIBUTES or key in LISTS else _MISSING
                self.values(expected.get(key, nothing), actual.get(key, nothing), inner)
        else:
            self._note_values(expected, actual, place)

    def _members(self, expected: list[Any], actual: list[Any], place: _Place) -> None:
        """
        Compare lists of resources, scopes, spans, events, …
        """
        kind = LISTS[place.name]
        pairs = pair(
            expected,
            actual,
            keys=(self._text, *keys_of(kind)),
            is_likeness_enough=kind not in _IDENTIFIED,
        )
        is_alone = len(expected) == len(actual) == 1
        if not place.around and (path := place.path.rpartition(".")[0]):
            # OTLP within other JSON, as that of requests.
            place = attrs.evolve(place, around=(_Level(path, is_quiet=False),))

        def inside(members: Sequence[Any], index: int) -> _Place:
            name = label(kind, members[index])
            number = "" if len(members) == 1 else f" ({index + 1} of {len(members)})"
            is_quiet = is_alone and (kind == "scope" or name == kind)
            return place.within(_Level(f"{name}{number}", is_quiet))

        for index, came in pairs.both:
            self.values(expected[index], actual[came], inside(expected, index))
        self._note_moved(pairs, place, [inside(expected, index) for index in range(len(expected))])
        for index in pairs.missing:
            self._note(inside(expected, index), "missing" + self._held(kind, expected[index]))
        for came in pairs.extra:
            self._note(inside(actual, came), "not expected" + self._held(kind, actual[came]))

    def _items(self, expected: list[Any], actual: list[Any], place: _Place) -> None:
        """
        Compare other lists, by place but for what is in both.
        """
        pairs = pair(expected, actual, keys=(self._text,))
        changed = list(zip(pairs.missing, pairs.extra, strict=False))
        for index, came in sorted((*pairs.both, *changed)):
            self.values(expected[index], actual[came], place.item(index))
        self._note_moved(pairs, place, [place.item(index) for index in range(len(expected))])
        for index in pairs.missing[len(changed) :]:
            self.values(expected[index], _MISSING, place.item(index))
        for came in pairs.extra[len(changed) :]:
            self.values(_MISSING, actual[came], place.item(came))

    def _attributes(self, expected: list[Any], actual: list[Any], place: _Place) -> None:
        wanted, got = _by_key(expected), _by_key(actual)
        word = ATTRIBUTES[place.name]
        where = place.path.rpartition(".")[0]
        for key in dict.fromkeys((*wanted, *got)):
            one, other = wanted.get(key, _MISSING), got.get(key, _MISSING)
            if one is _MISSING or other is _MISSING or self._text(one) != self._text(other):
                shown = [each if each is _MISSING else any_value(each) for each in (one, other)]
                name = f"{word} {key}" if where in ("", *_SELF) else f"{where}: {word} {key}"
                self._note(place, f"{name}: {_worded(*shown)}")
        both = [key for key in wanted if key in got]
        came = [key for key in got if key in wanted]
        if both != came and place.name not in self._unordered:
            text = f"expected {', '.join(both)}, got {', '.join(came)}"
            allowed = f'any_order = ["{place.name}"] allows that'
            self._note(place, f"{word}s in another order: {text} ({allowed})")

    def _note_moved(self, pairs: Pairs, place: _Place, places: list[_Place]) -> None:
        if place.name in self._unordered:
            return
        for index, came in pairs.moved():
            inside = places[index]
            text = f"out of order: expected as number {index + 1}, got as number {came + 1}"
            self._note(inside, f"{inside.path}: {text}" if inside.path else text)

    def _note_values(self, expected: Any, actual: Any, place: _Place) -> None:
        def shown(tree: Any) -> Any:
            if tree is _MISSING:
                return tree
            if place.around and place.name in _ANY_VALUES:
                return any_value(tree)
            if isinstance(tree, list) and place.name in LISTS:
                return count({place.name: tree})
            return value(place.name, tree)

        text = _worded(shown(expected), shown(actual))
        self._note(place, f"{place.path}: {text}" if place.path else text)

    def _note(self, place: _Place, what: str) -> None:
        self.found.append(Difference(place.where, what))

    def _held(self, kind: str, member: Any) -> str:
        return f", with {count(member)}" if kind in _SELF else ""

    def _text(self, tree: Any, name: str = "") -> str:
        """
        The same text for what is the same: lists in any order where that is allowed.
        """
        return "" if tree is _MISSING else json.dumps(self._ordered(tree, name), sort_keys=True)

    def _ordered(self, tree: Any, name: str = "") -> Any:
        if isinstance(tree, dict):
            return {key: self._ordered(member, key) for key, member in tree.items()}
        if isinstance(tree, list):
            members = [self._ordered(each) for each in tree]
            is_free = name in self._unordered
            return (
                sorted(members, key=lambda each: json.dumps(each, sort_keys=True))
                if is_free
                else members
            )
        return tree


def _worded(expected: Any, actual: Any) -> str:
    if expected is _MISSING:
        return f"not expected, got {unlike(actual, '')[0]}"
    if actual is _MISSING:
        return f"missing, expected {unlike(expected, '')[0]}"
    one, other = unlike(expected, actual)
    return f"expected {one}, got {other}"


def _is_scalar(tree: Any) -> bool:
    return not isinstance(tree, dict | list)


def _by_key(attributes: list[Any]) -> dict[str, Any]:
    """
    Attributes by their keys, each of several with the same key by its number, too.
    """
    found: dict[str, Any] = {}
    for each in attributes:
        key = name = str(each.get("key", ""))
        number = 1
        while name in found:
            number += 1
            name = f"{key} (number {number})"
        found[name] = each.get("value", {})
    return found
