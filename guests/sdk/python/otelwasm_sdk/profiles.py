"""
Profiles: batches of profiles. Their attributes stand in one table, which all of them share.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from google.protobuf.message import Message
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from otelwasm_sdk.attributes import Attributes
from otelwasm_sdk.batch import Batch
from otelwasm_sdk.edits import Edits
from otelwasm_sdk.items import Item, Resource, Scope
from otelwasm_sdk.shared import SharedPairs, inline_strings, sweep
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.values import hashed, read_value, write_value

__all__ = ["Profile", "Profiles"]


class Profile(Item):
    """
    One profile: samples of what a program did. Its samples are at `proto.samples`.
    """

    __slots__ = ("_dictionary",)

    def __init__(
        self, proto: Any, edits: Edits, *, dictionary: Any, resource: Resource, scope: Scope
    ) -> None:
        super().__init__(proto, edits, resource=resource, scope=scope)
        self._dictionary = dictionary

    @property
    def attributes(self) -> Attributes:
        """
        Its attributes, like a dict; a change does not touch other profiles with the same ones.
        """
        if self._attributes is None:
            shared = SharedPairs(self._proto.attribute_indices, self._dictionary)
            self._attributes = Attributes(shared, self._edits)
        return self._attributes

    @property
    def profile_id(self) -> str:
        """
        Its id, in hexadecimal.
        """
        return str(self._proto.profile_id.hex())

    @property
    def time_ns(self) -> int:
        """
        When it began, in nanoseconds since 1970.
        """
        return int(self._proto.time_unix_nano)

    @property
    def duration_s(self) -> float:
        """
        How long it took, in seconds.
        """
        return float(self._proto.duration_nano / 1e9)


class Profiles(Batch[Profile]):
    """
    Profiles; OTLP calls them still in development.
    """

    signal: ClassVar[Signal] = Signal.PROFILES
    _request: ClassVar[type[Message]] = ExportProfilesServiceRequest
    _fields: ClassVar[tuple[str, str, str]] = ("resource_profiles", "scope_profiles", "profiles")

    __slots__ = ()

    def profiles(self) -> Iterator[Profile]:
        """
        Go through all profiles.
        """
        return self.items()

    def all_attributes(self) -> Iterator[Attributes]:
        """
        Go through every set of attributes: of resources, scopes, profiles, samples, locations…
        """
        yield from super().all_attributes()
        message = self._decoded()
        for indices in _index_lists(message):
            yield Attributes(SharedPairs(indices, message.dictionary), self._edits)

    def set_attribute(self, key: str, value: object) -> None:
        """
        Set the attribute *key* of each profile.
        """
        for profile in self.profiles():
            profile.attributes[key] = value

    def delete_attribute(self, key: str) -> int:
        """
        Delete the attribute *key* wherever it stands in the batch; return how many there were.
        """
        deleted = super().delete_attribute(key)
        if self._may_hold(key):
            for attributes in self.all_attributes():
                deleted += attributes.pop(key, self) is not self
        return deleted

    def hash_attributes(self, *keys: str, salt: str = "") -> int:
        """
        Replace the attributes *keys* by their hash wherever they stand in the batch.

        Returns how many there were; one that profiles share counts once.
        """
        count = super().hash_attributes(*keys, salt=salt)
        if any(self._may_hold(key) for key in keys):
            dictionary = self._decoded().dictionary
            for entry in dictionary.attribute_table:
                if dictionary.string_table[entry.key_strindex] in keys:
                    write_value(entry.value, hashed(read_value(entry.value), salt=salt))
                    self._edits.is_changed = True
                    count += 1
        return count

    def __bytes__(self) -> bytes:
        if self._edits.is_changed and self._message is not None:
            sweep(self._message, _index_lists(self._message))
        return super().__bytes__()

    def _view(self, member: Any, *, resource: Resource, scope: Scope) -> Profile:
        dictionary = self._decoded().dictionary
        return Profile(member, self._edits, dictionary=dictionary, resource=resource, scope=scope)

    def _new_part(self) -> Self:
        part = super()._new_part()
        part._message.dictionary.CopyFrom(self._message.dictionary)
        return part

    def _item_pairs(self, member: Any) -> Iterator[Any]:
        # Theirs are in the table, which is not a list of an item's attributes.
        yield from ()

    def _decoded(self) -> Any:
        is_new = self._message is None
        message = super()._decoded()
        if is_new:
            inline_strings(message)
        return message


def _index_lists(message: Any) -> Iterator[Any]:
    for group in message.resource_profiles:
        for scope_group in group.scope_profiles:
            for profile in scope_group.profiles:
                yield profile.attribute_indices
                for sample in profile.samples:
                    yield sample.attribute_indices
    for mapping in message.dictionary.mapping_table:
        yield mapping.attribute_indices
    for location in message.dictionary.location_table:
        yield location.attribute_indices
