"""
The attributes of one protobuf message, like a dict.
"""

from collections.abc import ItemsView, Iterator, MutableMapping, ValuesView
from typing import Any

from otelwasm_sdk.values import read_value, write_value

__all__ = ["Attributes"]


class Attributes(MutableMapping[str, Any]):
    """
    A view of a message's attributes: changes go into the message at once.

    Values are plain Python values. Lists and dicts are copies: assign them again after a change.
    OTLP says that keys are unique; where a sender repeats one anyway, reading gives the first
    value, and setting or deleting leaves no other behind.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Any) -> None:
        self._pairs = pairs

    def __getitem__(self, key: str) -> Any:
        for pair in self._pairs:
            if pair.key == key:
                return read_value(pair.value)
        raise KeyError(key)

    def __setitem__(self, key: str, value: object) -> None:
        places = self._places(key)
        if places:
            write_value(self._pairs[places[0]].value, value)
            self._delete(places[1:])
            return
        pair = self._pairs.add(key=key)
        try:
            write_value(pair.value, value)
        except BaseException:
            del self._pairs[-1]
            raise

    def __delitem__(self, key: str) -> None:
        places = self._places(key)
        if not places:
            raise KeyError(key)
        self._delete(places)

    def __contains__(self, key: object) -> bool:
        return any(pair.key == key for pair in self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._snapshot())

    def __len__(self) -> int:
        return len({pair.key for pair in self._pairs})

    def __repr__(self) -> str:
        return repr(self._snapshot())

    def items(self) -> ItemsView[str, Any]:
        """
        All keys and values as they are now: changing them while going through is safe.
        """
        return self._snapshot().items()

    def values(self) -> ValuesView[Any]:
        """
        All values as they are now.
        """
        return self._snapshot().values()

    def _places(self, key: str) -> list[int]:
        return [place for place, pair in enumerate(self._pairs) if pair.key == key]

    def _delete(self, places: list[int]) -> None:
        for place in reversed(places):
            del self._pairs[place]

    def _snapshot(self) -> dict[str, Any]:
        snapshot: dict[str, Any] = {}
        for pair in self._pairs:
            if pair.key not in snapshot:
                snapshot[pair.key] = read_value(pair.value)
        return snapshot
