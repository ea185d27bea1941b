"""
One batch of telemetry, as a plugin sees it: looked into only as far as the plugin asks.
"""

import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, Self

from google.protobuf.message import DecodeError, Message

from otelwasm_sdk.failures import Malformed
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.values import bytes_to_hash
from otelwasm_sdk.views import Item, Resource, Scope
from otelwasm_sdk.wire import native

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

__all__ = ["Batch"]

I = TypeVar("I", bound=Item, default=Item)  # noqa: E741 - stands for the items of a batch
K = TypeVar("K", bound=Hashable, default=Any)

Conditions = Mapping[str, object]
Fields = Mapping[str, object]
Mode = Literal["upsert", "insert", "update"]

_NOTHING: Fields = MappingProxyType({})


class Batch(Generic[I]):
    """
    One OTLP request of any signal. `bytes(batch)` is its protobuf encoding.

    A batch is changed in its bytes: one that nobody looks into is not read, and what nobody
    changes stays byte for byte as it came, unknown fields included.

    Operations take *on*, which says what they are about: `items` (the spans, data points, log
    records or profiles that the signal is about), `resources`, `scopes`, `events`, `links`,
    `metrics`, `data_points`, `exemplars`, `samples`, or `everywhere`.
    """

    signal: ClassVar[Signal]
    _request: ClassVar[type[Message]]
    # The fields that lead from the request to its items, or its metrics.
    _way: ClassVar[tuple[str, str, str]]
    _held_as: ClassVar[Callable[[bytes, Signal], Any]] = native.Batch

    __slots__ = ("_has_views", "_is_checked", "_message", "_payload", "_wire")

    def __init__(self, payload: bytes = b"") -> None:
        # As it came, or as `_wire` was opened with.
        self._payload = payload
        self._wire: Any = None
        self._message: Any = None
        self._is_checked = False
        self._has_views = False

    @classmethod
    def of(cls, *items: Fields, resource: Fields = _NOTHING, scope: Fields = _NOTHING) -> Self:
        """
        Make a batch of new items: `Logs.of({"body": "hello", "severity_number": 9})`.

        Each item has its fields by OTLP's names, attributes as a dict; an item of `Metrics` is a
        metric. *resource* has attributes, *scope* its fields.
        """
        groups, scopes, members = cls._way
        request = {
            groups: [
                {
                    "resource": {"attributes": dict(resource)},
                    scopes: [{"scope": dict(scope), members: items}],
                }
            ]
        }
        return cls(native.encode(request, cls.signal))

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
        The protobuf message, an `Export…ServiceRequest`, for what the batch itself cannot do.

        It costs several times what the rest does. Ask for it before going through items: what is
        changed in items that were had before would not be in it.
        """
        if self._message is None:
            if self._has_views:
                raise RuntimeError(
                    "ask for batch.proto before going through the batch's items, not after"
                )
            self._payload = bytes(self)
            self._wire = None
            self._check()
            try:
                self._message = self._request.FromString(self._payload)
            except DecodeError as error:
                raise Malformed(f"malformed {self.signal.label} payload: {error}") from None
        return self._message

    def __bytes__(self) -> bytes:
        if self._message is None:
            return self._payload if self._wire is None else bytes(self._wire)
        payload: bytes = self._message.SerializeToString()
        if self._wire is None or not self._wire.is_changed:
            return payload
        if payload != self._payload:
            raise RuntimeError("batch.proto was changed after the batch's items were: do one first")
        return bytes(self._wire)

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
        return self._views("items")

    def resources(self) -> Sequence[Resource]:
        """
        The resources that the telemetry comes from, also those that say nothing yet.
        """
        return self._views("resources")

    def scopes(self) -> Sequence[Scope]:
        """
        The scopes that the telemetry was made in, also those that say nothing yet.
        """
        return self._views("scopes")

    def having(self, key: str, *, on: str = "items") -> Sequence[I]:
        """
        The items that have the attribute *key*.
        """
        return self._views(on, key) if self._may_hold(key) else ()

    def values(self, name: str, *, on: str = "items") -> list[Any]:
        """
        The value of one field or attribute of each item, named as in conditions; None for none.

        `batch.values("attributes.http.route")` is a shorter and much faster way to say
        `[span.attributes.get("http.route") for span in batch.items()]`.
        """
        values: list[Any] = self._checked().values(name, on)
        return values

    def all_attributes(self) -> Iterator[MutableMapping[str, Any]]:
        """
        Go through every set of attributes: of resources, scopes, items, and what items hold.
        """
        for view in self._views("everywhere"):
            yield view.attributes

    def set_attribute(
        self, key: str, value: object, *, on: str = "items", mode: Mode = "upsert"
    ) -> int:
        """
        Set the attribute *key* of each item; return how many were changed.

        With *mode* `insert` only where it is not yet, with `update` only where it is.
        """
        changed: int = self._opened().set_attribute(key, value, mode, on)
        return changed

    def delete_attribute(self, *keys: str, on: str = "everywhere") -> int:
        """
        Delete the attributes *keys* wherever they stand; return how many there were.
        """
        wanted = self._held_among(keys)
        return self._opened().delete_attribute(wanted, on) if wanted else 0

    def rename_attribute(self, old: str, new: str, *, on: str = "everywhere") -> int:
        """
        Rename the attribute *old*, in place of any that is called *new*; return how many.
        """
        return self._opened().rename_attribute(old, new, on) if self._may_hold(old) else 0

    def map_attribute(
        self, key: str, function: Callable[[Any], object], *, on: str = "everywhere"
    ) -> int:
        """
        Put what *function* makes of each value of the attribute *key* in its place.
        """
        return self._opened().map_attribute((key,), function, on) if self._may_hold(key) else 0

    def hash_attributes(self, *keys: str, salt: str = "", on: str = "everywhere") -> int:
        """
        Replace the attributes *keys* by their hash wherever they stand in the batch.

        Returns how many there were; `hashed` says what the hash is.
        """
        wanted = self._held_among(keys)
        if not wanted:
            return 0
        changed: int = self._opened().hash_attribute(wanted, salt.encode(), bytes_to_hash, on)
        return changed

    def drop(self, which: Conditions | Callable[[I], object], *, on: str = "items") -> int:
        """
        Drop the items that meet all conditions, or for which a function is true; return how many.

        A condition names a field (`name`, `status.code`), an attribute (`attributes.http.route`),
        or one of what is around (`resource.attributes.service.name`, `scope.name`,
        `metric.name`), and says what has to be there: a value; a range or a tuple of values;
        `at_least(500)`, `below(9)`; a compiled regular expression that matches all of its text, as
        `text_of` gives it; a function of it; or `...` for anything. Conditions are much faster
        than a function.

        A scope or a resource that is emptied by this goes, too; a plugin that returns a batch
        that it emptied sends nothing on.
        """
        return self._leave_out(which, on, drops=True)

    def keep(self, which: Conditions | Callable[[I], object], *, on: str = "items") -> int:
        """
        Keep only the items that `drop` would drop; return how many went.
        """
        return self._leave_out(which, on, drops=False)

    def split(self, key: str | Callable[[I], K]) -> dict[K, Self]:
        """
        Make one batch of the items for each value of *key*: `batch.split("trace_id")`.

        *key* names a field or an attribute as in conditions, or is a function of an item. Each
        item is copied, with its resource and scope; this batch stays as it is.
        """
        wire = self._checked()
        keys = wire.values(key) if isinstance(key, str) else [key(item) for item in self.items()]
        parts = {}
        for value, payload in wire.split(keys).items():
            part = parts[value] = type(self)(payload)
            part._is_checked = True
        return parts

    def _leave_out(self, which: Conditions | Callable[[I], object], on: str, *, drops: bool) -> int:
        if isinstance(which, Mapping):
            wire = self._checked()
            left_out: int = (wire.drop if drops else wire.keep)(dict(which), on)
            return left_out
        if not callable(which):
            call = "drop" if drops else "keep"
            raise TypeError(
                f"{call} takes conditions, as {{'name': 'GET /health'}}, or a function of an item;"
                f" not {which!r}"
            )
        doomed = [view for view in self._views(on) if bool(which(view)) is drops]
        for view in doomed:
            view.drop()
        return len(doomed)

    def _held_among(self, keys: Sequence[str]) -> tuple[str, ...]:
        return tuple(key for key in keys if self._may_hold(key))

    def _may_hold(self, key: str) -> bool:
        # A key stands in the payload as it is: where its bytes are nowhere, no attribute has it,
        # and finding that out is much cheaper than looking into it.
        is_as_it_came = self._wire is None and self._message is None
        return not is_as_it_came or key.encode() in self._payload

    def _views(self, on: str, having: str | None = None) -> Sequence[Any]:
        self._has_views = True
        views: Sequence[Any] = self._checked().each(on, having)
        return views

    def _opened(self) -> Any:
        if self._message is not None and not (self._wire and self._wire.is_changed):
            payload = self._message.SerializeToString()
            if payload != self._payload:
                self._payload, self._wire = payload, None
        if self._wire is None:
            self._wire = type(self)._held_as(self._payload, self.signal)
        return self._wire

    def _checked(self) -> Any:
        """
        The batch, for who will see parts of it: nobody should work with half of a payload.
        """
        wire = self._opened()
        self._check()
        return wire

    def _check(self) -> None:
        # Safety: in Wasm, protobuf's decoder traps on what this refuses.
        if not self._is_checked:
            native.check(self._payload, self.signal)
            self._is_checked = True
