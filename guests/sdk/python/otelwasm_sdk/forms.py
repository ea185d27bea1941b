"""
Choose how a batch is held: as bytes that the C extension edits, or as a protobuf message.
"""

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any, Protocol

from google.protobuf.message import DecodeError, Message

from otelwasm_sdk.failures import Malformed
from otelwasm_sdk.message import MessageBatch
from otelwasm_sdk.signals import Signal

__all__ = ["Form", "decode", "open_payload"]

Check = Callable[[bytes, Signal], None]


class Form(Protocol):
    """
    What both forms of a batch do.
    """

    def __bytes__(self) -> bytes:
        """
        The payload: as it came while nothing was changed, else with all changes.
        """

    def each(self, on: str = "items", having: str | None = None) -> Sequence[Any]:
        """
        All messages of a kind, or those with an attribute.
        """

    def all_attributes(self) -> Iterator[MutableMapping[str, Any]]:
        """
        Every set of attributes.
        """

    def set_attribute(self, key: str, value: object) -> int:
        """
        Set an attribute of each item.
        """

    def delete_attribute(self, key: str) -> int:
        """
        Delete an attribute everywhere; how many there were.
        """

    def hash_attributes(self, keys: tuple[str, ...], salt: str) -> int:
        """
        Hash attributes everywhere; how many there were.
        """


_check: Check | None
_open: Callable[[bytes, Signal], Form] | None
try:
    from otelwasm_sdk.wire import WireBatch as _open
    from otelwasm_sdk.wire import check as _check
except ImportError:
    # No component, but a test: a component without the extension is never built.
    _check = _open = None


def open_payload(payload: bytes, signal: Signal, request: type[Message]) -> Form:
    """
    Hold *payload* on the wire where that is possible, else decoded.
    """
    if _open is not None:
        return _open(payload, signal)
    return MessageBatch(decode(payload, signal, request), payload)


def decode(payload: bytes, signal: Signal, request: type[Message]) -> Any:
    """
    Decode *payload*; raises Malformed if it is no *request*.
    """
    if _check is not None:
        # Safety: in Wasm the decoder traps on what it does not take.
        _check(payload, signal)
    try:
        return request.FromString(payload)
    except DecodeError as error:
        raise Malformed(f"malformed {signal.label} payload: {error}") from None
