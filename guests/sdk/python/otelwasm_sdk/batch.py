"""
One batch of telemetry, as a plugin sees it: looked into only as far as the plugin asks.
"""

import sys
from collections.abc import Callable, Hashable, Iterator, MutableMapping, Sequence
from typing import Any, ClassVar, Generic, Self

from google.protobuf.message import Message

from otelwasm_sdk.forms import Form, decode, open_payload
from otelwasm_sdk.message import MessageBatch
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.split import split_message
from otelwasm_sdk.views import Item, Resource

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

__all__ = ["Batch"]

I = TypeVar("I", bound=Item, default=Item)  # noqa: E741 - stands for the items of a batch
K = TypeVar("K", bound=Hashable)


class Batch(Generic[I]):
    """
    One OTLP request of any signal. `bytes(batch)` is its protobuf encoding.

    A batch that nobody looks into is not even decoded; one that nobody changes goes on as it came.
    """

    signal: ClassVar[Signal]
    _request: ClassVar[type[Message]]

    __slots__ = ("_form", "_has_views", "_message", "_payload")

    def __init__(self, payload: bytes = b"") -> None:
        self._payload = payload
        self._form: Form | None = None
        self._message: MessageBatch | None = None
        self._has_views = False

    @classmethod
    def from_proto(cls, message: Message) -> Self:
        """
        Make a batch of *message*, an `Export…ServiceRequest` of its signal.
        """
        if not isinstance(message, cls._request):
            raise TypeError(
                f"{cls.__name__} holds a {cls._request.DESCRIPTOR.name},"
                f" not a {type(message).__name__}"
            )
        return cls(message.SerializeToString())

    @property
    def proto(self) -> Any:
        """
        The protobuf message, an `Export…ServiceRequest`, to read or to change.

        Ask for it before going through items: what is changed in items that were had before
        would not be in it.
        """
        if self._message is None:
            if self._has_views:
                raise RuntimeError(
                    "ask for batch.proto before going through the batch's items, not after"
                )
            self._payload = bytes(self)
            self._form = self._message = self._decoded()
        return self._message.message

    def __bytes__(self) -> bytes:
        return self._payload if self._form is None else bytes(self._form)

    def __len__(self) -> int:
        return len(self.items())

    def __bool__(self) -> bool:
        return any(True for _ in self.items())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {len(bytes(self))} bytes>"

    def items(self) -> Sequence[I]:
        """
        All spans, log records, data points or profiles.
        """
        return self._look().each()

    def resources(self) -> Sequence[Resource]:
        """
        The resources that the telemetry comes from.
        """
        return self._look().each("resources")

    def having(self, key: str) -> Sequence[I]:
        """
        The items that have the attribute *key*.
        """
        return self._look().each(having=key) if self._may_hold(key) else ()

    def all_attributes(self) -> Iterator[MutableMapping[str, Any]]:
        """
        Go through every set of attributes: of resources, scopes, items, and what items hold.
        """
        return self._look().all_attributes()

    def set_attribute(self, key: str, value: object) -> None:
        """
        Set the attribute *key* of each item.
        """
        self._opened().set_attribute(key, value)

    def delete_attribute(self, key: str) -> int:
        """
        Delete the attribute *key* wherever it stands in the batch; return how many there were.
        """
        return self._opened().delete_attribute(key) if self._may_hold(key) else 0

    def hash_attributes(self, *keys: str, salt: str = "") -> int:
        """
        Replace the attributes *keys* by their hash wherever they stand in the batch.

        Returns how many there were; `hashed` says what the hash is.
        """
        wanted = tuple(key for key in keys if self._may_hold(key))
        return self._opened().hash_attributes(wanted, salt) if wanted else 0

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
        dropped = 0
        for item in self.items():
            if predicate(item):
                item.drop()
                dropped += 1
        return dropped

    def split(self, key: Callable[[I], K]) -> dict[K, Self]:
        """
        Make one batch of the items for each value of *key*, as by trace or by tenant.

        Each item is copied, with its resource and scope; this batch stays as it is.
        """
        keys = [key(item) for item in self.items()]
        message = decode(bytes(self), self.signal, self._request)
        parts = split_message(message, keys)
        return {value: self.from_proto(part) for value, part in parts.items()}

    def _may_hold(self, key: str) -> bool:
        # A key stands in the payload as it is: where its bytes are nowhere, no attribute has it,
        # and finding that out is much cheaper than looking into it.
        return self._form is not None or key.encode() in self._payload

    def _opened(self) -> Form:
        if self._form is None:
            self._form = self._open(self._payload)
        return self._form

    def _look(self) -> Form:
        self._has_views = True
        return self._opened()

    def _open(self, payload: bytes) -> Form:
        return open_payload(payload, self.signal, self._request)

    def _decoded(self) -> MessageBatch:
        return MessageBatch(decode(self._payload, self.signal, self._request), self._payload)
