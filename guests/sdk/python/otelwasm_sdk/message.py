"""
A batch as a decoded protobuf message: its form outside Wasm, and wherever a plugin asks for it.

It does what the C extension's batch does on the payload's bytes, in a few lines of Python, so
that plugins can be tested without Wasm. Every example is run in both forms.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any, ClassVar

from google.protobuf.message import Message

from otelwasm_sdk.attributes import Attributes
from otelwasm_sdk.values import hashed, read_value, write_value
from otelwasm_sdk.views import attributes_field, attributes_of, view_types

__all__ = ["MESSAGE_VIEWS", "MessageBatch", "MessageView", "hash_pairs", "prune"]

_POINTS = ("Number", "Histogram", "ExponentialHistogram", "Summary")
_ITEMS = frozenset(("Span", "LogRecord", "Profile", *(f"{kind}DataPoint" for kind in _POINTS)))
_OTHERS = frozenset(("Resource", "InstrumentationScope", "Event", "Link", "Metric", "Exemplar"))
_LEVELS = {
    "items": _ITEMS,
    "metrics": frozenset(("Metric",)),
    "resources": frozenset(("Resource",)),
    "scopes": frozenset(("InstrumentationScope",)),
}
# What is a value to a plugin, and not a view.
_VALUES = {"AnyValue", "KeyValue"}
_SIGNALS = ("Spans", "Metrics", "Logs", "Profiles")
# What goes when the last of its items does.
_GROUPS = {
    *(f"{group}{what}" for group in ("Resource", "Scope") for what in _SIGNALS),
    *("Metric", "Gauge", "Sum", "Histogram", "ExponentialHistogram", "Summary"),
}
# Asked for of any view, and found around it.
_AROUND = {"metric": "Metric", "span": "Span"}


class MessageView:
    """
    A view of one message within a decoded batch.
    """

    __slots__ = ("_batch", "_message", "_within")

    def __init__(self, batch: "MessageBatch", message: Any, within: "MessageView | None") -> None:
        for name, value in (("_batch", batch), ("_message", message), ("_within", within)):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        message = self._message
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            return self._around(name)
        value = getattr(message, name)
        if field.message_type is None:
            if field.is_repeated:
                return list(value)
            return value if not field.has_presence or message.HasField(name) else None
        if field.message_type.name == "AnyValue":
            return read_value(value)
        if field.message_type.name == "KeyValue":
            return Attributes(value)
        if field.is_repeated:
            return [self._batch.view(each, self) for each in value if self._batch.has(each)]
        is_absent = field.containing_oneof is not None and not message.HasField(name)
        return None if is_absent else self._batch.view(value, self)

    def __setattr__(self, name: str, value: Any) -> None:
        message = self._message
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            # A property of this class, or nothing that there is.
            object.__setattr__(self, name, value)
        elif field.message_type is None:
            if field.is_repeated:
                del getattr(message, name)[:]
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)
        elif field.message_type.name == "AnyValue":
            write_value(getattr(message, name), value)
        elif field.message_type.name == "KeyValue":
            pairs = dict(value)
            del getattr(message, name)[:]
            Attributes(getattr(message, name)).update(pairs)
        else:
            raise TypeError(f"{name} is not set as a whole: set what is in it")

    def __bytes__(self) -> bytes:
        return bytes(self._message.SerializeToString())

    def __repr__(self) -> str:
        name = self._message.DESCRIPTOR.name
        return f"<{name} in {self._message.ByteSize()} bytes>"

    def drop(self) -> None:
        """
        Leave this message, with all that is in it, out of the batch.
        """
        self._batch.drop(self._message)

    def _around(self, name: str) -> Any:
        view = self._within
        while view is not None:
            message = view._message
            if message.DESCRIPTOR.name == _AROUND.get(name):
                return view
            if name in ("resource", "scope") and name in message.DESCRIPTOR.fields_by_name:
                return self._batch.view(getattr(message, name), view)
            view = view._within
        raise AttributeError(f"{self._message.DESCRIPTOR.name} has no {name}")


class MessageBatch:
    """
    A decoded batch.
    """

    # What has attributes of its own.
    _everywhere: ClassVar = _ITEMS - {"Profile"} | _OTHERS

    def __init__(self, message: Message, payload: bytes = b"") -> None:
        self.message: Any = message
        self._payload = payload
        # By identity; kept here, they keep their identity.
        self._dropped: dict[int, Any] = {}

    def __bytes__(self) -> bytes:
        self._sweep(self.message)
        payload = self.message.SerializeToString()
        return self._payload if payload == self._payload else bytes(payload)

    def view(self, message: Any, within: MessageView | None) -> MessageView:
        """
        Show *message*, which is in what *within* shows.
        """
        made: type[MessageView] = MESSAGE_VIEWS.get(message.DESCRIPTOR.name, MessageView)
        return made(self, message, within)

    def has(self, message: Any) -> bool:
        """
        Whether *message* was not dropped.
        """
        return id(message) not in self._dropped

    def drop(self, message: Any) -> None:
        """
        Leave *message* out.
        """
        self._dropped[id(message)] = message

    def each(self, on: str = "items", having: str | None = None) -> Sequence[Any]:
        """
        All messages of a kind, or those with an attribute.
        """
        wanted = self._everywhere if on == "everywhere" else _LEVELS[on]
        found = self._walk(self.view(self.message, None), wanted)
        return [view for view in found if having is None or having in attributes_of(view)]

    def all_attributes(self) -> Iterator[MutableMapping[str, Any]]:
        """
        Every set of attributes.
        """
        return map(attributes_of, self.each("everywhere"))

    def set_attribute(self, key: str, value: object) -> int:
        """
        Set it on each item.
        """
        items = self.each()
        for item in items:
            item.attributes[key] = value
        return len(items)

    def delete_attribute(self, key: str) -> int:
        """
        Delete it everywhere; how many there were.
        """
        return sum(prune(pairs, lambda pair: pair.key == key) for pairs in self._pairs())

    def hash_attributes(self, keys: tuple[str, ...], salt: str) -> int:
        """
        Hash them everywhere; how many there were.
        """
        return sum(hash_pairs(pairs, keys, salt) for pairs in self._pairs())

    def _pairs(self) -> Iterator[Any]:
        for view in self.each("everywhere"):
            yield getattr(view._message, attributes_field(view))

    def _walk(self, view: MessageView, wanted: frozenset[str]) -> Iterator[MessageView]:
        for name in _ways(view._message.DESCRIPTOR, wanted):
            value = getattr(view, name)
            for inner in value if isinstance(value, list) else (value,):
                if inner is not None:
                    if inner._message.DESCRIPTOR.name in wanted:
                        yield inner
                    yield from self._walk(inner, wanted)

    def _sweep(self, message: Any) -> bool:
        """
        Take out what was dropped; return whether that emptied *message*.
        """
        if not self._dropped:
            return False
        is_emptied = False
        for field, value in message.ListFields():
            if field.message_type is None or field.message_type.name in _VALUES:
                continue
            if not field.is_repeated:
                is_emptied |= self._sweep(value)
            elif prune(value, lambda each: not self.has(each) or self._sweep(each)):
                is_emptied |= not value
        return is_emptied and message.DESCRIPTOR.name in _GROUPS


MESSAGE_VIEWS = view_types(lambda name: MessageView)


@functools.cache
def _ways(descriptor: Any, wanted: frozenset[str]) -> tuple[str, ...]:
    """
    The fields through which a message leads to what is wanted.
    """
    return tuple(
        field.name
        for field in descriptor.fields
        if field.message_type is not None
        and field.message_type.name not in _VALUES
        and (field.message_type.name in wanted or _ways(field.message_type, wanted))
    )


def hash_pairs(pairs: Iterable[Any], keys: tuple[str, ...], salt: str) -> int:
    """
    Put the hash in the place of each value whose key is one of *keys*; return how many.
    """
    wanted = [pair for pair in pairs if pair.key in keys]
    for pair in wanted:
        write_value(pair.value, hashed(read_value(pair.value), salt=salt))
    return len(wanted)


def prune(container: Any, is_doomed: Callable[[Any], bool]) -> int:
    """
    Delete the members of a repeated field for which *is_doomed* is true; return how many.
    """
    doomed = [place for place, member in enumerate(container) if is_doomed(member)]
    for place in reversed(doomed):
        del container[place]
    return len(doomed)
