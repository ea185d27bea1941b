"""
Do what the Collector's attributes processor does, by the same configuration.

Where that processor's documentation and its code (v0.155) differ, this follows the code, so that
configurations can be moved: metrics are chosen by their names alone, and `resources` does not
count for them. `from_context` is refused: a batch comes without its request's headers. Patterns
are Python's regular expressions, and like Go's they may match anywhere in the text.
"""

import hashlib
import math
import re
from collections.abc import Collection, MutableMapping
from typing import Any, Literal

import attrs

from otelwasm_sdk import (
    Batch,
    DataPoint,
    Item,
    LogRecord,
    Logs,
    Metrics,
    Permanent,
    Scope,
    Signal,
    Span,
    Traces,
    hashed,
    processor,
    text_of,
)

Attributes = MutableMapping[str, Any]
ABSENT = object()
SOURCES = ("value", "from_attribute", "default_value")
# What each action reads besides its key.
USED = {
    **dict.fromkeys(("insert", "update", "upsert"), SOURCES),
    **dict.fromkeys(("delete", "hash", "extract"), ("pattern",)),
    "convert": ("converted_type",),
}


def compiled(text: str) -> re.Pattern[str]:
    try:
        # As in Go, \d, \w and \s are those of ASCII.
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None


@attrs.frozen
class Action:
    action: str = attrs.field(converter=str.lower)
    key: str = ""
    value: Any = None
    from_attribute: str = ""
    default_value: Any = None
    from_context: str = ""
    pattern: str = ""
    converted_type: Literal["", "int", "double", "string"] = ""
    regex: re.Pattern[str] = attrs.field(init=False)

    @regex.default
    def _compile(self) -> re.Pattern[str]:
        return compiled(self.pattern)

    def __attrs_post_init__(self) -> None:
        if self.from_context:
            raise ValueError("from_context is not supported: a batch has no request headers")
        if self.action not in USED:
            raise ValueError(f"action {self.action!r} is none of {', '.join(USED)}")
        given = [
            name
            for name in (*SOURCES, "pattern", "converted_type")
            if getattr(self, name) is not None and (name in SOURCES[::2] or getattr(self, name))
        ]
        if unused := [name for name in given if name not in USED[self.action]]:
            raise ValueError(f"action {self.action} of {self.key!r} does not use {unused[0]}")
        if not given and self.action not in ("delete", "hash"):
            wanted = " or ".join(USED[self.action])
            raise ValueError(f"action {self.action} of {self.key!r} needs {wanted}")
        if not self.key and not (self.pattern and self.action in ("delete", "hash")):
            raise ValueError(f"action {self.action} needs a key")
        if {"value", "from_attribute"} <= {*given}:
            raise ValueError(f"action {self.action} of {self.key!r} has two sources of its value")
        if self.action == "extract" and not 0 < self.regex.groups == len(self.regex.groupindex):
            raise ValueError(f"the pattern of {self.key!r} needs groups, each with a name")

    def apply(self, attributes: Attributes) -> None:
        is_there = self.key in attributes
        match self.action:
            case "insert" | "update" | "upsert":
                if self.action == "upsert" or is_there == (self.action == "update"):
                    value = self.source(attributes)
                    if value is not ABSENT:
                        attributes[self.key] = value
            case "delete":
                for key in self.keys(attributes):
                    attributes.pop(key, None)
            case "hash":
                for key in self.keys(attributes):
                    attributes[key] = hash_of(attributes[key])
            case "extract":
                text = attributes.get(self.key)
                if isinstance(text, str) and (found := self.regex.search(text)):
                    attributes.update(found.groupdict(default=""))
            case "convert" if is_there:
                value = attributes[self.key]
                converted = CONVERSIONS[self.converted_type](value)
                if type(converted) is not type(value):
                    attributes[self.key] = converted

    def source(self, attributes: Attributes) -> Any:
        if self.value is not None:
            return self.value
        if self.from_attribute and self.from_attribute in attributes:
            return attributes[self.from_attribute]
        return ABSENT if self.default_value is None else self.default_value

    def keys(self, attributes: Attributes) -> list[str]:
        # What both the key and the pattern name is hashed twice, as by the Collector.
        keys = [self.key] if self.key in attributes else []
        return keys + [key for key in attributes if self.pattern and self.regex.search(key)]


