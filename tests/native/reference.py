"""
The extension's operations, done with protobuf: parse, change objects, serialize.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from struct import pack
from typing import Any

__all__ = [
    "delete_attribute",
    "drop",
    "hash_attribute",
    "messages",
    "plain",
    "put",
    "rename_attribute",
    "set_attribute",
]


def plain(value: Any) -> Any:
    """
    What an AnyValue holds, as a Python value.
    """
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [plain(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, kind)


def put(target: Any, value: Any) -> None:
    """
    Make an AnyValue hold a Python value.
    """
    target.Clear()
    target.SetInParent()
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int):
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, bytes):
        target.bytes_value = value
    elif isinstance(value, list):
        target.array_value.SetInParent()
        for element in value:
            put(target.array_value.values.add(), element)
    elif isinstance(value, dict):
        target.kvlist_value.SetInParent()
        for key, element in value.items():
            put(target.kvlist_value.values.add(key=key).value, element)


def _groups(request: Any) -> Any:
    return getattr(request, request.DESCRIPTOR.fields[0].name)


def _scopes(group: Any) -> Any:
    return getattr(group, group.DESCRIPTOR.fields_by_number[2].name)


def _members(scope: Any) -> Any:
    return getattr(scope, scope.DESCRIPTOR.fields_by_number[2].name)


def messages(request: Any, on: str) -> Iterator[tuple[Any, Any]]:
    """
    Every message of a level, and the repeated field that holds it, or, of a resource or a scope,
    its group.
    """
    for group in _groups(request):
        if on in ("resources", "everywhere"):
            yield group, group.resource
        for scope in _scopes(group):
            if on in ("scopes", "everywhere"):
                yield scope, scope.scope
            for member in _members(scope):
                yield from _within(_members(scope), member, on)


def _within(container: Any, member: Any, on: str) -> Iterator[tuple[Any, Any]]:
    kind = member.DESCRIPTOR.name
    own = {"Span": "spans", "LogRecord": "log_records", "Metric": "metrics", "Profile": "profiles"}
    if on in ("everywhere", own[kind]):
        yield container, member
    if kind == "Metric":
        data = member.WhichOneof("data")
        points = getattr(member, data).data_points if data else []
        for point in points:
            if on in ("everywhere", "data_points"):
                yield points, point
            if on in ("everywhere", "exemplars"):
                yield from ((point.exemplars, one) for one in getattr(point, "exemplars", ()))
        return
    for name in ("events", "links", "samples"):
        if on in ("everywhere", name):
            yield from ((getattr(member, name), part) for part in getattr(member, name, ()))


def attributes(message: Any) -> Any:
    """
    A message's attributes, whatever their field is called; None where it has none.
    """
    for name in ("attributes", "filtered_attributes", "metadata"):
        if name in message.DESCRIPTOR.fields_by_name:
            return getattr(message, name)
    return None


def _keep(pairs: Any, places: list[int]) -> None:
    for place in reversed(range(len(pairs))):
        if place not in places:
            del pairs[place]


def set_attribute(request: Any, key: str, value: Any, *, mode: str, on: str) -> int:
    """
    As `Batch.set_attribute`.
    """
    count = 0
    for _, message in messages(request, on):
        pairs = attributes(message)
        if pairs is None:
            continue
        places = [place for place, pair in enumerate(pairs) if pair.key == key]
        if places and mode != "insert":
            put(pairs[places[0]].value, value)
            others = [p for p in range(len(pairs)) if p not in places[1:]]
            _keep(pairs, others)
            count += 1
        elif not places and mode != "update":
            if message.DESCRIPTOR.name in ("Resource", "InstrumentationScope"):
                message.SetInParent()
            put(pairs.add(key=key).value, value)
            count += 1
    return count


def delete_attribute(request: Any, keys: tuple[str, ...], *, on: str) -> int:
    """
    As `Batch.delete_attribute`.
    """
    count = 0
    for _, message in messages(request, on):
        pairs = attributes(message)
        if pairs is not None:
            kept = [place for place, pair in enumerate(pairs) if pair.key not in keys]
            count += len(pairs) - len(kept)
            _keep(pairs, kept)
    return count


def rename_attribute(request: Any, old: str, new: str, *, on: str) -> int:
    """
    As `Batch.rename_attribute`.
    """
    count = 0
    for _, message in messages(request, on):
        pairs = attributes(message) if attributes(message) is not None else ()
        renamed = [pair for pair in pairs if pair.key == old]
        if renamed:
            places = [place for place, pair in enumerate(pairs) if pair.key in (old, new)]
            moved = type(renamed[0]).FromString(renamed[0].SerializeToString())
            moved.key = new
            pairs[places[0]].CopyFrom(moved)
            _keep(pairs, [p for p in range(len(pairs)) if p not in places[1:]])
            count += 1
    return count


def hashed(value: Any, salt: bytes, encode: Callable[[Any], bytes]) -> str:
    """
    The hash of an attribute's value.
    """
    match value:
        case None:
            data = b""
        case str():
            data = value.encode()
        case bool():
            data = bytes([value])
        case int():
            data = value.to_bytes(8, "little", signed=True)
        case float():
            data = pack("<d", value)
        case bytes():
            data = value
        case _:
            data = encode(value)
    return sha256(salt + data).hexdigest() if data else ""


def hash_attribute(
    request: Any, keys: tuple[str, ...], *, salt: bytes, encode: Callable[[Any], bytes], on: str
) -> int:
    """
    As `Batch.hash_attribute`.
    """
    count = 0
    for _, message in messages(request, on):
        for pair in attributes(message) or ():
            if pair.key in keys:
                put(pair.value, hashed(plain(pair.value), salt, encode))
                count += 1
    return count


def drop(request: Any, is_doomed: Callable[[Any], bool], *, on: str) -> int:
    """
    As `Batch.drop`, with the condition as a function of the message.
    """
    dropped = 0

    def prune(holder: Any, is_gone: Callable[[Any], bool]) -> bool:
        """
        Take out what is gone; whether that took the last one.
        """
        places = [place for place, member in enumerate(holder) if is_gone(member)]
        for place in reversed(places):
            del holder[place]
        return bool(places) and not len(holder)

    def counted(message: Any) -> bool:
        nonlocal dropped
        is_gone = is_doomed(message)
        dropped += is_gone
        return is_gone

    def is_group_gone(group: Any) -> bool:
        if on == "resources":
            return counted(group.resource)
        return prune(_scopes(group), is_scope_gone)

    def is_scope_gone(scope: Any) -> bool:
        if on == "scopes":
            return counted(scope.scope)
        return prune(_members(scope), is_member_gone)

    def is_member_gone(member: Any) -> bool:
        if on in ("spans", "log_records", "metrics", "profiles"):
            return counted(member)
        if member.DESCRIPTOR.name != "Metric":
            prune(getattr(member, on), counted)
            return False
        data = member.WhichOneof("data")
        points = getattr(member, data).data_points if data else []
        if on == "data_points":
            return prune(points, counted)
        for point in points:
            prune(getattr(point, "exemplars", []), counted)
        return False

    prune(_groups(request), is_group_gone)
    return dropped
