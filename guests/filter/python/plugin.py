"""Drop spans, data points and log records that nobody wants to keep, as health checks."""

import re

import attrs

from otelwasm_sdk import Batch, Signal, meter, processor

# What a condition's `name` is the name of.
NAMES = {Signal.TRACES: "name", Signal.METRICS: "metric.name", Signal.LOGS: "event_name"}


@attrs.frozen
class Condition:
    """Holds if all that is given holds, at least one thing; patterns match the whole text."""

    # The name of a span, a metric or an event.
    name: re.Pattern[str] | None = None
    # The text of a log record.
    body: re.Pattern[str] | None = None
    # Log records below this severity number: 9 is where information begins, 17 where errors do.
    severity_below: int | None = None
    attributes: dict[str, re.Pattern[str]] = attrs.field(factory=dict)
    resource: dict[str, re.Pattern[str]] = attrs.field(factory=dict)

    def on(self, signal: Signal) -> dict[str, object] | None:
        """What an item has to have; None where no item of the signal can have it."""
        is_about_logs = self.body is not None or self.severity_below is not None
        if (is_about_logs and signal is not Signal.LOGS) or (self.name and signal not in NAMES):
            return None
        conditions: dict[str, object] = {}
        if self.name is not None:
            conditions[NAMES[signal]] = self.name
        if self.body is not None:
            conditions["body"] = self.body
        if self.severity_below is not None:
            # 0 means that the source did not say how severe it is.
            conditions["severity_number"] = range(1, self.severity_below)
        for key, pattern in self.attributes.items():
            conditions[f"attributes.{key}"] = pattern
        for key, pattern in self.resource.items():
            conditions[f"resource.attributes.{key}"] = pattern
        return conditions


@attrs.frozen
class Config:
    drop: tuple[Condition, ...] = ()


@processor
def filter(batch: Batch, config: Config) -> Batch:
    dropped = 0
    for condition in config.drop:
        if conditions := condition.on(batch.signal):
            dropped += batch.drop(conditions)
    if dropped:
        meter.add("filter.dropped", dropped, signal=batch.signal.label)
    # A batch that is emptied by this is not sent on at all.
    return batch
