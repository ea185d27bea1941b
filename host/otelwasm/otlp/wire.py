"""
Check, count, split, partition and join requests without decoding what is in them.

Counting and splitting read the frame only (see `_skeleton`): 0.02 ms for 1,000 spans (428 KB),
where the same walk in Python takes 0.41 ms; 2.2 us for one span (584 B). Refusing what is malformed
reads everything, with protobuf's own parser: 1.4 ms and 2.5 us; `checking` does the same faster.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from google.protobuf.message import DecodeError

from otelwasm.errors import PermanentError
from otelwasm.otlp._skeleton import request_class, trace_id
from otelwasm.otlp.signals import SERVICES
from otelwasm.signals import Signal

__all__ = [
    "count_items",
    "is_mergeable",
    "merge",
    "partition_by_trace",
    "refuse_malformed",
    "split",
]

# A field's tag and the longest length that may follow it, twice: a metric's points lie one deeper.
_FRAME_BYTES = 12


def refuse_malformed(signal: Signal, payload: bytes) -> None:
    """
    Raise PermanentError unless *payload* is a request of that signal.
    """
    try:
        SERVICES[signal].request.FromString(payload)
    except DecodeError as error:
        reason = str(error).rpartition("': ")[2]  # less the message's long name
        raise PermanentError(
            f"malformed {signal.label} request of {len(payload)} bytes: {reason}"
        ) from error


def count_items(signal: Signal, payload: bytes) -> int:
    """
    Count the spans, data points, log records or profiles in *payload*.

    Raises ValueError if it is not well-formed as far as it has to be read.
    """
    scopes = [scope for group in _read(signal, payload).children for scope in group.children]
    if signal is not Signal.METRICS:
        return sum(len(scope.children) for scope in scopes)
    return sum(len(_items_of(metric)) for scope in scopes for metric in scope.children)


def is_mergeable(signal: Signal) -> bool:
    """
    Say whether requests of *signal* may be joined.

    Profiles may not: a request's profiles point into tables of their own request.
    """
    return signal is not Signal.PROFILES


def merge(signal: Signal, payloads: Iterable[bytes]) -> bytes:
    """
    Join requests of one signal into one request.

    Raises ValueError for several requests of a signal that is not mergeable.
    """
    parts = list(payloads)
    if len(parts) > 1 and not is_mergeable(signal):
        raise ValueError(f"{signal.label} requests cannot be joined; send them one by one")
    return b"".join(parts)


def split(
    signal: Signal, payload: bytes, *, max_items: int | None = None, max_bytes: int | None = None
) -> list[bytes]:
    """
    Cut a request into requests of at most *max_items* and *max_bytes*, in order.

    What surrounds an item (resource, scope, metric, a profile's tables) is repeated in each part.
    An item that is too large for *max_bytes* on its own gets a part of its own.
    Raises ValueError if the request is not well-formed as far as it has to be read.
    """
    if max_items is not None and max_items < 1:
        raise ValueError(f"max_items is {max_items}; it has to be at least 1")
    few_enough = max_items is None or count_items(signal, payload) <= max_items
    if few_enough and (max_bytes is None or len(payload) <= max_bytes):
        return [payload]
    request = _read(signal, payload)
    groups = _take(request.children)
    parts = _Parts(request, max_items=max_items, max_bytes=max_bytes)
    for path, items in _runs(groups):
        parts.add(path, items)
    return parts.finish()


def partition_by_trace(signal: Signal, payload: bytes, *, count: int) -> dict[int, bytes]:
    """
    Cut a request into at most *count* requests, by number: all items of one trace are in one.

    The number is the trace id's last 8 bytes, modulo *count*, so it is the same for every request.
    Items without a trace, and requests of metrics and profiles, which have none, are in number 0.
    Takes 1.5 ms for 1,000 spans (428 KB). Raises ValueError as `split` does.
    """
    if count == 1 or signal not in (Signal.TRACES, Signal.LOGS):
        return {0: payload}
    request = _read(signal, payload)
    parts: dict[int, _Parts] = {}
    for path, items in _runs(_take(request.children)):
        shares: dict[int, list[bytes]] = {}
        for item in items:
            number = int.from_bytes(trace_id(signal, item)[-8:]) % count
            shares.setdefault(number, []).append(item)
        for number, share in (shares or {0: items}).items():
            if number not in parts:
                parts[number] = _Parts(request, max_items=None, max_bytes=None)
            parts[number].add(path, share)
    return {number: part.finish()[0] for number, part in parts.items()} or {0: payload}


def _read(signal: Signal, payload: bytes) -> Any:
    try:
        return request_class(signal).FromString(payload)
    except DecodeError as error:
        raise ValueError(f"malformed {signal.label} request: {error}") from error


def _take(children: Any) -> list[Any]:
    """
    Empty a repeated field and return what was in it, so that its owner is left as a shell.
    """
    taken = list(children)
    del children[:]
    return taken


def _runs(groups: list[Any]) -> Iterator[tuple[tuple[Any, ...], list[bytes]]]:
    """
    Give each run of items with the shells around it, outermost first; empty shells have none.
    """
    for group in groups:
        scopes = _take(group.children)
        if not scopes:
            yield (group,), []
        for scope in scopes:
            children = _take(scope.children)
            if not children or isinstance(children[0], bytes):
                yield (group, scope), children
                continue
            for metric in children:
                yield (group, scope, metric), _take(_items_of(metric))


def _items_of(shell: Any) -> Any:
    """
    Return the repeated field of a scope or a metric that holds its items.
    """
    if not shell.DESCRIPTOR.oneofs:
        return shell.children
    kind = shell.WhichOneof("data")
    return getattr(shell, kind).items if kind else []


class _Parts:
    """
    Fills one part after the other with items and with the shells that they need.
    """

    def __init__(self, request: Any, *, max_items: int | None, max_bytes: int | None) -> None:
        self._request = request
        self._max_items = sys.maxsize if max_items is None else max_items
        self._max_bytes = sys.maxsize if max_bytes is None else max_bytes
        self._done: list[bytes] = []
        self._begin()

    def add(self, path: tuple[Any, ...], items: list[bytes]) -> None:
        """
        Put *items*, and the shells around them, into the open part and as many more as it takes.
        """
        start = 0
        while True:
            if not self._fits(path, items[start : start + 1]):
                self.finish()
                self._begin()
            self._open(path)
            stop = self._last_that_fits(items, start)
            _items_of(self._opened[-1]).extend(items[start:stop])
            start = stop
            if start == len(items):
                return

    def finish(self) -> list[bytes]:
        """
        Close the open part; return all.
        """
        self._done.append(self._opened[0].SerializeToString())
        return self._done

    def _begin(self) -> None:
        self._opened = [_copy(self._request)]
        self._path: tuple[Any, ...] = ()
        self._items_left = self._max_items
        self._bytes_left: int = self._max_bytes - self._request.ByteSize()

    def _fits(self, path: tuple[Any, ...], first: list[bytes]) -> bool:
        """
        Say whether the open part can take the first item of a run, or is empty and has to.
        """
        if not self._path:
            return True
        if len(first) > self._items_left:
            return False
        shells = path[self._common(path) :]
        cost: int = sum(shell.ByteSize() + _FRAME_BYTES for shell in shells)
        cost += sum(len(item) + _FRAME_BYTES for item in first)
        return cost <= self._bytes_left

    def _open(self, path: tuple[Any, ...]) -> None:
        common = self._common(path)
        del self._opened[common + 1 :]
        for shell in path[common:]:
            opened = self._opened[-1].children.add()
            opened.CopyFrom(shell)
            self._opened.append(opened)
            self._bytes_left -= shell.ByteSize() + _FRAME_BYTES
        self._path = path

    def _common(self, path: tuple[Any, ...]) -> int:
        """
        Count the shells of *path*, from the outermost, that are open already.
        """
        pairs = zip(path, self._path, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))

    def _last_that_fits(self, items: list[bytes], start: int) -> int:
        """
        Book the items that fit, at least one; return where they end.
        """
        stop = start
        for item in items[start : start + self._items_left]:
            cost = len(item) + _FRAME_BYTES
            if stop > start and cost > self._bytes_left:
                break
            self._bytes_left -= cost
            stop += 1
        self._items_left -= stop - start
        return stop


def _copy(shell: Any) -> Any:
    copy = type(shell)()
    copy.CopyFrom(shell)
    return copy
