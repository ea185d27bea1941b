"""
Put parts of OTLP/JSON into words: which span, what value, how many of what.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

__all__ = ["ATTRIBUTES", "LISTS", "any_value", "count", "label", "unlike", "value"]

# What one member of each list is called; groups first, from the outside.
LISTS: Mapping[str, str] = {
    "resourceSpans": "resource",
    "resourceMetrics": "resource",
    "resourceLogs": "resource",
    "resourceProfiles": "resource",
    "scopeSpans": "scope",
    "scopeMetrics": "scope",
    "scopeLogs": "scope",
    "scopeProfiles": "scope",
    "spans": "span",
    "metrics": "metric",
    "logRecords": "log record",
    "profiles": "profile",
    "events": "event",
    "links": "link",
    "dataPoints": "data point",
    "exemplars": "exemplar",
}
ATTRIBUTES: Mapping[str, str] = {
    "attributes": "attribute",
    "filteredAttributes": "filtered attribute",
}
_ITEMS = ("spans", "metrics", "logRecords", "profiles")
_ENUMS: Mapping[str, tuple[Any, str]] = {
    "kind": (Span.SpanKind, "SPAN_KIND_"),
    "code": (Status.StatusCode, "STATUS_CODE_"),
    "severityNumber": (SeverityNumber, "SEVERITY_NUMBER_"),
    "aggregationTemporality": (AggregationTemporality, "AGGREGATION_TEMPORALITY_"),
}
_WHOLE = ("UnixNano", "asInt", "count", "Count")
_LONGEST = 160
_LONGEST_LABEL = 60
_BEFORE = 40


def label(kind: str, member: Any) -> str:
    """
    What to call one *member*, which is a span, a resource, …: `span "GET /cart"`.
    """
    return " ".join(filter(None, (kind, _short(_own(kind, member)))))


def any_value(tree: Any, *, is_bare: bool = False) -> str:
    """
    Show a value of OTLP's own: `"ada"`, `5`, `5.0`, `[1, "a"]`, `{"k": true}`.
    """
    if not isinstance(tree, dict) or len(tree) != 1:
        return value("", tree) if tree else "nothing"
    [(kind, inner)] = tree.items()
    match kind:
        case "stringValue":
            return str(inner) if is_bare else _quoted(inner)
        case "intValue":
            return str(inner)
        case "doubleValue":
            return repr(float(inner)) if isinstance(inner, int | float) else str(inner)
        case "arrayValue":
            return f"[{', '.join(any_value(each) for each in inner.get('values', ()))}]"
        case "kvlistValue":
            pairs = inner.get("values", ())
            shown = (
                f"{_quoted(each['key'])}: {any_value(each.get('value', {}))}" for each in pairs
            )
            return f"{{{', '.join(shown)}}}"
        case "bytesValue":
            return f"bytes {inner!r} (base64)"
    return json.dumps(inner, ensure_ascii=False)


def value(name: str, tree: Any) -> str:
    """
    Show the value of the member *name*: numbers without quotes, enums with their names.
    """
    if name in _ENUMS and isinstance(tree, int):
        enum, prefix = _ENUMS[name]
        if tree in enum.values():
            return f"{tree} ({enum.Name(tree).removeprefix(prefix)})"
    if isinstance(tree, str) and name.endswith(_WHOLE):
        return tree
    return json.dumps(tree, ensure_ascii=False)


def unlike(expected: str, came: str) -> tuple[str, str]:
    """
    Cut two long texts to the part where they begin to differ.
    """
    longest = max(len(expected), len(came))
    if longest <= _LONGEST:
        return expected, came
    same = next(
        (place for place, (one, two) in enumerate(zip(expected, came, strict=False)) if one != two),
        min(len(expected), len(came)),
    )
    start = max(0, same - _BEFORE)
    return _cut(expected, start), _cut(came, start)


def count(tree: Any) -> str:
    """
    Say how much is in a request, or a part of one: `14 spans`, `1 log record`.
    """
    for name in _ITEMS:
        if held := _held(tree, name):
            word = LISTS[name]
            return f"{held} {word}" if held == 1 else f"{held} {word}s"
    return "nothing"


def _own(kind: str, member: Any) -> str:
    if not isinstance(member, dict):
        return ""
    match kind:
        case "resource":
            return _resource(member)
        case "scope":
            return _quoted(member.get("scope", {}).get("name"))
        case "log record":
            return any_value(member["body"]) if member.get("body") else ""
        case "data point":
            return _pairs(member.get("attributes", ()))
        case "exemplar":
            return _pairs(member.get("filteredAttributes", ()))
        case "link":
            return f"to {member['spanId']}" if "spanId" in member else ""
    return _quoted(member.get("name"))


def _pairs(attributes: Iterable[Any]) -> str:
    pairs = (f"{each['key']}={any_value(each.get('value'), is_bare=True)}" for each in attributes)
    return f"{{{', '.join(pairs)}}}" if attributes else ""


def _resource(member: Any) -> str:
    pairs = {
        each.get("key"): any_value(each.get("value", {}), is_bare=True)
        for each in member.get("resource", {}).get("attributes", ())
    }
    name = "service.name" if "service.name" in pairs else next(iter(pairs), None)
    return "" if name is None else f"{name}={pairs[name]}"


def _quoted(name: object) -> str:
    return "" if name is None else json.dumps(name, ensure_ascii=False)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else f"{text[:_LONGEST_LABEL]}…"


def _cut(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _held(tree: Any, name: str) -> int:
    if isinstance(tree, dict):
        return sum(
            len(member) if key == name and isinstance(member, list) else _held(member, name)
            for key, member in tree.items()
        )
    return sum(_held(each, name) for each in tree) if isinstance(tree, list) else 0
