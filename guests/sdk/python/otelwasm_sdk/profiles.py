"""
Profiles: batches of profiles. Their attributes stand in one table, which all of them share.
"""

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, ClassVar

from google.protobuf.message import Message
from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from otelwasm_sdk.attributes import Attributes
from otelwasm_sdk.batch import Batch
from otelwasm_sdk.forms import Form, decode
from otelwasm_sdk.message import MESSAGE_VIEWS, MessageBatch, MessageView, hash_pairs
from otelwasm_sdk.shared import SharedPair, SharedPairs, inline_strings, sweep
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.views import Profile

__all__ = ["Profiles"]


class Profiles(Batch[Profile]):
    """
    Profiles; OTLP calls them still in development.
    """

    signal: ClassVar[Signal] = Signal.PROFILES
    _request: ClassVar[type[Message]] = ExportProfilesServiceRequest

    __slots__ = ()

    def profiles(self) -> Sequence[Profile]:
        """
        All profiles.
        """
        return self.items()

    def _open(self, payload: bytes) -> Form:
        # What is shared through tables is not edited in place.
        return self._decoded()

    def _decoded(self) -> MessageBatch:
        return _ProfilesMessage(decode(self._payload, self.signal, self._request), self._payload)


class _Sharing:
    """
    What has references into the table of attributes.
    """

    __slots__ = ()
    _batch: MessageBatch
    _message: Any

    @property
    def attributes(self) -> MutableMapping[str, Any]:
        """
        The attributes, like a dict; a change does not touch others that refer to the same.
        """
        dictionary = self._batch.message.dictionary
        return Attributes(SharedPairs(self._message.attribute_indices, dictionary))

    @attributes.setter
    def attributes(self, attributes: MutableMapping[str, Any]) -> None:
        new = dict(attributes)
        del self._message.attribute_indices[:]
        self.attributes.update(new)


_SHARING = frozenset(("Profile", "Sample", "Mapping", "Location"))
_TYPES = {
    name: type(name, (_Sharing, MESSAGE_VIEWS.get(name, MessageView)), {"__slots__": ()})
    for name in _SHARING
}


class _ProfilesMessage(MessageBatch):
    """
    A decoded batch of profiles.
    """

    _everywhere: ClassVar = frozenset(("Resource", "InstrumentationScope"))

    def __init__(self, message: Any, payload: bytes) -> None:
        super().__init__(message, payload)
        inline_strings(message)
        # What it is encoded as when nothing but that was done to it.
        self._inlined = message.SerializeToString()

    def __bytes__(self) -> bytes:
        changed = super().__bytes__()
        if changed == self._inlined:
            return self._payload
        if not self.message.resource_profiles:
            return b""
        sweep(self.message, (view._message.attribute_indices for view in self._sharing()))
        return super().__bytes__()

    def view(self, message: Any, within: MessageView | None) -> MessageView:
        """
        Show *message*, with the attributes that it refers to.
        """
        made = _TYPES.get(message.DESCRIPTOR.name)
        return super().view(message, within) if made is None else made(self, message, within)

    def all_attributes(self) -> Iterator[MutableMapping[str, Any]]:
        """
        Every set of attributes: of resources, scopes, profiles, samples, mappings, locations.
        """
        yield from super().all_attributes()
        for view in self._sharing():
            yield view.attributes

    def delete_attribute(self, key: str) -> int:
        """
        Delete it everywhere; how many there were.
        """
        return sum(each.pop(key, self) is not self for each in self.all_attributes())

    def hash_attributes(self, keys: tuple[str, ...], salt: str) -> int:
        """
        Hash them everywhere; one that several refer to counts once.
        """
        dictionary = self.message.dictionary
        strings = dictionary.string_table
        shared = [
            SharedPair(strings[entry.key_strindex], entry.value)
            for entry in dictionary.attribute_table
        ]
        return super().hash_attributes(keys, salt) + hash_pairs(shared, keys, salt)

    def _sharing(self) -> Iterator[Any]:
        return self._walk(self.view(self.message, None), _SHARING)
