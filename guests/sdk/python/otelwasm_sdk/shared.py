"""
Attributes that profiles share: a table of strings, a table of attributes, indices into both.

They read as if each message had its own. A change makes a new entry of the table, for those alone
whom it concerns; entries and strings that nobody refers to any more are emptied in the end, as
they may hold what was to be removed. (Removing them would shift all the others.)
"""

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from otelwasm_sdk.signals import Signal
from otelwasm_sdk.values import hashed
from otelwasm_sdk.views import Profile
from otelwasm_sdk.wire import native

__all__ = ["SharedAttributes", "SharingBatch"]

_LEVELS = ("profiles", "samples", "mappings", "locations")
_KEY = "attributes."

Indices = list[int]


class SharedAttributes(MutableMapping[str, Any]):
    """
    The attributes that one message refers to, like a dict.
    """

    __slots__ = ("_view",)

    def __init__(self, view: Any) -> None:
        self._view = view

    def __getitem__(self, key: str) -> Any:
        for name, value in self._pairs():
            if name == key:
                return value
        raise KeyError(key)

    def __setitem__(self, key: str, value: object) -> None:
        batch = self._view.batch
        batch.rewrite([self._view], batch.setting(key, value))

    def __delitem__(self, key: str) -> None:
        batch = self._view.batch
        if not batch.rewrite([self._view], batch.deleting((key,))):
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter({name: None for name, _ in self._pairs()})

    def __len__(self) -> int:
        return len({name for name, _ in self._pairs()})

    def __eq__(self, other: object) -> bool:
        return dict(self) == other

    def __repr__(self) -> str:
        return repr(dict(self))

    def _pairs(self) -> list[tuple[str, Any]]:
        batch = self._view.batch
        return [batch.entry(index) for index in self._view.attribute_indices]


