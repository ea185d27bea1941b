"""
Take one decoded batch apart into several, by a key for each of its items.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, TypeVar

from opentelemetry.proto.metrics.v1 import metrics_pb2

__all__ = ["split_message"]

K = TypeVar("K", bound=Hashable)


def split_message(message: Any, keys: Sequence[K]) -> dict[K, Any]:
    """
    Copy each item of *message*, with its resource and scope, into the part of its key.

    *keys* are those of all items, in their order.
    """
    parts: dict[K, Any] = {}
    keys_left = iter(keys)
    resources = _list_named("resource_", message)
    for group in getattr(message, resources):
        groups: dict[K, Any] = {}
        scopes = _list_named("scope_", group)
        for scope_group in getattr(group, scopes):
            members = _list_named("", scope_group)
            containers: dict[K, Any] = {}
            for key, piece in _pieces(getattr(scope_group, members), keys_left):
                if key not in containers:
                    if key not in groups:
                        if key not in parts:
                            parts[key] = _new_part(message)
                        groups[key] = getattr(parts[key], resources).add()
                        groups[key].resource.CopyFrom(group.resource)
                        groups[key].schema_url = group.schema_url
                    part_scope = getattr(groups[key], scopes).add()
                    part_scope.scope.CopyFrom(scope_group.scope)
                    part_scope.schema_url = scope_group.schema_url
                    containers[key] = getattr(part_scope, members)
                containers[key].append(piece)
    return parts


def _list_named(prefix: str, message: Any) -> str:
    """
    The name of the field with what *message* groups.
    """
    return next(
        str(field.name)
        for field in message.DESCRIPTOR.fields
        if field.is_repeated and field.message_type is not None and field.name.startswith(prefix)
    )


def _new_part(message: Any) -> Any:
    part = type(message)()
    if "dictionary" in message.DESCRIPTOR.fields_by_name:
        # Profiles refer to it.
        part.dictionary.CopyFrom(message.dictionary)
    return part


def _pieces(members: Any, keys: Iterator[K]) -> Iterator[tuple[K, Any]]:
    for member in members:
        if not isinstance(member, metrics_pb2.Metric):
            yield next(keys), member
            continue
        # A metric is no item: its points are, and each takes the metric along.
        pieces: dict[K, Any] = {}
        for point in _points(member):
            key = next(keys)
            if key not in pieces:
                pieces[key] = _without_points(member)
            _points(pieces[key]).append(point)
        yield from pieces.items()


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return () if kind is None else getattr(metric, kind).data_points


def _without_points(metric: Any) -> Any:
    shell = metrics_pb2.Metric(
        name=metric.name,
        description=metric.description,
        unit=metric.unit,
        metadata=metric.metadata,
    )
    kind = metric.WhichOneof("data")
    data = getattr(shell, kind)
    data.SetInParent()
    for field, value in getattr(metric, kind).ListFields():
        if field.name != "data_points":
            setattr(data, field.name, value)
    return shell