def hash_of(value: object) -> str:
    if value == "":
        return hashlib.sha256().hexdigest()
    return hashed(value) if isinstance(value, str | bool | int | float) else ""


def to_int(value: object) -> object:
    if isinstance(value, str):
        fits = re.fullmatch(r"[+-]?[0-9]+", value) and -(2**63) <= int(value) < 2**63
        return int(value) if fits else value
    if isinstance(value, float):
        # What does not fit becomes what Go makes of it on amd64.
        return int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)
    return int(value) if isinstance(value, bool) else value


def to_double(value: object) -> object:
    if isinstance(value, str):
        number = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?"
        if re.fullmatch(rf"{number}", value, re.IGNORECASE):
            return value if math.isinf(float(value)) else float(value)
        is_special = re.fullmatch(r"[+-]?inf(inity)?|nan", value, re.IGNORECASE)
        return float(value) if is_special else value
    return float(value) if isinstance(value, bool | int) else value


CONVERSIONS = {"int": to_int, "double": to_double, "string": text_of}


@attrs.frozen
class Pair:
    """An attribute to look for; without a value, any will do."""

    key: str = attrs.field(validator=attrs.validators.min_len(1))
    value: Any = None


@attrs.frozen
class Library:
    name: str
    version: str | None = None


@attrs.frozen
class Severity:
    min: int = 0
    match_undefined: bool = False


KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
SPAN_KINDS = tuple(f"SPAN_KIND_{kind}" for kind in KINDS)
EVERYWHERE = {"attributes", "libraries", "resources"}
# By what the items of a signal can be chosen.
CHOOSING: dict[Signal, set[str]] = {
    Signal.TRACES: {"services", "span_names", "span_kinds"} | EVERYWHERE,
    Signal.METRICS: {"metric_names", "resources"},
    Signal.LOGS: {"log_bodies", "log_severity_texts", "log_severity_number"} | EVERYWHERE,
}


