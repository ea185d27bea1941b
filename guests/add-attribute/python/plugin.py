"""Set one attribute on every span, data point, log record and profile."""

import attrs

from otelwasm_sdk import Batch, processor


@attrs.frozen
class Config:
    key: str = "deployment.environment.name"
    value: str | bool | int | float = "production"


@processor
def add_attribute(batch: Batch, config: Config) -> Batch:
    # On the whole batch at once, which is faster than item by item.
    batch.set_attribute(config.key, config.value)
    return batch
