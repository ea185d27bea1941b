"""
One batch of telemetry, as a plugin sees it: decoded when first looked into, not before.
"""

import sys
from collections.abc import Callable, Hashable, Iterator
from typing import Any, ClassVar, Generic, Self

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from otelwasm_sdk.attributes import Attributes
from otelwasm_sdk.edits import Edits
from otelwasm_sdk.failures import Malformed
from otelwasm_sdk.items import Item, Resource, Scope
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.values import hashed, read_value, write_value

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

try:
    from otelwasm_native import check
except ImportError:

    def check(payload: bytes, signal: int, /) -> None:
        """
        Do nothing: outside Wasm the decoder itself refuses what it does not take.
        """


__all__ = ["Batch", "prune"]

I = TypeVar("I", bound=Item, default=Item)  # noqa: E741 - stands for the items of a batch
K = TypeVar("K", bound=Hashable)


class Batch(Generic[I]):
    """
    One OTLP request of any signal. `bytes(batch)` is its protobuf encoding.
    """

    signal: ClassVar[Signal]
    _request: ClassVar[type[Message]]
    # The request's field with its resources, theirs with scopes, theirs with what is in them.
    _fields: ClassVar[tuple[str, str, str]]

    __slots__ = ("_edits", "_message", "_payload")

    def __init__(self, payload: bytes = b"") -> None:
        self._payload = payload
        self._message: Any = None
        self._edits = Edits()

    @classmethod
    def from_proto(cls, message: Message) -> Self:
        """
        Make a batch that holds *message*, an `Export…ServiceRequest` of its signal.
        """
        if not isinstance(message, cls._request):
            raise TypeError(
                f"{cls.__name__} holds a {cls._request.DESCRIPTOR.name},"
                f" not a {type(message).__name__}"
            )
        batch = cls()
        batch._message = message
        batch._edits.is_exposed = True
        return batch

    @property
    def proto(self) -> Any:
        """
        The protobuf message itself, an `Export…ServiceRequest`, to read or to change.
        """
        message = self._decoded()
        self._edits.is_exposed = True
        return message

    @property
    def is_untouched(self) -> bool:
        """
        Whether it certainly is as it came: nobody changed it, or took a protobuf message out.
        """
        return not (self._edits.is_changed or self._edits.is_exposed)

    def __bytes__(self) -> bytes:
        if self.is_untouched:
            return self._payload
        return bytes(self._message.SerializeToString())

    def __len__(self) -> int:
        return sum(1 for _ in self.items())

    def __bool__(self) -> bool:
        return any(True for _ in self.items())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} in {len(bytes(self))} bytes>"

    def items(self) -> Iterator[I]:
        """
        Go through all spans, log records, data points or profiles.
        """
        for member, resource, scope in self._members():
            yield self._view(member, resource=resource, scope=scope)

    def resources(self) -> Iterator[Resource]:
        """
        Go through the resources that the telemetry comes from.
        """
        for group in getattr(self._decoded(), self._fields[0]):
            yield Resource(group.resource, self._edits)

    def having(self, key: str) -> Iterator[I]:
        """
        Go through the items that have the attribute *key*.
        """
        if self._may_hold(key):
            for item in self.items():
                if key in item.attributes:
                    yield item

    def all_attributes(self) -> Iterator[Attributes]:
        """
        Go through every set of attributes: of resources, scopes, items, and what items hold.
        """
        for pairs in self._all_pairs():
            yield Attributes(pairs, self._edits)

    def set_attribute(self, key: str, value: object) -> None:
        """
        Set the attribute *key* of each item.
        """
        if self._may_hold(key):
            for item in self.items():
                item.attributes[key] = value
            return
        pair = KeyValue(key=key)
        write_value(pair.value, value)
        for member, _, _ in self._members():
            for pairs in self._item_pairs(member):
                pairs.extend((pair,))
                self._edits.is_changed = True

    def delete_attribute(self, key: str) -> int:
        """
        Delete the attribute *key* wherever it stands in the batch; return how many there were.
        """
        if not self._may_hold(key):
            return 0
        deleted = sum(
            prune(pairs, lambda pair: bool(pair.key == key)) for pairs in self._all_pairs()
        )
        self._edits.is_changed |= deleted > 0
        return deleted

    def hash_attributes(self, *keys: str, salt: str = "") -> int:
        """
        Replace the attributes *keys* by their hash wherever they stand in the batch.

        Returns how many there were; `hashed` says what the hash is.
        """
        wanted = {key for key in keys if self._may_hold(key)}
        count = 0
        if wanted:
            for pairs in self._all_pairs():
                for pair in pairs:
                    if pair.key in wanted:
                        write_value(pair.value, hashed(read_value(pair.value), salt=salt))
                        count += 1
        self._edits.is_changed |= count > 0
        return count

    def keep(self, predicate: Callable[[I], object]) -> int:
        """
        Keep only the items for which *predicate* is true; return how many went.
        """
        return self.drop(lambda item: not predicate(item))

    def drop(self, predicate: Callable[[I], object]) -> int:
        """
        Drop the items for which *predicate* is true; return how many went.

        A scope or a resource that is emptied by this goes, too; a plugin that returns a batch
        that it emptied sends nothing on.
        """
        resources, scopes, members = self._fields
        dropped = 0

        def is_emptied(group: Any) -> bool:
            nonlocal dropped
            resource = Resource(group.resource, self._edits)

            def is_scope_emptied(scope_group: Any) -> bool:
                nonlocal dropped
                scope = Scope(scope_group.scope, self._edits)
                container = getattr(scope_group, members)
                gone = self._prune(container, predicate, resource=resource, scope=scope)
                dropped += gone
                return gone > 0 and not container

            container = getattr(group, scopes)
            return prune(container, is_scope_emptied) > 0 and not container

        prune(getattr(self._decoded(), resources), is_emptied)
        self._edits.is_changed |= dropped > 0
        return dropped

    def split(self, key: Callable[[I], K]) -> dict[K, Self]:
        """
        Make one batch of the items for each value of *key*, as by trace or by tenant.

        Each item is copied, with its resource and scope; this batch stays as it is.
        """
        resources, scopes, members = self._fields
        parts: dict[K, Self] = {}
        for group in getattr(self._decoded(), resources):
            resource = Resource(group.resource, self._edits)
            part_groups: dict[K, Any] = {}
            for scope_group in getattr(group, scopes):
                scope = Scope(scope_group.scope, self._edits)
                containers: dict[K, Any] = {}
                for member in getattr(scope_group, members):
                    for value, piece in self._pieces(member, key, resource=resource, scope=scope):
                        if value not in containers:
                            if value not in part_groups:
                                if value not in parts:
                                    parts[value] = self._new_part()
                                message = parts[value]._message
                                part_groups[value] = part_group = getattr(message, resources).add()
                                part_group.schema_url = group.schema_url
                                part_group.resource.CopyFrom(group.resource)
                            part_scope = getattr(part_groups[value], scopes).add()
                            part_scope.schema_url = scope_group.schema_url
                            part_scope.scope.CopyFrom(scope_group.scope)
                            containers[value] = getattr(part_scope, members)
                        containers[value].append(piece)
        return parts

    def _new_part(self) -> Self:
        return self.from_proto(self._request())

    def _pieces(
        self, member: Any, key: Callable[[I], K], *, resource: Resource, scope: Scope
    ) -> Iterator[tuple[K, Any]]:
        yield key(self._view(member, resource=resource, scope=scope)), member

    def _view(self, member: Any, *, resource: Resource, scope: Scope) -> I:
        raise NotImplementedError

    def _prune(
        self, container: Any, predicate: Callable[[I], object], *, resource: Resource, scope: Scope
    ) -> int:
        # What one scope holds is an item, but in metrics.
        def is_doomed(member: Any) -> bool:
            return bool(predicate(self._view(member, resource=resource, scope=scope)))

        return prune(container, is_doomed)

    def _item_pairs(self, member: Any) -> Iterator[Any]:
        """
        Go through the attributes of the items in one member of a scope.
        """
        yield member.attributes

    def _inner_pairs(self, member: Any) -> Iterator[Any]:
        """
        Go through whatever other attributes there are in one member of a scope.
        """
        yield from ()

    def _all_pairs(self) -> Iterator[Any]:
        for group in getattr(self._decoded(), self._fields[0]):
            yield group.resource.attributes
            for scope_group in getattr(group, self._fields[1]):
                yield scope_group.scope.attributes
                for member in getattr(scope_group, self._fields[2]):
                    yield from self._item_pairs(member)
                    yield from self._inner_pairs(member)

    def _members(self) -> Iterator[tuple[Any, Resource, Scope]]:
        for group in getattr(self._decoded(), self._fields[0]):
            resource = Resource(group.resource, self._edits)
            for scope_group in getattr(group, self._fields[1]):
                scope = Scope(scope_group.scope, self._edits)
                for member in getattr(scope_group, self._fields[2]):
                    yield member, resource, scope

    def _may_hold(self, key: str) -> bool:
        # A key stands in the payload as it is: where its bytes are nowhere, no attribute has it,
        # and finding that out is much cheaper than decoding.
        return not self.is_untouched or key.encode() in self._payload

    def _decoded(self) -> Any:
        if self._message is None:
            try:
                # Safety: in Wasm the decoder traps on what it does not take.
                check(self._payload, self.signal)
                self._message = self._request.FromString(self._payload)
            except (ValueError, DecodeError) as error:
                reason = str(error).removeprefix("malformed OTLP payload: ")
                raise Malformed(f"malformed {self.signal.label} payload: {reason}") from None
        return self._message


def prune(container: Any, is_doomed: Callable[[Any], bool]) -> int:
    """
    Delete the members of a repeated field for which *is_doomed* is true; return how many.
    """
    doomed = [place for place, member in enumerate(container) if is_doomed(member)]
    for place in reversed(doomed):
        del container[place]
    return len(doomed)