class SharingBatch(native.Batch):
    """
    A batch of profiles. It does what the extension's batch does, for shared attributes, too.
    """

    def __init__(self, payload: bytes, signal: Signal) -> None:
        native.check(payload, signal)
        self.inline_strings()
        self._has_loose_ends = False
        dictionary = self.root.dictionary
        self._strings: list[str] = dictionary.string_table
        self._entries = [
            (self._string(entry.key_strindex), entry.value) for entry in dictionary.attribute_table
        ]

    def __bytes__(self) -> bytes:
        payload: bytes = super().__bytes__()
        if not self.is_changed:
            return payload
        if not len(native.Batch(payload, Signal.PROFILES).root.resource_profiles):
            return b""
        if self._has_loose_ends:
            self._sweep(payload)
            payload = super().__bytes__()
        return payload

    def each(self, on: str = "items", having: str | None = None) -> Any:
        """
        All messages of a kind, or those with an attribute.
        """
        sharing = self._sharing(on)
        if not sharing:
            return super().each(on, having)
        views = [*super().each(on), *sharing] if on == "everywhere" else sharing
        return views if having is None else [v for v in views if having in v.attributes]

    def values(self, name: str, on: str = "items") -> list[Any]:
        """
        The field or attribute of that name of each.
        """
        if name.startswith(_KEY) and (sharing := self._sharing(on)):
            return [view.attributes.get(name.removeprefix(_KEY)) for view in sharing]
        values: list[Any] = super().values(name, on)
        return values

    def set_attribute(
        self, key: str, value: object, mode: str = "upsert", on: str = "items"
    ) -> int:
        """
        Set it on each.
        """
        changed = self._own(on, super().set_attribute, key, value, mode)
        return changed + self._rewrite(on, self.setting(key, value, mode))

    def delete_attribute(self, keys: tuple[str, ...], on: str = "items") -> int:
        """
        Delete them; how many there were.
        """
        changed = self._own(on, super().delete_attribute, keys)
        return changed + self._rewrite(on, self.deleting(keys))

    def rename_attribute(self, old: str, new: str, on: str = "items") -> int:
        """
        Rename it, in place of any of the new name.
        """

        def change(indices: Indices) -> tuple[Indices, int]:
            both = [index for index in indices if self.entry(index)[0] in (old, new)]
            first = next((index for index in both if self.entry(index)[0] == old), None)
            if first is None:
                return indices, 0
            return self._put(indices, both, renamed(self.entry(first)[1])), 1

        renamed = self._adding(new)
        return self._own(on, super().rename_attribute, old, new) + self._rewrite(on, change)

    def hash_attribute(
        self,
        keys: tuple[str, ...],
        salt: bytes,
        encode: Callable[[object], bytes],
        on: str = "items",
    ) -> int:
        """
        Put the hash of salt and value in the value's place.
        """
        changed = self._own(on, super().hash_attribute, keys, salt, encode)
        return changed + self._map(on, keys, lambda value: hashed(value, salt=salt.decode()))

    def map_attribute(
        self, keys: tuple[str, ...], function: Callable[[Any], object], on: str = "items"
    ) -> int:
        """
        Put what the function makes of each value.
        """
        changed = self._own(on, super().map_attribute, keys, function)
        return changed + self._map(on, keys, function)

    def drop(self, conditions: dict[str, object], on: str = "items") -> int:
        """
        Leave out what meets all conditions; how many.
        """
        return super().drop(self._on_indices(conditions, on), on)

    def keep(self, conditions: dict[str, object], on: str = "items") -> int:
        """
        Leave out what does not meet all conditions; how many.
        """
        return super().keep(self._on_indices(conditions, on), on)

    def entry(self, index: int) -> tuple[str, Any]:
        """
        A key and a value of the table.
        """
        return self._entries[index] if 0 <= index < len(self._entries) else ("", None)

    def setting(
        self, key: str, value: object, mode: str = "upsert"
    ) -> Callable[[Indices], tuple[Indices, int]]:
        """
        What sets an attribute in a list of indices.
        """
        add = self._adding(key)

        def change(indices: Indices) -> tuple[Indices, int]:
            places = [index for index in indices if self.entry(index)[0] == key]
            if mode == ("insert" if places else "update"):
                return indices, 0
            return self._put(indices, places, add(value)), 1

        return change

    def deleting(self, keys: tuple[str, ...]) -> Callable[[Indices], tuple[Indices, int]]:
        """
        What deletes attributes from a list of indices.
        """

        def change(indices: Indices) -> tuple[Indices, int]:
            kept = [index for index in indices if self.entry(index)[0] not in keys]
            return kept, len(indices) - len(kept)

        return change

    def rewrite(self, views: Any, change: Callable[[Indices], tuple[Indices, int]]) -> int:
        """
        Change lists of indices; how many attributes that concerned.
        """
        total = 0
        for view in views:
            indices, count = change(view.attribute_indices)
            if count:
                view.attribute_indices = indices
                self._has_loose_ends = True
                total += count
        return total

    def _rewrite(self, on: str, change: Callable[[Indices], tuple[Indices, int]]) -> int:
        return self.rewrite(self._sharing(on), change)

    def _map(self, on: str, keys: tuple[str, ...], function: Callable[[Any], object]) -> int:
        made: dict[int, int] = {}

        def mapped(index: int) -> int:
            key, value = self.entry(index)
            if key in keys and index not in made:
                made[index] = self._adding(key)(function(value))
            return made.get(index, index)

        def change(indices: Indices) -> tuple[Indices, int]:
            new = [mapped(index) for index in indices]
            return new, sum(self.entry(index)[0] in keys for index in indices)

        return self._rewrite(on, change)

    def _on_indices(self, conditions: dict[str, object], on: str) -> dict[str, object]:
        """
        The conditions, with one on the list of indices for those on attributes.
        """
        if on != "items" and on not in _LEVELS:
            return conditions
        own = {name: wanted for name, wanted in conditions.items() if not name.startswith(_KEY)}
        shared = {
            name.removeprefix(_KEY): wanted
            for name, wanted in conditions.items()
            if name.startswith(_KEY)
        }

        def are_met(indices: Indices) -> bool:
            values = dict(reversed([self.entry(index) for index in indices]))
            return all(
                key in values and native.meets(values[key], wanted)
                for key, wanted in shared.items()
            )

        return own | {"attribute_indices": are_met} if shared else own

    def _own(self, on: str, operation: Callable[..., int], *arguments: object) -> int:
        """
        The operation on what has attributes of its own.
        """
        return 0 if on == "items" or on in _LEVELS else operation(*arguments, on=on)

    def _sharing(self, on: str) -> list[Any]:
        levels = _LEVELS if on == "everywhere" else ("profiles" if on == "items" else on,)
        return [
            view for level in levels if level in _LEVELS for view in native.Batch.each(self, level)
        ]

    def _put(self, indices: Indices, replaced: Indices, new: int) -> Indices:
        """
        The indices with *new* for the first of those to be replaced, or at the end.
        """
        kept = [index for index in indices if index not in replaced]
        place = indices.index(replaced[0]) if replaced else len(kept)
        return [*kept[:place], new, *kept[place:]]

    def _adding(self, key: str) -> Callable[[object], int]:
        """
        What adds an attribute of that key to the table and gives its index; the same value twice
        in a row is one entry.
        """
        last: list[tuple[object, int]] = []

        def add(value: object) -> int:
            if not last or last[0][0] is not value:
                last[:] = [(value, self._add(key, value))]
            return last[0][1]

        return add

    def _add(self, key: str, value: object) -> int:
        dictionary = self.root.dictionary
        # By convention the first entry of each table is empty and means "none".
        if not self._entries:
            dictionary.attribute_table.append({})
            self._entries.append(("", None))
        if key not in self._strings:
            self._strings += [key] if self._strings else ["", key]
            dictionary.string_table = self._strings
        dictionary.attribute_table.append(
            {"key_strindex": self._strings.index(key), "value": value}
        )
        self._entries.append((key, value))
        return len(self._entries) - 1

    def _string(self, index: int) -> str:
        return self._strings[index] if 0 <= index < len(self._strings) else ""

    def _sweep(self, payload: bytes) -> None:
        used = {i for view in self._sharing("everywhere") for i in view.attribute_indices}
        dictionary = self.root.dictionary
        for index, entry in enumerate(dictionary.attribute_table):
            if index not in used and self.entry(index) != ("", None):
                del entry.value
                entry.key_strindex = 0
                self._entries[index] = ("", None)
        request = ExportProfilesServiceRequest.FromString(super().__bytes__())
        used_strings = set(_string_indices(request))
        for index in range(len(self._strings)):
            if index not in used_strings:
                self._strings[index] = ""
        dictionary.string_table = self._strings
        self._has_loose_ends = False


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


class _Sharing:
    """
    What has indices into the table of attributes.
    """

    __slots__ = ()

    @property
    def attributes(self) -> MutableMapping[str, Any]:
        """
        The attributes, like a dict; a change does not touch others that refer to the same.
        """
        return SharedAttributes(self)

    @attributes.setter
    def attributes(self, attributes: MutableMapping[str, Any]) -> None:
        new = dict(attributes)
        self.attributes.clear()
        self.attributes.update(new)


class _Profile(_Sharing, Profile):
    __slots__ = ()


native.extend_view("Profile", _Profile)
for _name in ("Sample", "Mapping", "Location"):
    native.extend_view(_name, _Sharing)
