"""Drop spans, data points and log records that nobody wants to keep, as health checks."""

import re
from collections.abc import Mapping
from typing import Any

import attrs

from otelwasm_sdk import Batch, DataPoint, Item, LogRecord, Span, meter, processor


@attrs.frozen
class Condition:
    """Holds if everything that is given holds; patterns have to match the whole text."""

    # The name of a span, a metric or an event.
    name: re.Pattern[str] | None = None
    # The text of a log record.
    body: re.Pattern[str] | None = None
    # Log records below this severity number: 9 is where information begins, 17 where errors do.
    severity_below: int | None = None
    attributes: dict[str, re.Pattern[str]] = attrs.field(factory=dict)
    resource: dict[str, re.Pattern[str]] = attrs.field(factory=dict)

    def holds(self, item: Item) -> bool:
        return (
            (self.name is None or matches(self.name, name_of(item)))
            and (self.body is None or matches(self.body, getattr(item, "body", None)))
            and (self.severity_below is None or is_below(self.severity_below, item))
            and match_all(self.attributes, item.attributes)
            and match_all(self.resource, item.resource.attributes)
        )


@attrs.frozen
class Config:
    drop: tuple[Condition, ...] = ()


@processor
def filter(batch: Batch, config: Config) -> Batch:
    # A batch that is emptied by this is not sent on at all.
    dropped = batch.drop(lambda item: any(condition.holds(item) for condition in config.drop))
    if dropped:
        meter.add("filter.dropped", dropped, signal=batch.signal.label)
    return batch


def name_of(item: Item) -> str | None:
    if isinstance(item, Span):
        return item.name
    if isinstance(item, DataPoint):
        return item.metric.name
    return item.event_name if isinstance(item, LogRecord) else None


def is_below(severity_number: int, item: Item) -> bool:
    # 0 means that the source did not say how severe it is.
    return isinstance(item, LogRecord) and 0 < item.severity_number < severity_number


def match_all(patterns: Mapping[str, re.Pattern[str]], attributes: Mapping[str, Any]) -> bool:
    return all(matches(pattern, attributes.get(key)) for key, pattern in patterns.items())


def matches(pattern: re.Pattern[str], value: object) -> bool:
    return value is not None and pattern.fullmatch(str(value)) is not None
