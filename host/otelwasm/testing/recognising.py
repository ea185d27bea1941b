"""
Recognise a span, a metric or a log record again, though a plugin changed it.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from otelwasm.testing.pairing import Key
from otelwasm.testing.wording import label

__all__ = ["keys_of"]


def keys_of(kind: str) -> tuple[Key, ...]:
    """
    By what something of this *kind* is recognised: the surest first.
    """
    return _KEYS.get(kind, ())


def _fields(*names: str) -> Callable[[Any], str | None]:
    def key(member: Any) -> str | None:
        return _text([member[name] for name in names]) if all(n in member for n in names) else None

    return key


def _text(tree: object) -> str:
    return json.dumps(tree, sort_keys=True)


def _labelled(kind: str) -> Callable[[Any], str | None]:
    def key(member: Any) -> str | None:
        text = label(kind, member)
        return None if text == kind else text

    return key


def _ids(member: Any) -> str | None:
    return _text([member.get("traceId"), member["spanId"]]) if member.get("spanId") else None


_KEYS: Mapping[str, tuple[Key, ...]] = {
    "resource": (_fields("resource"), _labelled("resource")),
    "scope": (_fields("scope"), _labelled("scope")),
    "span": (_ids, _fields("name")),
    "metric": (_fields("name"),),
    "log record": (_fields("timeUnixNano", "body"), _fields("body")),
    "event": (_fields("timeUnixNano", "name"), _fields("name")),
    "link": (_ids,),
    "data point": (_fields("attributes", "timeUnixNano"), _fields("attributes")),
}
