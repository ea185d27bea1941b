"""
A batch as the payload's bytes, which the C extension goes through and changes without decoding.

The extension is in every component, and nowhere else. There, this is a batch's form until its
plugin asks for the protobuf message.
"""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import otelwasm_native as native
from otelwasm_sdk.failures import Malformed
from otelwasm_sdk.signals import Signal
from otelwasm_sdk.values import bytes_to_hash
from otelwasm_sdk.views import attributes_of, view_types

__all__ = ["WireBatch", "check"]

_PREFIX = "malformed OTLP payload: "


class WireBatch:
    """
    A batch that is edited on the wire.
    """

    def __init__(self, payload: bytes, signal: Signal) -> None:
        self._payload = payload
        self._signal = signal
        self._batch = native.Batch(payload, signal)
        self._is_checked = False

    def __bytes__(self) -> bytes:
        return bytes(self._batch)

    def each(self, on: str = "items", having: str | None = None) -> Sequence[Any]:
        """
        All messages of a kind, or those with an attribute.
        """
        if not self._is_checked:
            # Before anybody sees a part of it: nobody should work with half of a payload.
            check(self._payload, self._signal)
            self._is_checked = True
        return self._batch.each(on, having)

    def all_attributes(self) -> Iterator[MutableMapping[str, Any]]:
        """
        Every set of attributes.
        """
        return map(attributes_of, self.each("everywhere"))

    def set_attribute(self, key: str, value: object) -> int:
        """
        Set it on each item.
        """
        return self._run(self._batch.set_attribute, key, value)

    def delete_attribute(self, key: str) -> int:
        """
        Delete it everywhere; how many there were.
        """
        return self._run(self._batch.delete_attribute, key, on="everywhere")

    def hash_attributes(self, keys: tuple[str, ...], salt: str) -> int:
        """
        Hash them everywhere; how many there were.
        """
        return self._run(
            self._batch.hash_attribute,
            keys,
            salt=salt.encode(),
            encode=bytes_to_hash,
            on="everywhere",
        )

    def _run(self, operation: Callable[..., int], *arguments: object, **named: object) -> int:
        try:
            return operation(*arguments, **named)
        except ValueError as error:
            raise _refusal(error, self._signal) from None


def check(payload: bytes, signal: Signal) -> None:
    """
    Refuse a payload that protobuf's decoder would not take: in Wasm it would trap.
    """
    try:
        native.check(payload, signal)
    except ValueError as error:
        raise _refusal(error, signal) from None


def _refusal(error: ValueError, signal: Signal) -> ValueError | Malformed:
    text = str(error)
    if not text.startswith(_PREFIX):
        return error
    return Malformed(f"malformed {signal.label} payload: {text.removeprefix(_PREFIX)}")


for made in view_types(lambda name: getattr(native, name)).values():
    native.use_view_type(made)
MutableMapping.register(native.Attributes)
