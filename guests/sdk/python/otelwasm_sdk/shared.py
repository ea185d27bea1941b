"""
Attributes that profiles share: a table of strings, a table of attributes, indices into both.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

__all__ = ["SharedPair", "SharedPairs", "inline_strings", "sweep"]


class SharedPair(NamedTuple):
    """
    One attribute of the table, as if it stood where it is referred to.
    """

    key: str
    value: Any


class SharedPairs:
    """
    The attributes that one list of indices refers to, as if it were a list of them.

    An attribute that is asked for by its place is about to be changed: it is copied before, so
    that those who share it keep theirs.
    """

    __slots__ = ("_dictionary", "_indices")

    def __init__(self, indices: Any, dictionary: Any) -> None:
        self._indices = indices
        self._dictionary = dictionary

    def __iter__(self) -> Iterator[SharedPair]:
        table, strings = self._dictionary.attribute_table, self._dictionary.string_table
        for index in self._indices:
            entry = table[index]
            yield SharedPair(strings[entry.key_strindex], entry.value)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: int) -> SharedPair:
        table = self._dictionary.attribute_table
        own = table.add()
        own.CopyFrom(table[self._indices[place]])
        self._indices[place] = len(table) - 1
        return SharedPair(self._dictionary.string_table[own.key_strindex], own.value)

    def __delitem__(self, place: int) -> None:
        del self._indices[place]

    def add(self, *, key: str) -> SharedPair:
        """
        Refer to a new attribute of the table.
        """
        table, strings = self._dictionary.attribute_table, self._dictionary.string_table
        places = [place for place, text in enumerate(strings) if text == key]
        if not places:
            # By convention the first entry of each table is empty and means "none".
            for first in (strings, table):
                if not first:
                    first.append("") if first is strings else first.add()
            strings.append(key)
            places = [len(strings) - 1]
        own = table.add(key_strindex=places[0])
        self._indices.append(len(table) - 1)
        return SharedPair(key, own.value)


def inline_strings(message: Any) -> None:
    """
    Put strings in where *message* refers to the table of strings from keys and values.
    """
    strings = message.dictionary.string_table
    for group in message.resource_profiles:
        _inline_pairs(group.resource.attributes, strings)
        for scope_group in group.scope_profiles:
            _inline_pairs(scope_group.scope.attributes, strings)
    for entry in message.dictionary.attribute_table:
        _inline_value(entry.value, strings)


def _inline_pairs(pairs: Any, strings: Any) -> None:
    for pair in pairs:
        if pair.key_strindex and not pair.key:
            pair.key = strings[pair.key_strindex]
            pair.key_strindex = 0
        _inline_value(pair.value, strings)


def _inline_value(value: Any, strings: Any) -> None:
    kind = value.WhichOneof("value")
    if kind == "string_value_strindex":
        value.string_value = strings[value.string_value_strindex]
    elif kind == "array_value":
        for member in value.array_value.values:
            _inline_value(member, strings)
    elif kind == "kvlist_value":
        _inline_pairs(value.kvlist_value.values, strings)


def sweep(message: Any, index_lists: Iterable[Any]) -> None:
    """
    Empty the attributes and strings that nothing refers to any more.

    They may hold what was to be removed; removing them would shift all the others.
    """
    dictionary = message.dictionary
    used = {index for indices in index_lists for index in indices}
    for index, entry in enumerate(dictionary.attribute_table):
        if index not in used:
            entry.ClearField("value")
            entry.ClearField("key_strindex")
    strings = dictionary.string_table
    used_strings = set(_string_indices(message))
    for index in range(len(strings)):
        if index not in used_strings:
            strings[index] = ""


def _string_indices(message: Any) -> Iterator[int]:
    """
    Find every reference to the table of strings, by the names of the fields that hold one.
    """
    for field, value in message.ListFields():
        if field.name.endswith("strindex"):
            yield value
        # Samples, by far the most messages, refer to other tables only.
        elif field.message_type is not None and field.name != "samples":
            for member in value if field.is_repeated else (value,):
                yield from _string_indices(member)
