"""
Write decoded OTLP requests for a person to read: a line for each item, or every field.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

__all__ = ["detailed", "normal"]


def normal(request: Any) -> Iterator[str]:
    """
    Give a line for each resource, scope and item (span, data point, log record, profile).
    """
    for groups in _repeated(request, "resource_"):
        for number, group in enumerate(groups):
            yield _line(f"resource #{number}", group.resource.attributes)
            for scopes in _repeated(group, "scope_"):
                for index, scope in enumerate(scopes):
                    about = scope.scope
                    name = "@".join(filter(None, (about.name, about.version)))
                    yield _line(f"scope #{index} {name}".rstrip(), about.attributes)
                    yield from _items(scope)


def detailed(message: Any, *, indent: str = "  ") -> Iterator[str]:
    """
    Give a line for each field that is set, indented as deep as it lies.
    """
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            yield f"{indent}{field.name}: {_scalar(field, value)}"
        elif field.message_type.name == "KeyValue":
            yield f"{indent}{field.name}:"
            for pair in value:
                yield f"{indent}  {pair.key}: {_any_value(pair.value)}"
        elif field.message_type.name == "AnyValue":
            yield f"{indent}{field.name}: {_any_value(value)}"
        elif field.is_repeated:
            for number, item in enumerate(value):
                yield f"{indent}{field.name} #{number}"
                yield from detailed(item, indent=indent + "  ")
        else:
            yield f"{indent}{field.name}:"
            yield from detailed(value, indent=indent + "  ")


def _repeated(message: Any, prefix: str) -> Iterator[Any]:
    for field, value in message.ListFields():
        if field.name.startswith(prefix) and field.is_repeated:
            yield value


def _items(scope: Any) -> Iterator[str]:
    for span in getattr(scope, "spans", ()):
        ids = f"{span.trace_id.hex()} {span.span_id.hex()}"
        yield _line(f"  {span.name} {ids}", span.attributes)
    for record in getattr(scope, "log_records", ()):
        yield _line(f"  {_any_value(record.body)}", record.attributes)
    for profile in getattr(scope, "profiles", ()):
        yield f"  {profile.profile_id.hex()} samples={len(profile.samples)}"
    for metric in getattr(scope, "metrics", ()):
        kind = metric.WhichOneof("data")
        for point in getattr(metric, kind).data_points if kind else ():
            yield f"  {metric.name}{{{_pairs(point.attributes, ', ')}}} {_point(point)}"


def _point(point: Any) -> str:
    """
    Write a data point's value, or the numbers of its distribution.
    """
    if "value" in point.DESCRIPTOR.oneofs_by_name:
        which = point.WhichOneof("value")
        return str(getattr(point, which)) if which else "no value"
    numbers = [f"count={point.count}"]
    for name in ("sum", "min", "max"):
        field = point.DESCRIPTOR.fields_by_name.get(name)
        if field is not None and (not field.has_presence or point.HasField(name)):
            numbers.append(f"{name}={getattr(point, name)}")
    return " ".join(numbers)


def _line(start: str, attributes: Any) -> str:
    return f"{start} {_pairs(attributes, ' ')}".rstrip()


def _pairs(attributes: Iterable[Any], separator: str) -> str:
    return separator.join(f"{pair.key}={_any_value(pair.value)}" for pair in attributes)


def _any_value(value: Any) -> str:
    which = value.WhichOneof("value")
    if which is None:
        return ""
    inner = getattr(value, which)
    if which == "array_value":
        return f"[{', '.join(map(_any_value, inner.values))}]"
    if which == "kvlist_value":
        return f"{{{_pairs(inner.values, ', ')}}}"
    if which == "bytes_value":
        return str(inner.hex())
    if which == "bool_value":
        return "true" if inner else "false"
    return str(inner)


def _scalar(field: Any, value: Any) -> str:
    if field.is_repeated:
        return ", ".join(map(str, value))
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return named.name if named is not None else str(value)
    if isinstance(value, bytes):
        return value.hex()
    if field.name.endswith("time_unix_nano"):
        seconds, nanos = divmod(value, 1_000_000_000)
        try:
            moment = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return str(value)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
    return str(value)
