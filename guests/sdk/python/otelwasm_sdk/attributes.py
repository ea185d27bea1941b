"""
Read and change the attributes of a span, a log record, a resource… like a dict.
"""

from collections.abc import ItemsView, Iterator, MutableMapping, ValuesView
from typing import Any

from otelwasm_sdk.edits import Edits
from otelwasm_sdk.values import read_value, write_value

__all__ = ["Attributes"]


class Attributes(MutableMapping[str, Any]):
    """
    One set of attributes, as a view: changes go into the batch at once.

    Values are plain Python values. Lists and dicts are copies: assign them again after a change.
    OTLP says that keys are unique; where a sender repeats one anyway, reading gives the first
    value, and setting or deleting leaves no other behind.
    """

    __slots__ = ("_edits", "_pairs")

    def __init__(self, pairs: Any, edits: Edits) -> None:
        self._pairs = pairs
        self._edits = edits

    def __getitem__(self, key: str) -> Any:
        for pair in self._pairs:
            if pair.key == key:
                return read_value(pair.value)
        raise KeyError(key)

    def __setitem__(self, key: str, value: object) -> None:
        pairs = self._pairs
        places = [place for place, pair in enumerate(pairs) if pair.key == key]
        self._edits.is_changed = True
        if places:
            write_value(pairs[places[0]].value, value)
            for place in reversed(places[1:]):
                del pairs[place]
        else:
            self.append(key, value)

    def __delitem__(self, key: str) -> None:
        pairs = self._pairs
        places = [place for place, pair in enumerate(pairs) if pair.key == key]
        if not places:
            raise KeyError(key)
        self._edits.is_changed = True
        for place in reversed(places):
            del pairs[place]

    def __contains__(self, key: object) -> bool:
        return any(pair.key == key for pair in self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._snapshot())

    def __len__(self) -> int:
        return len({pair.key for pair in self._pairs})

    def __repr__(self) -> str:
        return f"Attributes({self._snapshot()!r})"

    def get(self, key: str, default: Any = None) -> Any:
        """
        Return the value of *key*, or *default*.
        """
        for pair in self._pairs:
            if pair.key == key:
                return read_value(pair.value)
        return default

    def items(self) -> ItemsView[str, Any]:
        """
        Return all keys and values as they are now: changing them while going through is safe.
        """
        return self._snapshot().items()

    def values(self) -> ValuesView[Any]:
        """
        Return all values as they are now.
        """
        return self._snapshot().values()

    def append(self, key: str, value: object) -> None:
        """
        Add an attribute that is known not to be there yet, without looking for it.
        """
        self._edits.is_changed = True
        pair = self._pairs.add(key=key)
        try:
            write_value(pair.value, value)
        except BaseException:
            del self._pairs[-1]
            raise

    def _snapshot(self) -> dict[str, Any]:
        snapshot: dict[str, Any] = {}
        for pair in self._pairs:
            if pair.key not in snapshot:
                snapshot[pair.key] = read_value(pair.value)
        return snapshot