@attrs.frozen
class Properties:
    """Holds if all that is given holds; of a list of texts, one has to match."""

    match_type: Literal["strict", "regexp"]
    services: tuple[str, ...] = ()
    span_names: tuple[str, ...] = ()
    span_kinds: tuple[str, ...] = ()
    log_bodies: tuple[str, ...] = ()
    log_severity_texts: tuple[str, ...] = ()
    log_severity_number: Severity | None = None
    metric_names: tuple[str, ...] = ()
    attributes: tuple[Pair, ...] = ()
    resources: tuple[Pair, ...] = ()
    libraries: tuple[Library, ...] = ()
    # How the Collector caches matches, accepted so that configurations can be moved.
    regexp: dict[str, Any] = attrs.field(factory=dict)
    given: frozenset[str] = attrs.field(init=False)

    @given.default
    def _given(self) -> frozenset[str]:
        names = set().union(*CHOOSING.values())
        return frozenset(name for name in names if getattr(self, name))

    def __attrs_post_init__(self) -> None:
        problems = [self.problem(signal) for signal in CHOOSING]
        if all(problems):
            raise ValueError("; ".join(problems))
        pairs = (*self.attributes, *self.resources)
        if self.match_type == "strict":
            if unknown := sorted({*self.span_kinds} - {*SPAN_KINDS[1:]}):
                raise ValueError(f"span_kinds: {unknown[0]!r} is none of {SPAN_KINDS[1:]}")
            return
        for pair in pairs:
            if not isinstance(pair.value, str | None):
                raise ValueError(f"match_type regexp takes a text as value of {pair.key!r}")
        for text in (
            *(self.services + self.span_names + self.span_kinds),
            *(self.log_bodies + self.log_severity_texts + self.metric_names),
            *(pair.value or "" for pair in pairs),
            *(text or "" for each in self.libraries for text in (each.name, each.version)),
        ):
            compiled(text)

    def problem(self, signal: Signal) -> str:
        """Say why it cannot choose items of *signal*, if it cannot."""
        if not self.given:
            return f"{signal.label} are chosen by {', '.join(sorted(CHOOSING[signal]))}"
        strange = sorted(self.given - CHOOSING[signal])
        return f"{strange[0]} does not choose {signal.label}" if strange else ""

    def counts(self, signal: Signal) -> bool:
        return signal is not Signal.METRICS or bool(self.metric_names)

    def match(self, item: Item) -> bool:
        if isinstance(item, DataPoint):
            return self.one(self.metric_names, item.metric.name)
        return (
            self.match_fields(item)
            and self.has(self.resources, item.resource.attributes)
            and self.has(self.attributes, item.attributes)
            and all(self.match_library(library, item.scope) for library in self.libraries)
        )

    def match_fields(self, item: Item) -> bool:
        if isinstance(item, Span):
            service = item.resource.attributes.get("service.name", "<nil-service-name>")
            return (
                self.one(self.services, text_of(service))
                and self.one(self.span_names, item.name)
                and self.one(self.span_kinds, SPAN_KINDS[item.kind] if item.kind < 6 else "")
            )
        if isinstance(item, LogRecord):
            return (
                self.one(self.log_bodies, text_of(item.body) if self.log_bodies else "")
                and self.one(self.log_severity_texts, item.severity_text)
                and self.is_severe(item.severity_number)
            )
        return True

    def match_library(self, library: Library, scope: Scope) -> bool:
        is_version = library.version is None or self.one((library.version,), scope.version)
        return is_version and self.one((library.name,), scope.name)

    def is_severe(self, number: int) -> bool:
        if self.log_severity_number is None:
            return True
        # 0 means that nobody said how severe it is.
        if number == 0:
            return self.log_severity_number.match_undefined
        return number >= self.log_severity_number.min

    def has(self, pairs: Collection[Pair], attributes: Attributes) -> bool:
        return all(
            pair.key in attributes and self.match_value(pair.value, attributes[pair.key])
            for pair in pairs
        )

    def match_value(self, wanted: Any, value: object) -> bool:
        if wanted is None:
            return True
        if self.match_type == "strict":
            return type(wanted) is type(value) and text_of(wanted) == text_of(value)
        is_scalar = isinstance(value, str | bool | int | float)
        return is_scalar and self.one((wanted,), text_of(value))

    def one(self, wanted: Collection[str], text: str) -> bool:
        if self.match_type == "strict":
            return not wanted or text in wanted
        return not wanted or any(re.search(each, text, re.ASCII) for each in wanted)


@attrs.frozen
class Config:
    actions: tuple[Action, ...] = attrs.field(validator=attrs.validators.min_len(1))
    include: Properties | None = None
    exclude: Properties | None = None

    def chosen(self, batch: Batch) -> list[Item]:
        for properties in (self.include, self.exclude):
            if properties and (problem := properties.problem(batch.signal)):
                # In the Collector such a pipeline does not start.
                raise Permanent(f"include or exclude does not fit: {problem}")
        include, exclude = (
            properties if properties and properties.counts(batch.signal) else None
            for properties in (self.include, self.exclude)
        )
        return [
            item
            for item in batch.items()
            if (include is None or include.match(item))
            and not (exclude is not None and exclude.match(item))
        ]


@processor
def attributes(batch: Traces | Metrics | Logs, config: Config) -> Traces | Metrics | Logs:
    chosen = config.chosen(batch) if config.include or config.exclude else None
    for action in config.actions:
        if chosen is None and action.action == "upsert" and action.value is not None:
            batch.set_attribute(action.key, action.value)  # the whole batch at once, in C
        else:
            for item in batch.items() if chosen is None else chosen:
                action.apply(item.attributes)
    return batch
